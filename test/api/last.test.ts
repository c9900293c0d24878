import type { ColumnType } from '../../src/dataset/column-type'
import { lastMeasure, lastSumMeasure } from '../../src/dataset/measures/last'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { measuredColumn, statesByPath } from '../support/measured'

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

async function read(measure: typeof lastMeasure, type: ColumnType, rows: string, options?: { where?: string }) {
  const { build, value } = measuredColumn(measure, type, options)
  const [row] = await database.query(`SELECT (${value(build)})::text AS v FROM (${rows}) AS source`)
  return row?.v
}

const values = (type: string, ...pairs: readonly (readonly [string, string | null])[]) =>
  `SELECT at::timestamptz, x::${type} FROM (VALUES ${pairs
    .map(([at, x]) => `('${at}', ${x === null ? 'NULL' : `'${x}'`})`)
    .join(', ')}) AS v (at, x)`

const [FIRST, NEXT, LATE] = ['2026-01-01 10:00Z', '2026-01-01 10:00:00.000001Z', '2026-01-02 00:00Z']

it.each<readonly [ColumnType, string, string, string, string]>([
  ['smallint', 'smallint', '7', '-3', '-3'],
  ['integer', 'integer', '7', '-3', '-3'],
  ['bigint', 'bigint', '1', '-9223372036854775808', '-9223372036854775808'],
  ['numeric', 'numeric', '7', '0.25', '0.25'],
  ['real', 'real', '7', '0.5', '0.5'],
  ['double', 'float8', '7', '-1e+300', '-1e+300'],
  ['date', 'date', '2026-05-01', '0044-03-15 BC', '0044-03-15 BC'],
  ['timestamp', 'timestamp', '2026-05-01', '1999-12-31 23:59:59.999999', '1999-12-31 23:59:59.999999+00'],
  ['timestamptz', 'timestamptz', '2026-05-01', '9998-12-31 23:59:59.999999Z', '9998-12-31 23:59:59.999999+00'],
  ['text', 'text', 'z', 'é"{},\\', 'é"{},\\'],
])('is the value of type %s at the latest time', async (type, pgType, earlier, later, expected) => {
  await database.query(`SET timezone TO 'UTC'`)
  const rows = values(pgType, [FIRST, earlier], [LATE, null], [NEXT, later])
  const sql = `${rows} ORDER BY 1 DESC`
  const found = await read(lastMeasure, type, sql)
  expect(type.startsWith('timestamp') ? new Date(String(found)).toISOString() : found).toBe(
    type.startsWith('timestamp') ? new Date(expected).toISOString() : expected,
  )
})

it.each<readonly [ColumnType, string, string, string, string]>([
  ['integer', 'integer', '9', '10', '10'],
  ['double', 'float8', '9', '-10', '9'],
  ['text', 'text', 'a', 'B', 'a'],
  ['date', 'date', '2026-01-09', '2026-01-10', '2026-01-10'],
])('is the larger of two values of type %s at one time', async (type, pgType, left, right, expected) => {
  expect(await read(lastMeasure, type, values(pgType, [FIRST, left], [FIRST, right]))).toBe(expected)
  expect(await read(lastMeasure, type, values(pgType, [FIRST, right], [FIRST, left]))).toBe(expected)
})

it.each(['0001-01-02 00:00Z', '1969-12-31 23:59:59.5Z', '1999-12-31 23:59:59.5Z', '9998-12-31 23:59:59.999999Z'])(
  'tells times around %s apart to the microsecond, for every sort of state',
  async (moment) => {
    const rows = (
      type: string,
    ) => `SELECT timestamptz '${moment}' + d * interval '1 microsecond' AS at, d::text::${type} AS x
      FROM unnest(ARRAY[0, -1, -3, -2, -1000000, -999999]) AS d`
    for (const [type, pgType] of [
      ['integer', 'integer'],
      ['numeric', 'numeric'],
      ['double', 'float8'],
      ['text', 'text'],
    ] as const)
      expect(await read(lastMeasure, type, rows(pgType))).toBe('0')
  },
)

it('ignores NaN and infinity, rows that fail the condition, and is null of nothing', async () => {
  const rows = values('float8', [FIRST, '1'], [NEXT, '2'], [LATE, 'NaN'], [LATE, '-Infinity'])
  expect(await read(lastMeasure, 'double', rows)).toBe('2')
  expect(await read(lastMeasure, 'double', rows, { where: '(x < 2)' })).toBe('1')
  expect(await read(lastMeasure, 'double', rows, { where: '(x < 1)' })).toBeNull()
  expect(await read(lastSumMeasure(['x']), 'double', rows, { where: '(x < 1)' })).toBeNull()
})

const STOCK = `SELECT at::timestamptz, shop, item, x FROM (VALUES
  ('${FIRST}', 'a', 1, 100), ('${LATE}', 'a', 1, 7), ('${NEXT}', 'a', 2, 20), ('${LATE}', 'b', 1, 1), ('${LATE}', 'b', 1, 3),
  ('${FIRST}', NULL, 1, 1000), ('${LATE}', NULL, 1, NULL), ('${FIRST}', 'a', NULL, 5)) AS v (at, shop, item, x)`

it('adds up the last value of each combination of dimensions, null being one of their values', async () => {
  expect(await read(lastSumMeasure(['"shop"', '"item"']), 'integer', STOCK)).toBe('1035')
  expect(await read(lastSumMeasure(['"shop"']), 'integer', STOCK)).toBe('1010')
})

it.each<readonly [ColumnType, string, string]>([
  ['bigint', 'bigint', '18446744073709551613'],
  ['numeric', 'numeric', '1.8446744073709552e+19'],
  ['real', 'real', '1.8446744073709552e+19'],
])('adds up values of type %s', async (type, pgType, expected) => {
  const rows = `SELECT timestamptz '${FIRST}' AS at, s, x::text::${pgType} FROM (VALUES (1, 9223372036854775807), (2, 9223372036854775806)) AS v (s, x)`
  expect(await read(lastSumMeasure(['s']), type, rows)).toBe(expected)
})

it.each<readonly [string, typeof lastMeasure, ColumnType, string]>([
  ['a number', lastMeasure, 'integer', 'i * 7919 % 1009'],
  ['a double', lastMeasure, 'double', 'sin(i)'],
  ['a text', lastMeasure, 'text', `chr(97 + i % 26)`],
  ['a sum over stations', lastSumMeasure(['"s"']), 'integer', 'i * 7919 % 1009'],
  ['a sum of doubles', lastSumMeasure(['"s"', '("s" % 7)']), 'double', 'sin(i)'],
])('keeps %s the same from the rows and from portions', async (_name, measure, type, x) => {
  const source = `(SELECT timestamptz '${FIRST}' + i % 211 * interval '1 minute' AS at, i % 53 AS s, ${x} AS x FROM generate_series(1, 5000) AS i)`
  const states = statesByPath(measuredColumn(measure, type), source, 13).replace('cardinality(s)', 'length(s::text)')
  const [row] = await database.query(states)
  expect(row?.size).toBeGreaterThan(0)
  expect(row?.merged).toBe(row?.whole)
  expect(row?.mergedAgain).toBe(row?.whole)
})
