import type { ApolloServerPlugin } from '@apollo/server'
import type { GraphQLContext } from './context'

/** Creates the plugin that says in `Cache-Status` (RFC 9211) whether every part of an answer came from the cache. */
export function createCacheStatus(): ApolloServerPlugin<GraphQLContext> {
  return {
    requestDidStart: async () => ({
      willSendResponse: async ({ response, contextValue: { session } }) => {
        const { hits, misses } = session.outcome
        if (hits + misses === 0) return
        response.http.headers.set('cache-status', misses === 0 ? 'aggregraph; hit' : 'aggregraph; fwd=miss')
      },
    }),
  }
}
