import { loadFlights } from '../../src/demo/load-flights'
import { count, countDistinct, Dataset, Dimension, Measure, quantile, ratio } from '../../src/index'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { startTestServer, type TestServer } from '../support/server'

/** As many flights as this says, or `all` 3,000,000. */
const { AGGREGRAPH_SKETCH_ROWS: WANTED = '40000' } = process.env
const ROWS = WANTED === 'all' ? 'all' : Number(WANTED)
const MINUTES = ROWS === 'all' ? 15 : 1

/** Tells nearly every flight from every other. */
const FLIGHT = `concat_ws(' ', extract(epoch from departed_at), origin, destination, delay, distance)`
const ROUTE = `origin || destination`

@Dataset({
  source: 'flights',
  time: 'departed_at',
  base: false,
  rollups: [
    { by: ['origin'], granularity: 'hour' },
    { by: ['origin'], granularity: 'day' },
    { by: [], granularity: 'month' },
    { by: ['origin', 'destination'], granularity: 'month' },
  ],
})
class Flights {
  @Dimension() origin!: string
  @Dimension() destination!: string
  @Measure(count()) flights!: number
  @Measure(countDistinct('destination')) destinations!: number
  @Measure(countDistinct({ sql: FLIGHT })) distinctFlights!: number
  @Measure(countDistinct({ sql: ROUTE }, { where: 'delay > 15' })) lateRoutes!: number
  @Measure(quantile(0.5, 'delay')) medianDelay!: number | null
  @Measure(quantile(0.02, 'delay')) earliness!: number | null
  @Measure(quantile(0.95, 'delay')) p95Delay!: number | null
  @Measure(quantile(0.9, 'distance', { where: "origin = 'ATL'" })) longFromAtlanta!: number | null
  @Measure(ratio('distinctFlights', 'flights')) distinctness!: number | null
}

/** The same with one rollup, made from the source: no state of it is merged from others before it is read. */
@Dataset({ source: 'flights', time: 'departed_at', base: false, rollups: [{ by: [], granularity: 'month' }] })
class Direct {
  @Measure(countDistinct({ sql: FLIGHT })) distinctFlights!: number
  @Measure(countDistinct({ sql: ROUTE }, { where: 'delay > 15' })) lateRoutes!: number
  @Measure(quantile(0.02, 'delay')) earliness!: number | null
  @Measure(quantile(0.95, 'delay')) p95Delay!: number | null
}

type Values = Record<string, number | null>

const DISTINCT = { destinations: 'destination', distinctFlights: FLIGHT }
const RANKED = { medianDelay: 0.5, earliness: 0.02, p95Delay: 0.95 }
const MEASURES =
  '{ flights destinations distinctFlights lateRoutes medianDelay earliness p95Delay longFromAtlanta distinctness }'
const EXACT = [
  'count(*)::float8 AS flights',
  ...Object.entries(DISTINCT).map(([name, sql]) => `count(DISTINCT ${sql})::float8 AS "${name}"`),
  `count(DISTINCT ${ROUTE}) FILTER (WHERE delay > 15)::float8 AS "lateRoutes"`,
  ...Object.entries(RANKED).map(
    ([name, q]) => `percentile_disc(${q}) WITHIN GROUP (ORDER BY delay)::float8 AS "${name}"`,
  ),
  `percentile_disc(0.9) WITHIN GROUP (ORDER BY distance) FILTER (WHERE origin = 'ATL')::float8 AS "longFromAtlanta"`,
].join(', ')

let database: TestDatabase
let server: TestServer
const errors: number[] = []

beforeAll(async () => {
  database = await createTestDatabase()
  await loadFlights({ url: database.url, rows: ROWS })
  const env = { REQUEST_TIMEOUT_SECONDS: '300', STATEMENT_TIMEOUT_SECONDS: '300' }
  server = await startTestServer({ databaseUrl: database.url, datasets: [Flights, Direct], env })
}, MINUTES * 60_000)
afterAll(async () => {
  await server?.stop()
  await database?.drop()
})

async function ask<Part>(selection: string, dataset = 'flights'): Promise<Part> {
  const answer = await server.ask<Record<string, Part>>(
    `{ ${dataset}(range: { between: { from: "2001-01-01", to: "2001-08-01" } }) { ${selection} } }`,
  )
  expect(answer.errors).toBeUndefined()
  const part = answer.data?.[dataset]
  if (part === undefined) throw new Error('The answer has no report')
  return part
}

const exactly = (where = 'true', group = '') =>
  database.query(
    `SELECT ${group === '' ? '' : `${group} AS key, `}${EXACT} FROM flights WHERE ${where} ${group === '' ? '' : 'GROUP BY 1 ORDER BY 1'}`,
  ) as Promise<(Values & { key: unknown })[]>

