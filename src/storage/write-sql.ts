import { quoteIdentifier } from '../dataset/sql'
import type { Stretch } from '../time/stretch'
import { keptAs, sameKey } from './dimension-sql'
import { epochOf, readNumber } from './instants'
import type { Row } from './query'
import { columnsOf, type RollupTable } from './rollup-table'
import { isBucketWithin } from './source-sql'

/** Where a row lies; no column of a declaration has a space. */
const PLACE = '"row place"'
/** The bucket of a row that differs, which is known of those to be deleted, too. */
const CHANGED = '"changed bucket"'
/** More buckets than this are not listed one by one. */
const MOST_LISTED = 64

/** The statement that adds the selected rows to a table that has none of their buckets. */
export function insertBuckets(table: RollupTable, select: string, schema: string): string {
  return `INSERT INTO ${schema}.${quoteIdentifier(table.name)} (${columnsOf(table).join(', ')})\n${select}`
}

/** What a write changed. */
export interface Written {
  readonly inserted: number
  readonly updated: number
  readonly deleted: number
  /** The starts of the buckets that it changed, in epoch milliseconds, in order; of more than 64 the first and the last. */
  readonly buckets: readonly number[]
  /** Whether those are all of them. */
  readonly isEach: boolean
}

/** Reads the row with which `replaceBuckets` answers. */
export function readWritten(row: Row | undefined): Written {
  const count = (key: string) => Number(row?.[key] ?? 0)
  const listed: readonly unknown[] = Array.isArray(row?.buckets) ? row.buckets : []
  return {
    inserted: count('inserted'),
    updated: count('updated'),
    deleted: count('deleted'),
    buckets: listed.map((bucket) => readNumber(bucket) ?? 0),
    isEach: row?.is_each === true,
  }
}

/**
 * The statement that makes a table equal to the selected rows within the given stretches and writes only what differs. It
 * answers with one row, which `readWritten` reads.
 *
 * A full join on whole keys can only be a hash or a merge join, whatever the planner believes of the newest buckets.
 */
export function replaceBuckets(
  table: RollupTable,
  select: string,
  stretches: readonly Stretch[],
  schema: string,
): string {
  const target = `${schema}.${quoteIdentifier(table.name)}`
  const columns = columnsOf(table)
  const states = table.states.map(({ column }) => quoteIdentifier(column))
  const same = ['t.bucket = n.bucket']
  if (table.dimensions.length > 0) {
    same.push(
      sameKey(
        table.dimensions.map(({ column, type }) => ({
          expression: `t.${quoteIdentifier(column)}`,
          sqlType: keptAs(type),
        })),
        table.dimensions.map(({ column }) => `n.${quoteIdentifier(column)}`),
      ),
    )
  }
  const of = (alias: string, names: readonly string[]) => names.map((name) => `${alias}.${name}`).join(', ')
  return `WITH n AS MATERIALIZED (
${select}
), d AS MATERIALIZED (
  SELECT t.${PLACE}, coalesce(n.bucket, t.bucket) AS ${CHANGED}, ${of('n', columns)} FROM (
    SELECT ctid AS ${PLACE}, ${columns.join(', ')} FROM ${target} WHERE ${isBucketWithin('bucket', stretches)}
  ) t FULL JOIN n ON ${same.join(' AND ')}
  WHERE t.${PLACE} IS NULL OR n.bucket IS NULL OR (${of('t', states)}) IS DISTINCT FROM (${of('n', states)})
), deleted AS (
  DELETE FROM ${target} WHERE ctid = ANY (ARRAY(SELECT ${PLACE} FROM d WHERE bucket IS NULL)) RETURNING 1
), updated AS (
  UPDATE ${target} t SET ${states.map((state) => `${state} = d.${state}`).join(', ')} FROM d
  WHERE t.ctid = d.${PLACE} AND d.bucket IS NOT NULL AND ${isBucketWithin('t.bucket', stretches)} RETURNING 1
), inserted AS (
  INSERT INTO ${target} (${columns.join(', ')}) SELECT ${of('d', columns)} FROM d WHERE ${PLACE} IS NULL RETURNING 1
)
SELECT (SELECT count(*) FROM deleted)::text AS deleted, (SELECT count(*) FROM updated)::text AS updated,
  (SELECT count(*) FROM inserted)::text AS inserted, count(*) <= ${MOST_LISTED} AS is_each,
  CASE WHEN count(*) <= ${MOST_LISTED} THEN json_agg(at ORDER BY at) ELSE json_build_array(min(at), max(at)) END AS buckets
FROM (SELECT DISTINCT ${epochOf(CHANGED)} AS at FROM d) AS changed`
}
