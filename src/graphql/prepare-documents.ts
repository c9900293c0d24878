import type { ApolloServerPlugin, BaseContext } from '@apollo/server'
import { type DocumentNode, type GraphQLSchema, type ParseOptions, parse } from 'graphql'
import type { DocumentStore } from './document-store'
import { isPlainlyValid } from './is-plainly-valid'
import { checkDocument, type OperationLimits } from './limits'

export interface PrepareDocumentsOptions {
  readonly schema: GraphQLSchema
  readonly store: DocumentStore
  readonly parseOptions: ParseOptions
  readonly limits: OperationLimits
}

/**
 * Creates the plugin that puts documents which are plainly valid, and none too large, into the store just before Apollo
 * Server looks there. Of any other document Apollo Server finds out itself, as ever, whether anything is wrong with it.
 */
export function createPrepareDocuments(options: PrepareDocumentsOptions): ApolloServerPlugin<BaseContext> {
  const { schema, store, parseOptions, limits } = options

  function readPlain(text: string): DocumentNode | null {
    try {
      const document = parse(text, parseOptions)
      return checkDocument(document, limits) === null && isPlainlyValid(schema, document) ? document : null
    } catch {
      return null
    }
  }

  return {
    requestDidStart: async () => ({
      didResolveSource: async ({ source, queryHash }) => {
        if (store.has(queryHash)) return
        const document = readPlain(source)
        if (document !== null) store.offer(queryHash, document)
      },
    }),
  }
}
