import { count, Dataset, Dimension, Measure, max, sum } from '../../src/index'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { startTestServer, type TestServer } from '../support/server'

@Dataset({ source: 'calls', time: 'at', refresh: 'manual' })
class Calls {
  @Dimension() line!: string | null
  @Measure(count()) calls!: number
  @Measure(sum('seconds')) seconds!: number
  @Measure(max('at')) latest!: string | null
}

/** Kept by the day and longer only, in two zones. */
@Dataset({
  source: 'late_calls',
  time: 'at',
  base: false,
  rollups: [
    { by: [], granularity: 'year' },
    { by: [], granularity: 'month', timezone: 'Europe/Madrid' },
    { by: ['line'], granularity: 'day', timezone: 'Europe/Madrid' },
  ],
  refresh: 'manual',
})
class LateCalls {
  @Dimension() line!: string | null
  @Measure(count()) calls!: number
}

@Dataset({ source: 'postings', time: 'day', refresh: 'manual' })
class Postings {
  @Dimension() account!: string | null
  @Measure(count()) postings!: number
}

@Dataset({ source: 'calls', time: 'at', timezone: 'Asia/Kolkata', refresh: 'manual' })
class IndianCalls {
  @Measure(count()) calls!: number
}

interface Point {
  readonly start: string
  readonly end: string
  readonly date: string | null
  readonly partial: boolean
  readonly measures: Record<string, unknown>
}

const CALLS = [
  ...['2025-10-26T00:10Z', '2025-10-26T00:50Z', '2025-10-26T01:30Z', '2025-10-26T02:30Z', '2025-03-09T06:59Z'],
  ...['2025-03-09T07:00Z', '2025-10-04T13:30Z', '2025-10-04T14:30Z', '2025-04-05T13:00Z', '2025-04-06T13:59Z'],
]

let database: TestDatabase
let server: TestServer
let now = 0

beforeAll(async () => {
  database = await createTestDatabase()
  await database.query('CREATE TABLE calls (at timestamptz NOT NULL, line text, seconds integer)')
  await database.query(`INSERT INTO calls SELECT at, 'a', 60 FROM unnest($1::timestamptz[]) AS at`, [CALLS])
  await database.query('CREATE TABLE late_calls (at timestamptz NOT NULL, line text)')
  await database.query(`INSERT INTO late_calls VALUES ('2025-10-26T05:00Z', 'a'), ('2025-11-20T12:00Z', 'b')`)
  await database.query('CREATE TABLE postings (day date NOT NULL, account text)')
  await database.query(`INSERT INTO postings VALUES ('2025-03-01', 'a'), ('2025-03-02', 'a'), ('2025-03-02', 'b')`)
  server = await startTestServer({
    databaseUrl: database.url,
    datasets: [Calls, LateCalls, Postings, IndianCalls],
    clock: () => now,
  })
})
beforeEach(() => {
  now = Date.parse('2026-01-15T10:20Z')
})
afterAll(async () => {
  await server?.stop()
  await database?.drop()
})

async function ask<T>(dataset: string, arguments_: string, fields: string): Promise<T> {
  const { data, errors } = await server.ask<Record<string, T>>(`{ ${dataset}(${arguments_}) { ${fields} } }`)
  expect(errors).toBeUndefined()
  const report = data?.[dataset]
  if (report === undefined) throw new Error('There is no answer')
  return report
}

async function seriesOf(from: string, to: string, timezone: string, granularity: string, dataset = 'calls') {
  const measure = dataset === 'postings' ? 'postings' : 'calls'
  const { series } = await ask<{ series: Point[] }>(
    dataset,
    `range: { between: { from: "${from}", to: "${to}" } }, timezone: "${timezone}"`,
    `series(granularity: ${granularity}) { start end date partial measures { ${measure} } }`,
  )
  return series.map(({ start, end, date, partial, measures }) => ({ start, end, date, partial, n: measures[measure] }))
}

it('an hour that the clocks repeat is two points, told apart by their offsets', async () => {
  const date = null
  const partial = false
  expect(await seriesOf('2025-10-26T02:00:00+02:00', '2025-10-26T04:00:00+01:00', 'Europe/Madrid', 'HOUR')).toEqual([
    { start: '2025-10-26T02:00:00+02:00', end: '2025-10-26T02:00:00+01:00', date, partial, n: 2 },
    { start: '2025-10-26T02:00:00+01:00', end: '2025-10-26T03:00:00+01:00', date, partial, n: 1 },
    { start: '2025-10-26T03:00:00+01:00', end: '2025-10-26T04:00:00+01:00', date, partial, n: 1 },
  ])
})

