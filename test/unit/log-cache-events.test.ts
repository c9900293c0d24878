import type { CacheEvent } from '../../src/cache/cache-event'
import { logCacheEvents } from '../../src/log-cache-events'
import { createTestLogger } from '../support/http-app'
import { ALL_EVENTS } from './metrics/every-event'

/** Everything logged, and what was put off for a second. */
function listen() {
  const { logger, lines } = createTestLogger()
  let waiting: (() => void)[] = []
  const onEvent = logCacheEvents(logger, null, (work) => waiting.push(work))
  return {
    onEvent,
    pass: () => {
      const due = waiting
      waiting = []
      for (const work of due) work()
    },
    /** Level, kind and count of the lines since the beginning, without the first. */
    told: () =>
      lines.slice(1).map(({ level, event, leftOut }) => {
        const { kind } = event as CacheEvent
        return leftOut === undefined ? [level, kind] : [level, kind, leftOut]
      }),
    lines,
  }
}

const DEBUG = 20
const INFO = 30
const WARN = 40
const failed = (message: string): CacheEvent => ({ kind: 'load-failed', key: 'digest', message })

it('says once where the cache is, without the password', () => {
  const { logger, lines } = createTestLogger()
  logCacheEvents(logger, 'redis://app:secret@cache.example:6379')
  logCacheEvents(logger, null)
  expect(lines.map(({ msg }) => msg)).toEqual([
    'The cache is shared through Redis',
    'REDIS_URL is not set: the cache is in the memory of this process alone',
  ])
  expect(JSON.stringify(lines)).not.toContain('secret')
})

it('warns of what an operator has to know, and keeps the rest for debug', () => {
  const { onEvent, told } = listen()
  const kinds = [...new Map(ALL_EVENTS.map((event) => [event.kind, event])).values()]
  for (const event of kinds) onEvent(event)
  const notable = told().filter(([level]) => level !== DEBUG)
  expect(notable).toEqual([
    [WARN, 'load-failed'],
    [WARN, 'stale-served'],
    [WARN, 'background-failed'],
    [WARN, 'shed'],
    [WARN, 'decode-failed'],
    [INFO, 'redis-ready'],
    [WARN, 'redis-down'],
    [WARN, 'breaker-opened'],
    [INFO, 'breaker-closed'],
    [WARN, 'prepare-failed'],
    [WARN, 'publish-failed'],
  ])
  expect(told()).toHaveLength(kinds.length)
})

describe('a storm of one event', () => {
  it('is one line at once, and one after each second, with the last event and how many were left out', () => {
    const { onEvent, pass, told, lines } = listen()
    for (let count = 1; count <= 1000; count += 1) onEvent(failed(`fault ${count}`))
    expect(told()).toEqual([[WARN, 'load-failed']])
    pass()
    for (let count = 1001; count <= 1003; count += 1) onEvent(failed(`fault ${count}`))
    pass()
    expect(told()).toEqual([
      [WARN, 'load-failed'],
      [WARN, 'load-failed', 998],
      [WARN, 'load-failed', 2],
    ])
    expect(lines.slice(1).map(({ event }) => event)).toEqual([
      failed('fault 1'),
      failed('fault 1000'),
      failed('fault 1003'),
    ])
  })

  it('is over after a second without any', () => {
    const { onEvent, pass, told } = listen()
    onEvent(failed('first'))
    pass()
    pass()
    onEvent(failed('much later'))
    onEvent(failed('one more'))
    expect(told()).toEqual([
      [WARN, 'load-failed'],
      [WARN, 'load-failed'],
    ])
    pass()
    expect(told().at(-1)).toEqual([WARN, 'load-failed'])
  })

  it('does not hide another', () => {
    const { onEvent, told } = listen()
    for (let count = 0; count < 10; count += 1) onEvent(failed('fault'))
    onEvent({ kind: 'redis-down' })
    onEvent({ kind: 'hit', store: 'memory', key: 'digest' })
    onEvent({ kind: 'hit', store: 'memory', key: 'digest' })
    expect(told()).toEqual([
      [WARN, 'load-failed'],
      [WARN, 'redis-down'],
      [DEBUG, 'hit'],
      [DEBUG, 'hit'],
    ])
  })
})
