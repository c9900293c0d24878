import { createMetricSet, tabulate } from '../../../src/metrics/series'
import { parseExposition, seriesOf } from '../../support/exposition'

it('writes numbers with their help, type and labels', () => {
  const set = createMetricSet()
  const hits = set.counter('hits_total', 'Answers found.')
  const [memory, redis] = [hits({ tier: 'memory' }), hits({ tier: 'redis' })]
  const lag = set.gauge('lag', 'How far.')()
  memory.value += 2
  redis.value += 1
  lag.value = -0.5
  expect(set.text()).toBe(`# HELP hits_total Answers found.
# TYPE hits_total counter
hits_total{tier="memory"} 2
hits_total{tier="redis"} 1
# HELP lag How far.
# TYPE lag gauge
lag -0.5
`)
})

it('writes no gauge that nobody knows yet, and nothing that is not a number', () => {
  const set = createMetricSet()
  set.gauge('unknown', 'Never set.')()
  set.read('read', 'Read now.', () => [
    [{ of: 'null' }, null],
    [{ of: 'NaN' }, Number.NaN],
    [{ of: 'zero' }, 0],
  ])
  expect([...seriesOf(set.text())]).toEqual([['read{of="zero"}', 0]])
})

it('reads what is read whenever it is written', () => {
  const set = createMetricSet()
  let value = 1
  set.read('read', 'Read now.', () => [[{}, value]])
  const before = set.text()
  value = 2
  expect([before, set.text()].map((text) => seriesOf(text).get('read'))).toEqual([1, 2])
})

it.each(['plain', 'a "quoted" one', 'back\\slash', 'two\nlines', '\\n', '{a="b",} 1', 'übergröße 🛫', ''])(
  'writes the label %j so that it is read again',
  (value) => {
    const set = createMetricSet()
    set.counter('a_total', `Help: ${value}`)({ value, other: 'x' })
    const [sample] = parseExposition(set.text()).get('a_total')?.samples ?? []
    expect(sample?.labels).toEqual(
      new Map([
        ['value', value],
        ['other', 'x'],
      ]),
    )
  },
)

describe('durations', () => {
  const set = createMetricSet()
  const load = set.durations('load_seconds', 'Loads.')({ of: 'part' })
  for (const ms of [0, 0.5, 0.6, 30, 30_000, 30_001, 1e9]) load.observe(ms)
  const series = seriesOf(set.text())
  const bucket = (bound: string) => series.get(`load_seconds_bucket{le="${bound}",of="part"}`)

  it('are counted in seconds, up to each bound, itself included', () => {
    expect([bucket('0.0005'), bucket('0.001'), bucket('0.025'), bucket('0.05'), bucket('30')]).toEqual([2, 3, 3, 4, 5])
  })

  it('are all counted and added up, however long', () => {
    expect(bucket('+Inf')).toBe(7)
    expect(series.get('load_seconds_count{of="part"}')).toBe(7)
    expect(series.get('load_seconds_sum{of="part"}')).toBeCloseTo(1_000_060.0321, 3)
  })
})

it('tabulates each value once', () => {
  expect(tabulate(['a', 'b'], (value) => value.toUpperCase())).toEqual({ a: 'A', b: 'B' })
})