it('an hour that the clocks skip is no point', async () => {
  const points = await seriesOf('2025-03-09T06:00:00Z', '2025-03-09T08:00:00Z', 'America/New_York', 'HOUR')
  expect(points.map(({ start, end, n }) => [start, end, n])).toEqual([
    ['2025-03-09T01:00:00-05:00', '2025-03-09T03:00:00-04:00', 1],
    ['2025-03-09T03:00:00-04:00', '2025-03-09T04:00:00-04:00', 1],
  ])
})

it.each([
  ['23', '2025-10-05', '2025-10-06', '2025-10-05T00:00:00+10:00', '2025-10-06T00:00:00+11:00', 1],
  ['25', '2025-04-06', '2025-04-07', '2025-04-06T00:00:00+11:00', '2025-04-07T00:00:00+10:00', 2],
])(
  'a day of %s hours in Sydney is one point, and its end carries the new offset',
  async (_, from, to, start, end, n) => {
    expect(await seriesOf(from, to, 'Australia/Sydney', 'DAY')).toEqual([{ start, end, date: from, partial: false, n }])
  },
)

it('a bucket is partial where the range or now cuts it, and none that starts after now is filled in', async () => {
  now = Date.parse('2025-10-28T11:30Z')
  const points = await seriesOf('2025-10-26T12:00:00Z', '2025-11-05T00:00:00Z', 'UTC', 'DAY')
  expect(points.map(({ date, partial, n }) => [date, partial, n])).toEqual([
    ['2025-10-26', true, 0],
    ['2025-10-27', false, 0],
    ['2025-10-28', true, 0],
  ])
})

it('a bucket that starts just now is filled in, partial; one that ends now is whole', async () => {
  now = Date.parse('2025-10-27T00:00Z')
  const points = await seriesOf('2025-10-26', '2025-10-29', 'UTC', 'DAY')
  expect(points.map(({ date, partial }) => [date, partial])).toEqual([
    ['2025-10-26', false],
    ['2025-10-27', true],
  ])
})

it('a week starts on Monday, also across a year', async () => {
  const points = await seriesOf('2024-12-31', '2025-01-07', 'Europe/Madrid', 'WEEK')
  expect(points.map(({ start, date, partial }) => [start, date, partial])).toEqual([
    ['2024-12-30T00:00:00+01:00', '2024-12-30', true],
    ['2025-01-06T00:00:00+01:00', '2025-01-06', true],
  ])
})

it.each(['UTC', 'Pacific/Kiritimati', 'Pacific/Honolulu', 'America/New_York'])(
  'a date is never shifted: %s sees the same postings on the same dates',
  async (timezone) => {
    const points = await seriesOf('2025-03-01', '2025-03-04', timezone, 'DAY', 'postings')
    expect(points.map(({ date, n }) => [date, n])).toEqual([
      ['2025-03-01', 1],
      ['2025-03-02', 2],
      ['2025-03-03', 0],
    ])
    expect(points[0]?.start).toMatch(/^2025-03-01T00:00:00/)
  },
)

it.each([
  ['Pacific/Kiritimati', '2025-03-02T00:00:00+14:00', 2],
  ['UTC', '2025-03-01T00:00:00Z', 1],
  ['Pacific/Pago_Pago', '2025-02-28T00:00:00-11:00', 0],
])('what today is in %s decides which dates it means', async (timezone, from, postings) => {
  now = Date.parse('2025-03-01T10:30Z')
  const report = await ask(
    'postings',
    `range: { period: TODAY }, timezone: "${timezone}"`,
    'meta { from } totals { postings }',
  )
  expect(report).toEqual({ meta: { from }, totals: { postings } })
})

it('a moment is written with the offset of the report', async () => {
  const range = 'range: { between: { from: "2025-10-01", to: "2025-11-01" } }'
  const report = await ask('calls', `${range}, timezone: "Australia/Sydney"`, 'totals { latest }')
  expect(report).toEqual({ totals: { latest: '2025-10-26T13:30:00+11:00' } })
})

