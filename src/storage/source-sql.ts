import type { LayoutDefinition } from '../dataset/definition'
import { quoteLiteral } from '../dataset/sql'
import type { Stretch } from '../time/stretch'
import { writeInstant } from './parameters'

const DAY_MS = 86_400_000

/**
 * Where buckets shorter than a day are counted from: before every usable time, since PostgreSQL before 15.7 and 16.3 put an
 * instant on a bound before the origin into the bucket before its own. A Monday.
 */
export const BUCKETS_ORIGIN = `'0001-01-01 00:00Z'::timestamptz`

/** SQL of a column of the dataset's time type as an instant; the very expression of which `timeSql` is made. */
export function timeOf({ timeType, timezone }: LayoutDefinition, column: string): string {
  if (timeType === 'timestamptz') return column
  if (timeType === 'date') return `(${column}::timestamp at time zone 'UTC')`
  return `(${column} at time zone ${quoteLiteral(timezone)})`
}

/** SQL of an interval: the length of the buckets in which changes of the source are marked. */
export function bucketStep({ granularity, timeType }: LayoutDefinition): string {
  if (timeType === 'date') return `interval '1 day'`
  const steps = { minute: '1 minute', quarter_hour: '15 minutes', hour: '1 hour', day: '1 hour' } as const
  return `interval '${steps[granularity]}'`
}

/** True for instants that have a bucket. Null, infinite and absurd ones (outside the years 1 to 9998) have none. */
export function isUsableTime(instant: string): string {
  return `(${instant} >= '0001-01-02 00:00Z'::timestamptz AND ${instant} < '9999-01-01 00:00Z'::timestamptz)`
}

/** True where a local time or a date is near enough to be an instant; Postgres refuses to make one of the others. */
function guard({ timeColumn, timeType }: LayoutDefinition, condition: string): string {
  if (timeType === 'timestamptz') return condition
  const isNear = `${timeColumn} >= '0001-01-01'::${timeType} AND ${timeColumn} < '9999-01-03'::${timeType}`
  return `CASE WHEN ${isNear} THEN ${condition} ELSE false END`
}

/** True for source rows that have a bucket. */
export function hasTime(definition: LayoutDefinition): string {
  return guard(definition, isUsableTime(definition.timeSql))
}

/** A bound as a literal of the time column's own type, moved by days so that no local time of the instant is beyond it. */
function localBound(definition: LayoutDefinition, instant: number, days: number): string {
  const text = writeInstant(instant + days * DAY_MS).replace(/Z( BC)?$/, '$1')
  return `${quoteLiteral(text)}::timestamp${definition.timeType === 'date' ? '::date' : ''}`
}

function isWithin(definition: LayoutDefinition, { from, to }: Stretch): string {
  const { timeSql, timeColumn, timeType } = definition
  const instants: string[] = []
  if (Number.isFinite(from)) instants.push(`${timeSql} >= '${writeInstant(from)}'::timestamptz`)
  if (Number.isFinite(to)) instants.push(`${timeSql} < '${writeInstant(to)}'::timestamptz`)
  const terms = instants.length === 0 ? [] : [guard(definition, instants.join(' AND '))]
  // An index is on the column, not on the instant it stands for. Clocks that change would lose rows to a bound without slack.
  if (timeType !== 'timestamptz') {
    if (Number.isFinite(from)) terms.push(`${timeColumn} >= ${localBound(definition, from, -1)}`)
    if (Number.isFinite(to)) terms.push(`${timeColumn} <= ${localBound(definition, to, 1)}`)
  }
  return terms.length === 0 ? 'true' : `(${terms.join(' AND ')})`
}

/** True for source rows with a bucket and a time within the stretches; literals alone, so that the planner sees them. */
export function isTimeWithin(definition: LayoutDefinition, stretches: readonly Stretch[]): string {
  if (stretches.length === 0) return 'false'
  return `${hasTime(definition)} AND (${stretches.map((stretch) => isWithin(definition, stretch)).join(' OR ')})`
}

/** True for rows of a rollup whose bucket starts within the stretches. */
export function isBucketWithin(column: string, stretches: readonly Stretch[]): string {
  if (stretches.length === 0) return 'false'
  const terms = stretches.map(({ from, to }) => {
    const bounds = [
      Number.isFinite(from) ? `${column} >= '${writeInstant(from)}'::timestamptz` : null,
      Number.isFinite(to) ? `${column} < '${writeInstant(to)}'::timestamptz` : null,
    ].filter((bound) => bound !== null)
    return bounds.length === 0 ? 'true' : `(${bounds.join(' AND ')})`
  })
  return `(${terms.join(' OR ')})`
}
