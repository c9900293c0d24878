import { quoteIdentifier } from '../dataset/sql'
import type { Stretch } from '../time/stretch'
import { epochOf, readNumber } from './instants'
import { writeInstant } from './parameters'
import type { Query } from './query'
import type { RollupTable } from './rollup-table'
import { isBucketWithin } from './source-sql'

function targetOf({ name }: RollupTable, schema: string): string {
  return `${schema}.${quoteIdentifier(name)}`
}

/** Deletes the buckets that start before an instant; tells how many rows that were. */
export async function deleteBefore(query: Query, schema: string, table: RollupTable, instant: number): Promise<number> {
  const { affected } = await query(`DELETE FROM ${targetOf(table, schema)} WHERE bucket < '${writeInstant(instant)}'`)
  return affected
}

/** What the census counts within stretches. */
export interface CensusCount {
  readonly sourceRows: number
  readonly valuesIgnored: number
}

/** Adds up the census within stretches. */
export async function countCensus(
  query: Query,
  schema: string,
  census: RollupTable,
  stretches: readonly Stretch[],
): Promise<CensusCount> {
  const { rows } = await query(
    `SELECT coalesce(sum(source_rows), 0)::text AS source_rows, coalesce(sum(values_ignored), 0)::text AS values_ignored
     FROM ${targetOf(census, schema)} WHERE ${isBucketWithin('bucket', stretches)}`,
  )
  return { sourceRows: Number(rows[0]?.source_rows), valuesIgnored: Number(rows[0]?.values_ignored) }
}

/** The first and the last bucket of a table from an instant on; null when there is none. */
export async function readEnds(
  query: Query,
  schema: string,
  table: RollupTable,
  from: number,
): Promise<{ readonly first: number; readonly last: number } | null> {
  const { rows } = await query(
    `SELECT ${epochOf('min(bucket)')} AS first, ${epochOf('max(bucket)')} AS last FROM ${targetOf(table, schema)}
     WHERE ${isBucketWithin('bucket', [{ from, to: Number.POSITIVE_INFINITY }])}`,
  )
  const first = readNumber(rows[0]?.first)
  const last = readNumber(rows[0]?.last)
  return first === null || last === null ? null : { first, last }
}

/** A stretch of time, and how many source rows of the stretches asked for lie in it. */
export interface CensusWindow extends Stretch {
  readonly rows: number
}

/**
 * Cuts the time before an instant into windows of about so many source rows, counting only those within stretches, the newest
 * first. The last is open towards the past.
 */
export async function cutCensus(
  query: Query,
  schema: string,
  census: RollupTable,
  stretches: readonly Stretch[],
  until: number,
  size: number,
): Promise<readonly CensusWindow[]> {
  const { rows } = await query(
    `SELECT ${epochOf('min(bucket)')} AS cut, sum(source_rows)::text AS rows FROM (
       SELECT bucket, source_rows, floor((sum(source_rows) OVER (ORDER BY bucket DESC) - source_rows) / ${size}) AS slice
       FROM ${targetOf(census, schema)} WHERE ${isBucketWithin('bucket', stretches)}
     ) AS sliced GROUP BY slice ORDER BY cut DESC`,
  )
  if (rows.length === 0) return [{ from: Number.NEGATIVE_INFINITY, to: until, rows: 0 }]
  return rows.map((row, index) => ({
    from: index === rows.length - 1 ? Number.NEGATIVE_INFINITY : Number(row.cut),
    to: index === 0 ? until : Number(rows[index - 1]?.cut),
    rows: Number(row.rows),
  }))
}
