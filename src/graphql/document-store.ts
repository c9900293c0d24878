import type { ApolloServerOptions, BaseContext } from '@apollo/server'
import type { DocumentNode } from 'graphql'
import { Doorkeeper } from '../cache/doorkeeper'

/** Keeps documents that were parsed and found valid, by the hash of their text: those that come again. */
export interface DocumentStore extends NonNullable<ApolloServerOptions<BaseContext>['documentStore']> {
  /** Whether the document whose text has the hash is kept. */
  has(hash: string): boolean
  /** Gives the document to whoever asks for it next, and keeps it when it was offered before. */
  offer(hash: string, document: DocumentNode): void
}

/** A document takes some seventy times the bytes of its text. */
export const MOST_CHARACTERS = 2 ** 19

/** How many documents may be on their way to Apollo Server, which asks for each at once. */
const MOST_PASSING = 64

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
  const passing = new Map<string, DocumentNode>()
  const doorkeeper = new Doorkeeper()
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

  function offer(hash: string, document: DocumentNode): void {
    if (doorkeeper.admits(hash)) {
      keep(hash, document)
      return
    }
    const [oldest] = passing.keys()
    if (passing.size >= MOST_PASSING && oldest !== undefined) passing.delete(oldest)
    passing.set(hash, document)
  }

  function find(hash: string): DocumentNode | undefined {
    const document = passing.get(hash) ?? documents.get(hash)
    if (documents.delete(hash) && document !== undefined) documents.set(hash, document)
    passing.delete(hash)
    return document
  }

  return {
    has: (hash) => documents.has(hash),
    offer,
    get: async (key) => find(hashOf(key)),
    set: async (key, document) => {
      const hash = hashOf(key)
      if (doorkeeper.admits(hash)) keep(hash, document)
    },
    delete: async (key) => remove(hashOf(key)),
  }
}
