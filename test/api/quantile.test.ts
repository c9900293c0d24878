import type { ColumnType } from '../../src/dataset/column-type'
import { quantileMeasure } from '../../src/dataset/measures/quantile'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { measuredColumn, statesByPath } from '../support/measured'

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
  await database.query('SELECT setseed(0.5)')
})
afterAll(() => database.drop())

const FRACTIONS = [0.0001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.9999]
const source = (rows: string) => `(SELECT timestamptz '2026-01-01' AS at, x FROM (${rows}) AS rows)`

/** Estimates beside what `percentile_disc` says of the same finite values. */
async function compare(type: ColumnType, rows: string, fractions = FRACTIONS): Promise<(readonly [number, number])[]> {
  const columns = fractions.map((q, index) => {
    const { build, value } = measuredColumn(quantileMeasure(q), type)
    return `${value(build)} AS e${index}, percentile_disc(${q}) WITHIN GROUP (ORDER BY x)
      FILTER (WHERE x::text NOT IN ('NaN', 'Infinity', '-Infinity')) AS x${index}`
  })
  const [row] = await database.query(`SELECT ${columns.join(', ')} FROM ${source(rows)} AS source`)
  return fractions.map((_, index) => [Number(row?.[`e${index}`]), Number(row?.[`x${index}`])])
}

const DOUBLES: readonly (readonly [string, string])[] = [
  ['one value', 'SELECT 42.5::float8 AS x FROM generate_series(1, 1000)'],
  ['one row', 'SELECT 1::float8 AS x'],
  ['two values', 'SELECT CASE WHEN i % 10 = 0 THEN 1000 ELSE -3 END::float8 AS x FROM generate_series(1, 1000) AS i'],
  ['a heavy tail', 'SELECT exp(10 * random()) AS x FROM generate_series(1, 50000)'],
  ['a tail heavier still', 'SELECT power(random(), -8) AS x FROM generate_series(1, 50000)'],
  ['negative values', 'SELECT -exp(10 * random()) AS x FROM generate_series(1, 50000)'],
  ['both signs and zeros', 'SELECT (i % 3 - 1) * exp(20 * random() - 10) AS x FROM generate_series(1, 50000) AS i'],
  ['zeros of both signs', `SELECT (ARRAY['0', '-0'])[i % 2 + 1]::float8 AS x FROM generate_series(1, 100) AS i`],
  [
    'the ends of what a double holds',
    `SELECT unnest('{1.7976931348623157e308, -1.7976931348623157e308}'::float8[]) AS x`,
  ],
  ['ends of bins', 'SELECT power(1.02, i) AS x FROM generate_series(-3000, 3000) AS i'],
  [
    'NaN and infinity among others',
    `SELECT unnest('{1, NaN, 5, Infinity, 7, -Infinity, 9, NULL, NaN, NaN, 100}'::float8[]) AS x`,
  ],
]

it.each(DOUBLES)('is within 1 %% of the exact value for %s', async (_name, rows) => {
  for (const [estimated, exact] of await compare('double', `SELECT x FROM (${rows}) AS r OFFSET 0`)) {
    expect(Math.abs(estimated - exact)).toBeLessThanOrEqual(0.01 * Math.abs(exact))
  }
})

it.each<readonly [ColumnType, string]>([
  ['smallint', 'SELECT (i % 200 - 100)::smallint AS x FROM generate_series(1, 5000) AS i'],
  ['integer', 'SELECT i * 7919 % 100003 - 500 AS x FROM generate_series(1, 5000) AS i'],
  ['integer', `SELECT unnest('{2147483647, -2147483648, 0}'::integer[]) AS x`],
  ['bigint', `SELECT unnest('{9223372036854775807, -9223372036854775808, 1}'::bigint[]) AS x`],
  ['real', `SELECT unnest('{3.4e38, -3.4e38, 1e-40, NaN, 0.1, 16777216}'::real[]) AS x`],
  ['numeric', 'SELECT (i * 0.01 - 5)::numeric AS x FROM generate_series(1, 5000) AS i'],
])('is within 1 %% of the exact value of a column of type %s: %s', async (type, rows) => {
  for (const [estimated, exact] of await compare(type, rows)) {
    expect(Math.abs(estimated - exact)).toBeLessThanOrEqual(0.01 * Math.abs(exact) + 1e-39)
  }
})

it('takes numerics beyond every double for the largest, and those that no double tells from zero for zero', async () => {
  const rows = `SELECT unnest('{1e400, -1e400, 1e-400, -1e-400, NaN}'::numeric[]) AS x`
  const estimates = (await compare('numeric', rows, [0.1, 0.4, 0.6, 0.9])).map(([estimated]) => estimated)
  expect(estimates.map((estimated) => Number((estimated / 1.7976931348623157e308).toFixed(1)))).toEqual([-1, 0, 0, 1])
})

it('counts ranks as percentile_disc does: the value of rank q·n, rounded up', async () => {
  const rows = 'SELECT 10 ^ i AS x FROM generate_series(1, 10) AS i'
  const fractions = [0.0001, 0.1, 0.1001, 0.5, 0.55, 0.7, 0.9, 0.9001, 0.9999]
  const estimates = (await compare('double', rows, fractions)).map(([estimated]) => Math.round(Math.log10(estimated)))
  expect(estimates).toEqual([1, 1, 2, 5, 6, 7, 9, 10, 10])
})

it.each(['NULL::float8', `'NaN'::float8`, `'-Infinity'::float8`])('is null of nothing but %s', async (value) => {
  const { build, value: valueOfState, merge } = measuredColumn(quantileMeasure(0.5), 'double')
  const from = source(`SELECT ${value} AS x FROM generate_series(1, 3)`)
  const [row] = await database.query(`SELECT (${build}) IS NULL AS "isNull", ${valueOfState(build)} AS v,
    (SELECT ${merge('s')} IS NULL FROM (SELECT ${build} AS s FROM ${from} AS source) AS states) AS merged FROM ${from} AS source`)
  expect(row).toEqual({ isNull: true, v: null, merged: true })
})

it('takes rows that meet the condition, and values that are no column', async () => {
  const from = source('SELECT i AS x FROM generate_series(1, 100) AS i')
  const where = measuredColumn(quantileMeasure(0.5), 'integer', { where: '(x > 90)' })
  const fixed = measuredColumn(quantileMeasure(0.5), 'numeric', { sql: '(2.5)' })
  const [row] = await database.query(
    `SELECT ${where.value(where.build)} AS a, ${fixed.value(fixed.build)} AS b FROM ${from} AS source`,
  )
  expect(Math.abs(Number(row?.a) / 95 - 1)).toBeLessThan(0.01)
  expect(Math.abs(Number(row?.b) / 2.5 - 1)).toBeLessThan(0.01)
})

it.each(DOUBLES.slice(2))('makes the same state of %s from the rows and from portions', async (_name, rows) => {
  await database.query(`DROP TABLE IF EXISTS portions; CREATE TABLE portions AS SELECT * FROM ${source(rows)} AS r`)
  const [row] = await database.query(statesByPath(measuredColumn(quantileMeasure(0.5), 'double'), 'portions', 13))
  expect(row?.size).toBeGreaterThan(0)
  expect(row?.merged).toBe(row?.whole)
  expect(row?.mergedAgain).toBe(row?.whole)
})
