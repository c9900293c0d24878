import type { LayoutDefinition, RollupDefinition } from '../dataset/definition'
import { quoteIdentifier } from '../dataset/sql'
import type { Stretch } from '../time/stretch'
import { epochOf } from './instants'
import { writeInstant } from './parameters'
import type { RollupTable } from './rollup-table'
import { BUCKETS_ORIGIN, isBucketWithin, isTimeWithin } from './source-sql'

/** Where the rows of a rollup come from: the source, or a finer rollup of the same layout. */
export type Origin = { readonly kind: 'source' } | { readonly kind: 'rollup'; readonly table: RollupTable }

const STEPS = { minute: '1 minute', quarter_hour: '15 minutes', hour: '1 hour' } as const

/**
 * SQL of the bucket that an instant falls in. Buckets of a day or longer outside UTC are looked up among boundaries that
 * Node computed, so that one set of time-zone rules decides; within UTC arithmetic will do.
 */
function bucketSql(rollup: RollupDefinition, instant: string, boundaries: readonly number[]): string {
  const { granularity } = rollup
  if (granularity === 'minute' || granularity === 'quarter_hour' || granularity === 'hour') {
    return `date_bin('${STEPS[granularity]}', ${instant}, ${BUCKETS_ORIGIN})`
  }
  if (rollup.timezone === 'UTC') return `date_trunc('${granularity}', ${instant}, 'UTC')`
  // Literals: they are made of dates alone, and the planner sees them.
  const list = `'{${boundaries.map(writeInstant).join(',')}}'::timestamptz[]`
  return `(${list})[width_bucket(${instant}, ${list})]`
}

/** The SELECT of the days of UTC, by their starts in epoch milliseconds as `day`, on which an origin has rows within stretches. */
export function selectDays(
  definition: LayoutDefinition,
  origin: Origin,
  stretches: readonly Stretch[],
  schema: string,
): string {
  const day = (instant: string) => `SELECT DISTINCT ${epochOf(`date_trunc('day', ${instant}, 'UTC')`)} AS day`
  if (origin.kind === 'rollup') {
    return `${day('bucket')} FROM ${schema}.${quoteIdentifier(origin.table.name)} WHERE ${isBucketWithin('bucket', stretches)}`
  }
  return `${day(definition.timeSql)} FROM ${definition.sourceSql} AS source WHERE ${isTimeWithin(definition, stretches)}`
}

/**
 * The SELECT of the rows that a rollup should have in the given stretches, which lie on its bucket boundaries. `boundaries`
 * bound every bucket there; only rollups of a day or longer outside UTC look at them.
 */
export function selectBuckets(
  definition: LayoutDefinition,
  { rollup, dimensions, states }: RollupTable,
  origin: Origin,
  stretches: readonly Stretch[],
  boundaries: readonly number[],
  schema: string,
): string {
  const positions = [1, ...dimensions.map((_, index) => index + 2)].join(', ')
  const named = (sql: string, column: string) => `${sql} AS ${quoteIdentifier(column)}`
  if (origin.kind === 'rollup') {
    const columns = [
      `${bucketSql(rollup, 'f.bucket', boundaries)} AS bucket`,
      ...dimensions.map(({ column }) => `f.${quoteIdentifier(column)}`),
      ...states.map(({ column, sqlType, merge }) =>
        named(`(${merge(`f.${quoteIdentifier(column)}`)})::${sqlType}`, column),
      ),
    ]
    return `SELECT ${columns.join(', ')} FROM ${schema}.${quoteIdentifier(origin.table.name)} f
WHERE ${isBucketWithin('f.bucket', stretches)} GROUP BY ${positions}`
  }
  const columns = [
    `${bucketSql(rollup, definition.timeSql, boundaries)} AS bucket`,
    ...dimensions.map(({ column, sql }) => named(sql, column)),
    ...states.map(({ column, sqlType, build }) => named(`(${build})::${sqlType}`, column)),
  ]
  return `SELECT ${columns.join(', ')} FROM ${definition.sourceSql} AS source
WHERE ${isTimeWithin(definition, stretches)} GROUP BY ${positions}`
}
