import type { TestDatabase } from '../database'
import { isClockUnit, type Unit, writeInstant } from './calendar'
import { dimensionOf, type KeyType, localSql, measureOf, type OracleDataset, type OracleMeasure } from './dataset'
import { quote } from './filter'

export type KeyValue = string | number | boolean | null

/** A number that an answer may miss by `slack`, because sums of floats depend on their order. */
export interface Near {
  readonly near: number
  readonly slack: number
}

export type ExpectedValue = string | number | null | Near
export type ExpectedMeasures = Readonly<Record<string, ExpectedValue>>

/** Which rows of the source, and how their times are read. */
export interface Rows {
  readonly dataset: OracleDataset
  readonly zone: string
  /** Null: unbounded. */
  readonly from: number | null
  readonly to: number | null
  /** A condition in SQL. */
  readonly where: string
}

export interface ExpectedGroup {
  readonly keys: readonly KeyValue[]
  /** The keys as one text, for telling groups apart. */
  readonly id: string
  /** Start of the bucket (epoch milliseconds, or the date of one of a day or longer); empty without a unit. */
  readonly bucket: string
  readonly measures: ExpectedMeasures
}

const TRUNCATED: Readonly<Record<Unit, (local: string) => string>> = {
  MINUTE: (local) => `date_trunc('minute', ${local})`,
  QUARTER_HOUR: (local) => `date_bin('15 minutes', ${local}, timestamp '2000-01-01')`,
  HOUR: (local) => `date_trunc('hour', ${local})`,
  DAY: (local) => `date_trunc('day', ${local})`,
  WEEK: (local) => `date_trunc('week', ${local})`,
  MONTH: (local) => `date_trunc('month', ${local})`,
  QUARTER: (local) => `date_trunc('quarter', ${local})`,
  YEAR: (local) => `date_trunc('year', ${local})`,
}

/** The bucket of a row. The offset tells an hour that the clocks repeat from the one before. */
function bucketSql(dataset: OracleDataset, zone: string, unit: Unit): string {
  const local = localSql(dataset, zone)
  const truncated = TRUNCATED[unit](local)
  if (!isClockUnit(unit)) return `to_char(${truncated}, 'YYYY-MM-DD')`
  const offset = `(${local} - (${dataset.time} AT TIME ZONE 'UTC'))`
  return `(extract(epoch FROM ${truncated} - ${offset}) * 1000)::bigint::text`
}

function idSql({ dataset, zone }: Rows, by: readonly string[]): string {
  const texts = by.map((name) => `coalesce('=' || (${dimensionOf(dataset, name, zone).sql})::text, '')`)
  return `concat_ws('|', ${["''", ...texts].join(', ')})`
}

/** Condition for rows in one of the given groups. */
export function inGroups(rows: Rows, by: readonly string[], ids: readonly string[]): string {
  const list = ids.map((id) => `${quote(id)}`).join(', ')
  return `${idSql(rows, by)} = ANY (ARRAY[${list}]::text[])`
}

function measureSql(measure: OracleMeasure): string {
  return measure.type === 'time' ? `(extract(epoch FROM ${measure.sql}) * 1000)::bigint` : measure.sql
}

function readKey(type: KeyType, text: string | null): KeyValue {
  if (text === null) return null
  if (type === 'integer') return Number(text)
  return type === 'boolean' ? text === 'true' : text
}

function readValue(measure: OracleMeasure, zone: string, text: string | null, magnitude: string | null): ExpectedValue {
  if (text === null) return null
  switch (measure.type) {
    case 'integer':
    case 'exact':
      return Number(text)
    case 'float':
      return { near: Number(text), slack: 1e-12 * Number(magnitude ?? Math.abs(Number(text))) }
    case 'time':
      return writeInstant(Number(text), zone)
    default:
      return text
  }
}

/** Asks the source in plain SQL: one row without `by` and `unit`, else one for every group that has rows. */
export async function aggregate(
  database: Pick<TestDatabase, 'query'>,
  rows: Rows,
  names: readonly string[],
  options: { readonly by?: readonly string[]; readonly unit?: Unit; readonly and?: string } = {},
): Promise<ExpectedGroup[]> {
  const { dataset, zone, from, to, where } = rows
  const { by = [], unit, and = 'true' } = options
  const measures = names.map((name) => measureOf(dataset, name))
  const dimensions = by.map((name) => dimensionOf(dataset, name, zone))
  const columns = [
    ...dimensions.map(({ sql }, index) => `(${sql})::text AS k${index}`),
    `${idSql(rows, by)} AS id`,
    `${unit === undefined ? "''" : bucketSql(dataset, zone, unit)} AS bucket`,
  ]
  const values = measures.flatMap((measure, index) => [
    `(${measureSql(measure)})::text AS m${index}`,
    `(${measure.magnitude ?? 'NULL'})::text AS s${index}`,
  ])
  const conditions = [
    `isfinite(${dataset.time})`,
    ...(from === null ? [] : [`${dataset.time} >= '${new Date(from).toISOString()}'`]),
    ...(to === null ? [] : [`${dataset.time} < '${new Date(to).toISOString()}'`]),
    `(${where})`,
    `(${and})`,
  ]
  const isGrouped = by.length > 0 || unit !== undefined
  const grouping = isGrouped ? `GROUP BY ${columns.map((_, index) => index + 1).join(', ')}` : ''
  const selected = isGrouped ? [...columns, ...values] : [`'' AS id`, `'' AS bucket`, ...values]
  const found = await database.query(
    `SELECT ${selected.join(', ')} FROM ${dataset.from} WHERE ${conditions.join(' AND ')} ${grouping}`,
  )
  return found.map((row) => {
    const text = (column: string) => (row[column] === null ? null : String(row[column]))
    return {
      keys: dimensions.map(({ type }, index) => readKey(type, text(`k${index}`))),
      id: String(row.id),
      bucket: String(row.bucket),
      measures: Object.fromEntries(
        measures.map((measure, index) => [
          measure.name,
          readValue(measure, zone, text(`m${index}`), text(`s${index}`)),
        ]),
      ),
    }
  })
}

/** The stretch of time that the source covers, in whole buckets of the dataset, or null when it is empty. */
export async function coveredTime(
  database: Pick<TestDatabase, 'query'>,
  dataset: OracleDataset,
): Promise<{ readonly first: number; readonly last: number } | null> {
  const [row] = await database.query(
    `SELECT (extract(epoch FROM min(t)) * 1000)::bigint::text AS first, (extract(epoch FROM max(t)) * 1000)::bigint::text AS last
     FROM (SELECT ${dataset.time} AS t FROM ${dataset.from}) AS times WHERE isfinite(t)`,
  )
  return row === undefined || row.first === null ? null : { first: Number(row.first), last: Number(row.last) }
}
