import type { StoredResponse } from '../cache/response-store'

/** What every answer carries, whatever it is. */
export const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
}

/** What pages of other origins may read besides the body. */
export const EXPOSED_HEADERS = ['Cache-Status', 'ETag', 'Retry-After']

/** Which headers of a request choose between answers of one URL, for `Vary`. */
export function varyOf(options: { readonly corsOrigins: readonly string[]; readonly hasCallers: boolean }): string {
  return [
    'Accept',
    ...(options.corsOrigins.length > 0 ? ['Origin'] : []),
    ...(options.hasCallers ? ['Authorization', 'X-API-Key'] : []),
  ].join(', ')
}

/** What lets pages of other origins read an answer, if it is one of these: the headers that `@fastify/cors` gives. */
export const CORS = { allow: 'access-control-allow-origin', expose: 'access-control-expose-headers' }

/**
 * What lets clients and shared caches keep an answer, and ask with its tag whether it is still the same before they use it:
 * versions, not times, say when an answer is over.
 */
export function validators({
  etag,
  isPublic,
}: Pick<StoredResponse, 'etag' | 'isPublic'>): Readonly<Record<string, string>> {
  return { etag, 'cache-control': isPublic ? 'public, no-cache' : 'private, no-cache' }
}