it('a link to a zone is told by the name of the zone', async () => {
  const range = 'range: { between: { from: "2025-10-01T00:00:00Z", to: "2025-11-01T00:00:00Z" } }'
  const report = await ask('calls', `${range}, timezone: "Asia/Calcutta"`, 'meta { from timezone } totals { calls }')
  expect(report).toEqual({
    meta: { from: '2025-10-01T05:30:00+05:30', timezone: 'Asia/Kolkata' },
    totals: { calls: 6 },
  })
})

it.each([
  [
    'a bound inside a bucket',
    'between: { from: "2025-10-01T10:07:00Z", to: "2025-10-02T00:00:00Z" }',
    'UTC',
    'range.between.from',
  ],
  ['midnight in India', 'between: { from: "2025-10-01", to: "2025-10-02" }', 'Asia/Kolkata', 'range.between.from'],
  ['today in India', 'period: TODAY', 'Asia/Kolkata', 'timezone'],
])('%s is refused by hour buckets, with the nearest bounds', async (_, range, timezone, argument) => {
  const { data, errors } = await server.ask(
    `{ calls(range: { ${range} }, timezone: "${timezone}") { totals { calls } } }`,
  )
  expect(data).toEqual({ calls: null })
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', argument } }])
  expect(errors?.[0]?.message).toMatch(/nearest bounds are 20\S+ and 20\S+/)
})

it('a month that is not over is compared with the same part of the month before, and all of a shorter one', async () => {
  const asked = 'compare(to: PREVIOUS_PERIOD) { meta { from to } series(granularity: DAY) { date } }'
  const compared = async (clock: string) => {
    now = Date.parse(clock)
    const report = await ask<{ compare: { meta: { from: string; to: string }; series: unknown[] } }>(
      'calls',
      'range: { period: THIS_MONTH }',
      asked,
    )
    return [report.compare.meta.from, report.compare.meta.to, report.compare.series.length]
  }
  expect(await compared('2025-10-10T12:30Z')).toEqual(['2025-09-01T00:00:00Z', '2025-09-10T13:00:00Z', 10])
  expect(await compared('2025-03-31T12:30Z')).toEqual(['2025-02-01T00:00:00Z', '2025-03-01T00:00:00Z', 28])
})

it('all data keeps to whole buckets of UTC, whatever the zone of the dataset', async () => {
  const { data } = await server.ask('{ indianCalls { meta { from to } totals { calls } } }')
  expect(data).toEqual({
    indianCalls: { meta: { from: '2025-03-09T06:00:00Z', to: '2025-10-26T03:00:00Z' }, totals: { calls: 10 } },
  })
})

describe('a rollup whose first bucket begins before the data', () => {
  // The data begin a few hours after Madrid's clocks went back, in a day, a month and a year that began in another offset.
  it('keeps its rows in the day and the month of its own zone', async () => {
    const report = await ask(
      'lateCalls',
      'timezone: "Europe/Madrid"',
      `weekdays: breakdown(by: [DAY_OF_WEEK]) { nodes { dayOfWeek measures { calls } } }
       months: breakdown(by: [MONTH_OF_YEAR]) { nodes { monthOfYear measures { calls } } }
       series(granularity: MONTH) { date measures { calls } }`,
    )
    expect(report).toEqual({
      weekdays: {
        nodes: [
          { dayOfWeek: 4, measures: { calls: 1 } },
          { dayOfWeek: 7, measures: { calls: 1 } },
        ],
      },
      months: {
        nodes: [
          { monthOfYear: 10, measures: { calls: 1 } },
          { monthOfYear: 11, measures: { calls: 1 } },
        ],
      },
      series: [
        { date: '2025-10-01', measures: { calls: 1 } },
        { date: '2025-11-01', measures: { calls: 1 } },
      ],
    })
  })

  it('does not serve a zone that had another offset when that bucket began', async () => {
    // Lagos keeps the offset that Madrid has in winter: the same as over all of the data, but not on 1 October.
    const { data, errors } = await server.ask(
      '{ lateCalls(timezone: "Africa/Lagos") { totals { calls } series(granularity: MONTH) { date measures { calls } } } }',
    )
    expect(data).toEqual({ lateCalls: { totals: { calls: 2 }, series: null } })
    expect(errors).toMatchObject([{ path: ['lateCalls', 'series'], extensions: { code: 'NO_ROLLUP' } }])
  })
})
