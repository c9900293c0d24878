import type { LayoutDefinition } from '../dataset/definition'
import { quoteLiteral } from '../dataset/sql'
import type { Stretch } from '../time/stretch'
import { epochOf, readNumber } from './instants'
import type { Query } from './query'
import { BUCKETS_ORIGIN, bucketStep, hasTime, timeOf } from './source-sql'

const DAY_MS = 86_400_000

/**
 * A stretch that holds the time of every source row that has a bucket; null when there is none. An index on the time column
 * answers it, so the ends of local times have a day to spare.
 */
export async function readSourceExtent(query: Query, definition: LayoutDefinition): Promise<Stretch | null> {
  const { timeColumn, timeType, sourceSql } = definition
  const [low, high] = [`'0001-01-02'::${timeType}`, `'9999-01-01'::${timeType}`]
  const { rows } = await query(
    `SELECT ${epochOf(timeOf(definition, 'first'))} AS first, ${epochOf(timeOf(definition, 'last'))} AS last FROM (
       SELECT min(${timeColumn}) AS first, max(${timeColumn}) AS last FROM ${sourceSql} AS source
       WHERE ${timeColumn} >= ${low} AND ${timeColumn} < ${high}
     ) AS ends`,
  )
  const first = readNumber(rows[0]?.first)
  const last = readNumber(rows[0]?.last)
  if (first === null || last === null) return null
  const slack = timeType === 'timestamptz' ? 0 : DAY_MS
  return { from: Math.floor(first) - slack, to: Math.ceil(last) + 1 + slack }
}

/** How many source rows have no usable time, and hence no bucket. */
export async function countTimeless(query: Query, definition: LayoutDefinition): Promise<number> {
  const { timeColumn, timeType, sourceSql } = definition
  const outside = `${timeColumn} IS NULL OR ${timeColumn} < '0001-01-04'::${timeType} OR ${timeColumn} >= '9998-12-30'::${timeType}`
  const { rows } = await query(
    `SELECT count(*)::text AS rows FROM ${sourceSql} AS source WHERE (${outside}) AND ${hasTime(definition)} IS NOT TRUE`,
  )
  return Number(rows[0]?.rows)
}

/** The first value of a column that may have been written since `$1`: one without a time zone is read in the dataset's. */
async function writtenSince(query: Query, definition: LayoutDefinition, column: string): Promise<string> {
  const { sourceSql, timezone } = definition
  const since = '$1::timestamptz'
  // Domains have become what they are made of.
  const typed = `coalesce((SELECT ${column} FROM ${sourceSql} AS source LIMIT 0), NULL::timestamp)`
  const { rows } = await query(`SELECT pg_typeof(${typed}) = 'timestamptz'::regtype AS is_instant`)
  if (rows[0]?.is_instant === true) return since
  // When clocks are put back, what is written after may say an earlier time.
  return `(${since} AT TIME ZONE ${quoteLiteral(timezone)})${timezone === 'UTC' ? '' : ` - interval '1 hour'`}`
}

/** The buckets of the source rows whose `column` says that they changed since an instant, as stretches. */
export async function readUpdatedSince(
  query: Query,
  definition: LayoutDefinition,
  column: string,
  since: string,
): Promise<readonly Stretch[]> {
  const step = bucketStep(definition)
  const { rows } = await query(
    `SELECT ${epochOf('bucket')} AS lower, ${epochOf(`bucket + ${step}`)} AS upper FROM (
       SELECT DISTINCT CASE WHEN ${hasTime(definition)}
         THEN date_bin(${step}, ${definition.timeSql}, ${BUCKETS_ORIGIN}) END AS bucket
       FROM ${definition.sourceSql} AS source WHERE ${column} >= ${await writtenSince(query, definition, column)}
     ) AS touched`,
    [since],
  )
  return rows.flatMap(({ lower, upper }) => (lower === null ? [] : [{ from: Number(lower), to: Number(upper) }]))
}

/** How many rows the planner expects of the source. */
export async function estimateRows(query: Query, { sourceSql }: LayoutDefinition): Promise<number> {
  const { rows } = await query(`EXPLAIN (FORMAT JSON) SELECT FROM ${sourceSql} AS source`)
  const plans = rows[0]?.['QUERY PLAN']
  // Written by EXPLAIN, in the form it documents.
  return Array.isArray(plans) ? (plans[0] as { readonly Plan: { readonly 'Plan Rows': number } }).Plan['Plan Rows'] : 0
}
