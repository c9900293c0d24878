import type { ApolloServerPlugin } from '@apollo/server'
import type { GraphQLContext } from './context'

/** The values of `Cache-Status` (RFC 9211). */
export const CACHE_STATUS = {
  /** The whole answer was kept, and is still what would be answered. */
  response: 'aggregraph; hit; detail=response',
  /** Every part of the answer came from the cache. */
  parts: 'aggregraph; hit',
  /** A part did not. */
  miss: 'aggregraph; fwd=miss',
  /** The same, where a whole answer was kept but is not what would be answered any more. */
  outdated: 'aggregraph; fwd=stale',
}

/** Creates the plugin that says in `Cache-Status` whether every part of an answer came from the cache. */
export function createCacheStatus(): ApolloServerPlugin<GraphQLContext> {
  return {
    requestDidStart: async () => ({
      willSendResponse: async ({ response, contextValue: { session } }) => {
        const { hits, misses } = session.outcome
        if (hits + misses === 0) return
        response.http.headers.set('cache-status', misses === 0 ? CACHE_STATUS.parts : CACHE_STATUS.miss)
      },
    }),
  }
}
