import type { Logger } from 'pino'
import type { CacheEvent, CacheListener } from './cache/cache-event'
import { redactUrl } from './config'

/** What an operator has to know at once; everything else is for `debug`. */
const NOTABLE: Partial<Record<CacheEvent['kind'], string>> = {
  'redis-ready': 'Redis is connected',
  'redis-down': 'Redis cannot be reached; answers come from memory and Postgres',
  'breaker-opened': 'Redis is left alone for a while',
  'decode-failed': 'A cache entry could not be read and was dropped',
  'prepare-failed': 'A refresh commits without Redis; other processes follow within a second',
  'publish-failed': 'A refresh could not be published; other processes follow within a second',
}

/** Logs the events of the cache, and once, where there is no Redis, that memory is all there is. */
export function logCacheEvents(logger: Logger, redisUrl: string | null): CacheListener {
  if (redisUrl === null) logger.info('REDIS_URL is not set: the cache is in the memory of this process alone')
  else logger.info({ redis: redactUrl(redisUrl) }, 'The cache is shared through Redis')
  return (event) => {
    const message = NOTABLE[event.kind]
    if (message === undefined) logger.debug({ event }, 'cache')
    else logger[event.kind === 'redis-ready' ? 'info' : 'warn']({ event }, message)
  }
}
