import type { CacheEvent } from '../../../src/cache/cache-event'
import { createCacheMetrics } from '../../../src/metrics/cache-metrics'
import { createMetricSet } from '../../../src/metrics/series'
import { seriesOf } from '../../support/exposition'
import { createRandom } from '../../support/oracle/random'
import { ALL_EVENTS, EVERY_EVENT, type Moves } from './every-event'

function measure(datasetOf: (topic: string) => string | null = (topic) => topic.split(':')[0] ?? null) {
  const set = createMetricSet()
  const listen = createCacheMetrics(set, datasetOf)
  return { listen, read: () => seriesOf(set.text()) }
}

/** What an event moves; a series that was not there before began at 0. */
function movesOf(
  listen: (event: CacheEvent) => void,
  read: () => ReadonlyMap<string, number>,
  event: CacheEvent,
): Moves {
  const before = read()
  listen(event)
  const moved = [...read()].flatMap(([series, value]) => {
    const by = value - (before.get(series) ?? 0)
    return by === 0 || series.includes('_bucket{') ? [] : [[series, by] as const]
  })
  return Object.fromEntries(moved)
}

const table = Object.values(EVERY_EVENT).flatMap((cases) => cases.map(([event, moves]) => [event, moves] as const))

it.each(table)('%j moves its own series and no other', (event, moves) => {
  const { listen, read } = measure()
  // The gauges of Redis are moved by what turns them over.
  if (event.kind === 'redis-down') listen({ kind: 'redis-ready', version: '7.0.0', protocol: 3 })
  if (event.kind === 'breaker-closed' || event.kind === 'redis-ready') listen({ kind: 'breaker-opened', forMs: 500 })
  expect(movesOf(listen, read, event)).toEqual(moves)
})

it('has every counter there from the beginning, at 0, and none that nothing moves', () => {
  const { listen, read } = measure()
  const before = read()
  expect([...before.values()].filter((value) => value !== 0)).toEqual([])
  for (const event of ALL_EVENTS) listen(event)
  const unmoved = [...before].filter(([series]) => !series.includes('_bucket{') && read().get(series) === 0)
  expect(unmoved).toEqual([])
})

it('says nothing of Redis where none was tried, nor of the lag before Postgres told it', () => {
  const names = [...measure().read().keys()]
  expect(names.filter((name) => /redis_up|breaker_open$|version_lag/.test(name))).toEqual([])
})

it('keeps the last lag of each dataset, whichever release its layout is of', () => {
  const { listen, read } = measure()
  for (const [topic, lag] of [
    ['flights:old', 4],
    ['flights:new', 1],
    ['airports:a', 2],
    ['airports:a', 0],
  ] as const) {
    listen({ kind: 'floor', topic, lag })
  }
  const lags = [...read()].filter(([series]) => series.startsWith('aggregraph_version_lag'))
  expect(lags).toEqual([
    ['aggregraph_version_lag{dataset="flights"}', 1],
    ['aggregraph_version_lag{dataset="airports"}', 0],
  ])
})

describe('ten thousand random events', () => {
  const random = createRandom(4)
  /** An event with texts of its own wherever there are texts. */
  const vary = (event: CacheEvent): CacheEvent => {
    const text = `unheard-of-${random.below(1e9)}`
    const own = Object.entries({ key: text, topic: text, version: text, message: text, command: text, work: text })
    return { ...event, ...Object.fromEntries(own.filter(([name]) => name in event)) } as CacheEvent
  }
  const events = Array.from({ length: 10_000 }, () => vary(random.pick(ALL_EVENTS)))

  it('make no series and write no text of theirs', () => {
    const { listen, read } = measure((topic) => (topic.startsWith('flights:') ? 'flights' : null))
    for (const event of ALL_EVENTS) listen(event)
    listen({ kind: 'floor', topic: 'unheard-of', lag: 0 })
    const names = [...read().keys()]
    expect(names).toContain('aggregraph_version_lag{dataset="other"}')
    for (const event of events) listen(event)
    expect([...read().keys()]).toEqual(names)
  })

  it('make no more than 501 of the lag, however many datasets there are said to be', () => {
    const { listen, read } = measure((topic) => topic)
    for (const event of events) listen(event.kind === 'floor' ? event : { kind: 'floor', topic: event.kind, lag: 1 })
    for (let index = 0; index < 2_000; index += 1) listen({ kind: 'floor', topic: `topic ${index}`, lag: 1 })
    const lags = [...read().keys()].filter((series) => series.startsWith('aggregraph_version_lag'))
    expect(lags).toHaveLength(501)
    expect(lags).toContain('aggregraph_version_lag{dataset="other"}')
  })
})
