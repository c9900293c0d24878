import { Temporal } from 'temporal-polyfill'

/** The calendar as Temporal has it: what the answers' times are checked against. Instants are epoch milliseconds. */
export const UNITS = ['MINUTE', 'QUARTER_HOUR', 'HOUR', 'DAY', 'WEEK', 'MONTH', 'QUARTER', 'YEAR'] as const
export type Unit = (typeof UNITS)[number]

const MINUTES: Partial<Record<Unit, number>> = { MINUTE: 1, QUARTER_HOUR: 15, HOUR: 60 }
const DAYS: Partial<Record<Unit, number>> = { DAY: 1, WEEK: 7, MONTH: 28, QUARTER: 90, YEAR: 365 }

/** The shortest that a bucket of a day or longer can be, roughly, or the length of a shorter one. */
export function shortestMs(unit: Unit): number {
  return (MINUTES[unit] ?? (DAYS[unit] ?? 1) * 1440) * 60_000
}

/** Whether the unit is shorter than a day: a stretch of elapsed time. */
export function isClockUnit(unit: Unit): boolean {
  return MINUTES[unit] !== undefined
}

/** Whether buckets of `coarse` are unions of buckets of `fine`. */
export function isUnionOf(coarse: Unit, fine: Unit): boolean {
  return coarse === fine || (fine !== 'WEEK' && UNITS.indexOf(coarse) > UNITS.indexOf(fine))
}

export function zoned(instant: number, zone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(zone)
}

export function startOfDate(date: Temporal.PlainDate | string, zone: string): number {
  return Temporal.PlainDate.from(date).toZonedDateTime(zone).epochMilliseconds
}

export function firstDate(date: Temporal.PlainDate, unit: Unit): Temporal.PlainDate {
  switch (unit) {
    case 'WEEK':
      return date.subtract({ days: date.dayOfWeek - 1 })
    case 'MONTH':
      return date.with({ day: 1 })
    case 'QUARTER':
      return date.with({ month: Math.floor((date.month - 1) / 3) * 3 + 1, day: 1 })
    case 'YEAR':
      return date.with({ month: 1, day: 1 })
    default:
      return date
  }
}

/** So many units of a day or longer, for Temporal's own arithmetic. */
export function spanOf(unit: Unit, count: number): Temporal.Duration {
  switch (unit) {
    case 'WEEK':
      return Temporal.Duration.from({ weeks: count })
    case 'MONTH':
      return Temporal.Duration.from({ months: count })
    case 'QUARTER':
      return Temporal.Duration.from({ months: 3 * count })
    case 'YEAR':
      return Temporal.Duration.from({ years: count })
    default:
      return Temporal.Duration.from({ days: count })
  }
}

export interface Bucket {
  readonly start: number
  readonly end: number
  /** Local date of a bucket of a day or longer. */
  readonly date: string | null
}

/** The bucket that holds the instant. */
export function bucketAt(instant: number, unit: Unit, zone: string): Bucket {
  const minutes = MINUTES[unit]
  if (minutes === undefined) {
    const date = firstDate(zoned(instant, zone).toPlainDate(), unit)
    return {
      start: startOfDate(date, zone),
      end: startOfDate(date.add(spanOf(unit, 1)), zone),
      date: date.toString(),
    }
  }
  const rounding = { roundingMode: 'floor' } as const
  const start =
    minutes === 60
      ? zoned(instant, zone).round({ smallestUnit: 'hour', ...rounding })
      : zoned(instant, zone).round({ smallestUnit: 'minute', roundingIncrement: minutes, ...rounding })
  return { start: start.epochMilliseconds, end: start.add({ minutes }).epochMilliseconds, date: null }
}

/** Every bucket that overlaps [from, to), in order. */
export function bucketsBetween(from: number, to: number, unit: Unit, zone: string): Bucket[] {
  const buckets: Bucket[] = []
  for (let at = from; at < to; ) {
    const bucket = bucketAt(at, unit, zone)
    buckets.push(bucket)
    at = bucket.end
  }
  return buckets
}

/** RFC 3339 with the offset of the zone; `Z` in UTC. */
export function writeInstant(instant: number, zone: string): string {
  const text = zoned(instant, zone).toString({ timeZoneName: 'never' })
  return zone === 'UTC' ? text.replace('+00:00', 'Z') : text
}
