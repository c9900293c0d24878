import { Dataset, Dimension, last, Measure, ratio } from '../../src/index'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { startTestServer, type TestServer } from '../support/server'

@Dataset({
  source: 'levels',
  time: 'at',
  rollups: [
    { by: ['shop'], granularity: 'day' },
    { by: [], granularity: 'month' },
  ],
})
class Levels {
  @Dimension() shop!: string
  @Dimension() item!: string | null
  @Measure(last('level')) level!: number | null
  @Measure(last('note')) note!: string | null
  @Measure(last('at')) latest!: string | null
  @Measure(last('level', { sumOver: ['shop', 'item'] })) stock!: number | null
  @Measure(last('price', { sumOver: ['shop', 'item'], where: 'level > 50' })) prices!: number | null
  @Measure(ratio('prices', 'stock')) rate!: number | null
}

const MEASURES = '{ level note latest stock prices rate }'

let database: TestDatabase
let server: TestServer

beforeAll(async () => {
  database = await createTestDatabase()
  await database.query(`CREATE TABLE levels AS SELECT
      timestamptz '2026-03-01Z' + i * i % 86011 * interval '1 minute' AS at, 'shop ' || i % 7 AS shop,
      nullif('item ' || i % 11, 'item 3') AS item, i * 7919 % 101 AS level, i * 31 % 97 / 4::float8 AS price, 'note ' || i AS note
    FROM generate_series(1, 4000) AS i`)
  server = await startTestServer({ databaseUrl: database.url, datasets: [Levels] })
})
afterAll(async () => {
  await server?.stop()
  await database?.drop()
})

type Values = Record<string, unknown>

/** The same measures from the rows themselves, for the rows that a condition leaves. */
async function exactly(condition: string): Promise<Values> {
  const [row] = await database.query(`WITH chosen AS (SELECT * FROM levels WHERE ${condition}),
    stock AS (SELECT DISTINCT ON (shop, item) level FROM chosen ORDER BY shop, item, at DESC, level DESC),
    prices AS (SELECT DISTINCT ON (shop, item) price FROM chosen WHERE level > 50 ORDER BY shop, item, at DESC, price DESC)
    SELECT (SELECT level FROM chosen ORDER BY at DESC, level DESC LIMIT 1) AS level,
      (SELECT note FROM chosen ORDER BY at DESC, note COLLATE "C" DESC LIMIT 1) AS note, (SELECT max(at) FROM chosen) AS latest,
      (SELECT sum(level)::float8 FROM stock) AS stock, (SELECT sum(price) FROM prices) AS prices`)
  const { latest, stock, prices } = row ?? {}
  const rate = typeof prices === 'number' ? prices / Number(stock) : null
  return { ...row, latest: latest instanceof Date ? latest.toISOString() : null, rate }
}

function expectSame(found: Values | undefined, exact: Values): void {
  const latest = found?.latest
  expect({ ...found, latest: typeof latest === 'string' ? new Date(latest).toISOString() : null }).toEqual({
    ...exact,
    rate: exact.rate === null ? null : expect.closeTo(Number(exact.rate), 12),
  })
}

it('are those of the rows, in totals, by time, by group and in the rest of the groups', async () => {
  const { data, errors } = await server.ask<{ levels: Record<string, never> }>(`{ levels {
      totals ${MEASURES}
      series(granularity: DAY, fill: false) { start end measures ${MEASURES} }
      breakdown(by: [SHOP], first: 2) { nodes { shop measures ${MEASURES} } other { measures ${MEASURES} } } } }`)
  expect(errors).toBeUndefined()
  const { totals, series, breakdown } = (data?.levels ?? {}) as unknown as {
    totals: Values
    series: { start: string; end: string; measures: Values }[]
    breakdown: { nodes: { shop: string; measures: Values }[]; other: { measures: Values } }
  }
  expectSame(totals, await exactly('true'))
  expect(series.length).toBeGreaterThan(50)
  for (const { start, end, measures } of series.slice(0, 20)) {
    expectSame(measures, await exactly(`at >= '${start}' AND at < '${end}'`))
  }
  for (const { shop, measures } of breakdown.nodes) expectSame(measures, await exactly(`shop = '${shop}'`))
  const named = breakdown.nodes.map(({ shop }) => `'${shop}'`).join(', ')
  expectSame(breakdown.other.measures, await exactly(`shop NOT IN (${named})`))
})

it('are null where there are none', async () => {
  const { data } = await server.ask<{ levels: { totals: Values } }>(
    `{ levels(range: { between: { from: "2020-01-01", to: "2021-01-01" } }) { totals ${MEASURES} } }`,
  )
  expect(new Set(Object.values(data?.levels.totals ?? {}))).toEqual(new Set([null]))
})