/** Holds estimates against the exact values, and notes the relative errors of counts of distinct values. */
function expectNear(measures: Values | undefined, exact: Values | undefined): void {
  expect(measures?.flights).toBe(exact?.flights)
  for (const name of ['destinations', 'distinctFlights', 'lateRoutes']) {
    const [found, right] = [Number(measures?.[name]), Number(exact?.[name])]
    expect(Math.abs(found - right)).toBeLessThanOrEqual(right < 100 ? 1 : 0.024 * right)
    if (right >= 100) errors.push(found / right - 1)
  }
  for (const name of [...Object.keys(RANKED), 'longFromAtlanta']) {
    const right = exact?.[name] ?? null
    if (right === null) expect(measures?.[name]).toBeNull()
    else expect(Math.abs(Number(measures?.[name]) - right)).toBeLessThanOrEqual(0.01 * Math.abs(right))
  }
  expect(measures?.distinctness).toBe(Number(measures?.distinctFlights) / Number(measures?.flights))
}

it(
  'is near the exact values as a whole, month by month, day by day and airport by airport',
  async () => {
    const { totals } = await ask<{ totals: Values }>(`totals ${MEASURES}`)
    expectNear(totals, (await exactly())[0])
    for (const [granularity, unit] of [
      ['MONTH', 'month'],
      ['DAY', 'day'],
      ['HOUR', 'hour'],
    ] as const) {
      const { series } = await ask<{ series: { start: string; measures: Values }[] }>(
        `series(granularity: ${granularity}, fill: false) { start measures ${MEASURES} }`,
      )
      const exact = await exactly(
        unit === 'hour' ? `departed_at < '2001-02-01Z'` : 'true',
        `date_trunc('${unit}', departed_at, 'UTC')`,
      )
      const byStart = new Map(series.map(({ start, measures }) => [Date.parse(start), measures]))
      for (const values of exact) expectNear(byStart.get((values.key as unknown as Date).getTime()), values)
    }
    const { breakdown } = await ask<{ breakdown: { nodes: { origin: string; measures: Values }[] } }>(
      `breakdown(by: [ORIGIN], first: 1000) { nodes { origin measures ${MEASURES} } }`,
    )
    const byOrigin = new Map(breakdown.nodes.map(({ origin, measures }) => [origin, measures]))
    for (const values of await exactly('true', 'origin')) expectNear(byOrigin.get(String(values.key)), values)
    expect(errors.length).toBeGreaterThan(100)
    expect(Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length)).toBeLessThan(0.01)
  },
  MINUTES * 60_000,
)

it(
  'merges what was merged before: the rest of a breakdown, its series, and another range',
  async () => {
    const { breakdown, compare } = await ask<{
      breakdown: { nodes: { origin: string }[]; other: { measures: Values; series: { measures: Values }[] } }
      compare: { totals: Values }
    }>(`breakdown(by: [ORIGIN], first: 3) { nodes { origin }
        other { measures ${MEASURES} series(granularity: MONTH) { measures ${MEASURES} } } }
      compare(to: PREVIOUS_YEAR) { totals ${MEASURES} }`)
    const named = breakdown.nodes.map(({ origin }) => `'${origin}'`).join(', ')
    expectNear(breakdown.other.measures, (await exactly(`origin NOT IN (${named})`))[0])
    const months = await exactly(`origin NOT IN (${named})`, `date_trunc('month', departed_at, 'UTC')`)
    for (const [index, values] of months.entries()) expectNear(breakdown.other.series[index]?.measures, values)
    expect(compare.totals).toMatchObject({
      flights: 0,
      destinations: 0,
      lateRoutes: 0,
      p95Delay: null,
      distinctness: null,
    })
  },
  MINUTES * 60_000,
)

it('is the same from every granularity, and from states built from the source', async () => {
  const names = '{ distinctFlights lateRoutes earliness p95Delay }'
  const { totals } = await ask<{ totals: Values }>(`totals ${names}`)
  const { breakdown } = await ask<{ breakdown: { other: { measures: Values } } }>(
    `breakdown(by: [HOUR_OF_DAY], first: 1, having: { flights: { lt: 0 } }) { other { measures ${names} } }`,
  )
  expect(breakdown.other.measures).toEqual(totals)
  expect((await ask<{ totals: Values }>(`totals ${names}`, 'direct')).totals).toEqual(totals)
  const months = await ask<{ series: object[] }>(`series(granularity: MONTH) { start measures ${names} }`)
  expect(await ask(`series(granularity: MONTH) { start measures ${names} }`, 'direct')).toEqual(months)
})

it('is 0 or null where there is nothing', async () => {
  const answer = await server.ask<{ flights: { series: { measures: Values }[] } }>(
    `{ flights(range: { between: { from: "2002-01-01", to: "2002-01-03" } }) { series(granularity: DAY) { measures { destinations p95Delay distinctness } } } }`,
  )
  expect(answer.data?.flights.series.map(({ measures }) => measures)).toEqual(
    Array(2).fill({ destinations: 0, p95Delay: null, distinctness: null }),
  )
})
