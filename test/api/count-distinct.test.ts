import type { ColumnType } from '../../src/dataset/column-type'
import { countDistinctMeasure, HASH_PROBE_SQL, hashesValues } from '../../src/dataset/measures/count-distinct'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { measuredColumn, statesByPath } from '../support/measured'

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

const ROW = `timestamptz '2026-01-01' AS at`
const distinct = (type: ColumnType, options?: { sql?: string; where?: string }) =>
  measuredColumn(countDistinctMeasure, type, options)

/** The estimate over the rows of a SELECT that gives `x`. */
async function estimate(type: ColumnType, rows: string, options?: { sql?: string; where?: string }): Promise<number> {
  const { build, value } = distinct(type, options)
  const [row] = await database.query(
    `SELECT ${value(build)} AS n FROM (SELECT ${ROW}, x FROM (${rows}) AS r) AS source`,
  )
  return Number(row?.n)
}

it('is within 1 of every number of values below 100, whatever the values', async () => {
  const { build, value } = distinct('bigint')
  const rows = await database.query(`SELECT seed, size, ${value(build)} AS n FROM (
      SELECT ${ROW}, seed, size, seed * 1000003::bigint + size * 1009 + i AS x
      FROM generate_series(1, 20) AS seed, generate_series(1, 100) AS size, generate_series(1, size) AS i
    ) AS source GROUP BY 1, 2`)
  expect(rows).toHaveLength(2000)
  for (const { size, n } of rows) expect(Math.abs(Number(n) - Number(size))).toBeLessThanOrEqual(1)
})

it('is within 2.4 % of every number of values and 1 % in the root mean square, also where fine sketches end', async () => {
  const { build, value } = distinct('integer')
  const sizes = [150, 400, 1000, 2000, 4000, 4096, 4097, 5000, 8000, 12_000, 16_384, 20_000, 25_000]
  sizes.push(30_000, 35_000, 38_000, 40_000, 42_000, 45_000, 50_000, 60_000, 100_000, 250_000, 1_000_000)
  const rows = await database.query(
    `SELECT size, ${value(build)} AS n FROM (
       SELECT ${ROW}, size, size * 7 + i AS x FROM unnest($1::integer[]) AS size, generate_series(1, size) AS i
     ) AS source GROUP BY size`,
    [sizes],
  )
  const errors = rows.map(({ size, n }) => Number(n) / Number(size) - 1)
  expect(errors).toHaveLength(sizes.length)
  expect(Math.max(...errors.map(Math.abs))).toBeLessThan(0.024)
  expect(Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length)).toBeLessThan(0.01)
}, 60_000)

it('has no bias, in particular none around 2.5 times as many values as registers', async () => {
  const { build, value } = distinct('integer')
  const rows = await database.query(`SELECT seed, ${value(build)} AS n FROM (
      SELECT ${ROW}, seed, seed * 50000 + i AS x FROM generate_series(1, 16) AS seed, generate_series(1, 41000) AS i
    ) AS source GROUP BY seed`)
  const mean = rows.reduce((sum, { n }) => sum + Number(n) / 41_000 - 1, 0) / rows.length
  expect(Math.abs(mean)).toBeLessThan((3 * 0.0081) / Math.sqrt(rows.length))
}, 60_000)

it.each([
  [1, 1],
  [2, 2],
  [50, 7],
  [4096, 5],
  [4097, 5],
  [5000, 2],
  [9000, 40],
  [60_000, 9],
])('makes the same state of %i values from the rows and from %i portions, merged in any order', async (size, parts) => {
  const source = `(SELECT ${ROW}, i AS x FROM (SELECT i % ${size} AS i FROM generate_series(1, ${size} * 3 / 2 + 1) AS i ORDER BY random()) AS i)`
  const [row] = await database.query(statesByPath(distinct('integer'), source, parts))
  expect(row?.size).toBeGreaterThan(0)
  expect(row?.merged).toBe(row?.whole)
  expect(row?.mergedAgain).toBe(row?.whole)
})

it.each<readonly [ColumnType, string, number]>([
  ['text', `VALUES ('a'), ('A'), ('a '), (''), ('é'), (NULL), ('a')`, 5],
  ['text', `VALUES ('a'::char(5)), ('a '), ('b')`, 2],
  ['uuid', `VALUES ('00000000-0000-0000-0000-00000000000A'::uuid), ('00000000-0000-0000-0000-00000000000a')`, 1],
  ['boolean', 'VALUES (true), (false), (NULL), (true)', 2],
  ['smallint', 'VALUES (1::smallint), (-1), (1), (0)', 3],
  ['bigint', 'VALUES (1::bigint), (4294967296), (4294967297), (-4294967296), (0)', 5],
  ['numeric', `VALUES (1.0), (1.00), (1), (0), (0.0), (-0.0), ('NaN'), ('Infinity'), ('-Infinity'), (1e-30)`, 3],
  ['real', `VALUES (0.1::real), (0), ('-0'), ('NaN'), ('Infinity'), (0.1)`, 2],
  ['double', `VALUES (0.1::float8), (0), ('-0'), ('NaN'), ('-Infinity'), (1e-300)`, 3],
  ['date', `VALUES ('2026-01-01'::date), ('2026-01-02'), ('infinity'), ('4713-01-01 BC'), (NULL)`, 3],
  ['timestamp', `VALUES ('2026-01-01'::timestamp), ('2026-01-01 00:00:00.000001'), ('infinity')`, 2],
  ['timestamptz', `VALUES ('2026-01-01 00:00Z'::timestamptz), ('2026-01-01 01:00+01'), ('-infinity')`, 1],
])('counts distinct values of type %s: %s', async (type, rows, expected) => {
  expect(await estimate(type, `SELECT column1 AS x FROM (${rows}) AS v`)).toBe(expected)
})

it('spreads bigints that differ in their upper half alone, and instants a second apart', async () => {
  expect(await estimate('bigint', 'SELECT i * 4294967295 AS x FROM generate_series(1::bigint, 3000) AS i')).toBe(3000)
  const seconds = `SELECT timestamptz '2026-01-01' + i * interval '1 s' AS x FROM generate_series(1, 3000) AS i`
  expect(await estimate('timestamptz', seconds)).toBe(3000)
})

it('counts rows that meet the condition, values that are no column, and nothing', async () => {
  const ten = 'SELECT i AS x FROM generate_series(1, 10) AS i'
  expect(await estimate('integer', ten, { where: '(x > 7)' })).toBe(3)
  expect(await estimate('integer', ten, { where: '(x > 70)' })).toBe(0)
  expect(await estimate('integer', ten, { sql: '(1)' })).toBe(1)
  expect(await estimate('text', ten, { sql: '(x % 4)' })).toBe(4)
  expect(await estimate('integer', 'SELECT NULL::integer AS x')).toBe(0)
  expect(await estimate('integer', 'SELECT 1 AS x WHERE false')).toBe(0)
})

it('tells which states hang on the hash of the server, and asks the server for it', async () => {
  expect(hashesValues(distinct('text').build)).toBe(true)
  expect(hashesValues(distinct('double').build)).toBe(true)
  expect(hashesValues('count(*)')).toBe(false)
  const [row] = await database.query(HASH_PROBE_SQL)
  expect(row?.probe).toMatch(/^-?\d+ -?\d+ -?\d+$/)
})
