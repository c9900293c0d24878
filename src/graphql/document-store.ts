import type { ApolloServerOptions, BaseContext } from '@apollo/server'
import type { DocumentNode } from 'graphql'

/** Keeps documents that were parsed and found valid, by the hash of their text. */
export interface DocumentStore extends NonNullable<ApolloServerOptions<BaseContext>['documentStore']> {
  /** Whether the document whose text has the hash is kept. */
  has(hash: string): boolean
  keep(hash: string, document: DocumentNode): void
}

/** A document takes some seventy times the bytes of its text. */
export const MOST_CHARACTERS = 2 ** 19

/** Apollo Server puts the hash of the schema before that of the text; one server has one schema. */
function hashOf(key: string): string {
  return key.slice(key.lastIndexOf(':') + 1)
}

function lengthOf(document: DocumentNode): number {
  return document.loc?.source.body.length ?? MOST_CHARACTERS
}

/** Creates a store bounded by the characters of the texts; the least recently used documents go first. */
export function createDocumentStore(mostCharacters: number = MOST_CHARACTERS): DocumentStore {
  // Maps give their keys in the order in which they were set.
  const documents = new Map<string, DocumentNode>()
  let characters = 0

  function remove(hash: string): boolean {
    const document = documents.get(hash)
    if (document === undefined) return false
    characters -= lengthOf(document)
    return documents.delete(hash)
  }

  function keep(hash: string, document: DocumentNode): void {
    remove(hash)
    documents.set(hash, document)
    characters += lengthOf(document)
    for (const oldest of documents.keys()) {
      if (characters <= mostCharacters) return
      remove(oldest)
    }
  }

  return {
    has: (hash) => documents.has(hash),
    keep,
    get: async (key) => {
      const hash = hashOf(key)
      const document = documents.get(hash)
      if (document !== undefined) {
        documents.delete(hash)
        documents.set(hash, document)
      }
      return document
    },
    set: async (key, document) => keep(hashOf(key), document),
    delete: async (key) => remove(hashOf(key)),
  }
}
