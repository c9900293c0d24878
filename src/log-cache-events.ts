import type { Logger } from 'pino'
import type { CacheEvent, CacheListener } from './cache/cache-event'
import { redactUrl } from './config'

interface Notice {
  readonly level: 'info' | 'warn'
  readonly message: string
}

/**
 * What an operator has to know at once; everything else is for `debug`. The sampler tells of an older answer itself, and the
 * server that Postgres does not answer.
 */
const NOTABLE: Partial<Record<CacheEvent['kind'], Notice>> = {
  'redis-ready': { level: 'info', message: 'Redis is connected' },
  'redis-down': { level: 'warn', message: 'Redis cannot be reached; answers come from memory and Postgres' },
  'breaker-opened': { level: 'warn', message: 'Redis is left alone for a while' },
  'breaker-closed': { level: 'info', message: 'Redis is asked again' },
  'decode-failed': { level: 'warn', message: 'A cache entry could not be read and was dropped' },
  'prepare-failed': {
    level: 'warn',
    message: 'A refresh commits without Redis; other processes follow within a second',
  },
  'publish-failed': {
    level: 'warn',
    message: 'A refresh could not be published; other processes follow within a second',
  },
  'load-failed': { level: 'warn', message: 'A question could not be read from Postgres' },
  'stale-served': { level: 'warn', message: 'An answer may be older than the last refresh, and says so' },
  shed: { level: 'warn', message: 'A question was refused: too many are being read from Postgres' },
  'background-failed': { level: 'warn', message: 'Work in the background failed' },
}

const PAUSE_MS = 1_000

function afterPause(work: () => void): void {
  setTimeout(work, PAUSE_MS).unref()
}

/**
 * Logs the events of the cache, and once, where there is no Redis, that memory is all there is.
 *
 * Of each notable kind at most one line a second is written, however many events there are: the first at once, then, after
 * each second that had more, the last of them, and under `leftOut` how many there were besides. `later` runs a piece of work
 * in a second, without keeping the process alive for it.
 */
export function logCacheEvents(
  logger: Logger,
  redisUrl: string | null,
  later: (work: () => void) => void = afterPause,
): CacheListener {
  if (redisUrl === null) logger.info('REDIS_URL is not set: the cache is in the memory of this process alone')
  else logger.info({ redis: redactUrl(redisUrl) }, 'The cache is shared through Redis')
  /** What came of each kind since its last line, while that is less than a second ago. */
  const held = new Map<CacheEvent['kind'], readonly [last: CacheEvent, count: number] | null>()

  function write(notice: Notice, event: CacheEvent, leftOut: number): void {
    logger[notice.level]({ event, ...(leftOut > 0 && { leftOut }) }, notice.message)
    held.set(event.kind, null)
    later(() => {
      const more = held.get(event.kind)
      held.delete(event.kind)
      if (more) write(notice, more[0], more[1] - 1)
    })
  }

  return (event) => {
    const notice = NOTABLE[event.kind]
    if (notice === undefined) logger.debug({ event }, 'cache')
    else if (held.has(event.kind)) held.set(event.kind, [event, (held.get(event.kind)?.[1] ?? 0) + 1])
    else write(notice, event, 0)
  }
}
