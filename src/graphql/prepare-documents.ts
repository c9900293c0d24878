import type { ApolloServerPlugin, BaseContext } from '@apollo/server'
import { type DocumentNode, type GraphQLSchema, type ParseOptions, parse, type ValidationRule } from 'graphql'
import type { DocumentStore } from './document-store'
import { isValidDocument } from './is-valid-document'

export interface PrepareDocumentsOptions {
  readonly schema: GraphQLSchema
  readonly store: DocumentStore
  readonly parseOptions: ParseOptions
  /** All that Apollo Server would apply, those of the specification included. */
  readonly rules: readonly ValidationRule[]
}

/**
 * Creates the plugin that puts valid documents into the store just before Apollo Server looks there. Of any other document
 * Apollo Server finds out itself, as ever, what is wrong with it.
 */
export function createPrepareDocuments(options: PrepareDocumentsOptions): ApolloServerPlugin<BaseContext> {
  const { schema, store, parseOptions, rules } = options

  function readValid(text: string): DocumentNode | null {
    try {
      const document = parse(text, parseOptions)
      return isValidDocument(schema, document, rules) ? document : null
    } catch {
      return null
    }
  }

  return {
    requestDidStart: async () => ({
      didResolveSource: async ({ source, queryHash }) => {
        if (store.has(queryHash)) return
        const document = readValid(source)
        if (document !== null) store.keep(queryHash, document)
      },
    }),
  }
}
