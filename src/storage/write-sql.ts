import { quoteIdentifier } from '../dataset/sql'
import type { Stretch } from '../time/stretch'
import { keptAs, sameKey } from './dimension-sql'
import { columnsOf, type RollupTable } from './rollup-table'
import { isBucketWithin } from './source-sql'

/** Where a row lies; no column of a declaration has a space. */
const PLACE = '"row place"'

/** The statement that adds the selected rows to a table that has none of their buckets. */
export function insertBuckets(table: RollupTable, select: string, schema: string): string {
  return `INSERT INTO ${schema}.${quoteIdentifier(table.name)} (${columnsOf(table).join(', ')})\n${select}`
}

/**
 * The statement that makes a table equal to the selected rows within the given stretches and writes only what differs. It
 * answers with one row: how many rows were `deleted`, `updated` and `inserted`.
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
  SELECT t.${PLACE}, ${of('n', columns)} FROM (
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
  (SELECT count(*) FROM inserted)::text AS inserted`
}
