import { bucketEnd } from './buckets'
import { calendarBucketDay } from './calendar-buckets'
import { addUnits } from './calendar-day'
import { clockBucketStart, stepClockBack } from './clock-buckets'
import { type DateOrDateTime, startOfDate } from './date-or-time'
import { type CalendarGranularity, type Granularity, isCalendar } from './granularity'
import { type Instant, MAX_INSTANT, MIN_INSTANT } from './instant'
import { startOfDay } from './wall-clock'

export const PERIODS = [
  'today',
  'yesterday',
  'this_week',
  'last_week',
  'this_month',
  'last_month',
  'this_quarter',
  'last_quarter',
  'this_year',
  'last_year',
] as const
export type Period = (typeof PERIODS)[number]

/** A range as it is asked for. Arguments are checked by the caller: `count` is a whole number of at least 1. */
export type RangeInput =
  | { readonly kind: 'between'; readonly from: DateOrDateTime; readonly to: DateOrDateTime }
  | { readonly kind: 'last'; readonly count: number; readonly unit: Granularity }
  | { readonly kind: 'period'; readonly period: Period }

/** Half-open: `from` belongs to it, `to` does not. */
export interface ResolvedRange {
  readonly from: Instant
  readonly to: Instant
}

interface PeriodMeaning {
  readonly unit: CalendarGranularity
  /** 0: the unit that holds now; 1: the one before. */
  readonly ago: 0 | 1
}

const MEANINGS: Readonly<Record<Period, PeriodMeaning>> = {
  today: { unit: 'day', ago: 0 },
  yesterday: { unit: 'day', ago: 1 },
  this_week: { unit: 'week', ago: 0 },
  last_week: { unit: 'week', ago: 1 },
  this_month: { unit: 'month', ago: 0 },
  last_month: { unit: 'month', ago: 1 },
  this_quarter: { unit: 'quarter', ago: 0 },
  last_quarter: { unit: 'quarter', ago: 1 },
  this_year: { unit: 'year', ago: 0 },
  last_year: { unit: 'year', ago: 1 },
}

/** The unit that a period is one of. */
export function unitOf(period: Period): CalendarGranularity {
  return MEANINGS[period].unit
}

/**
 * The instants that a range means in the zone at `now`. `last` counts calendar units, the last of which holds now; dates are
 * counted as the calendar has them, also one that the zone skipped. Bounds stop at the years 0001 and 9999 of UTC.
 */
export function resolveRange(range: RangeInput, zone: string, now: Instant): ResolvedRange {
  switch (range.kind) {
    case 'between':
      return within(startOf(range.from, zone), startOf(range.to, zone))
    case 'last':
      return resolveLast(range.count, range.unit, zone, now)
    case 'period': {
      const { unit, ago } = MEANINGS[range.period]
      const first = addUnits(calendarBucketDay(now, unit, zone), unit, -ago)
      return within(startOfDay(first, zone), startOfDay(addUnits(first, unit, 1), zone))
    }
  }
}

/** The moment at which a relative range moves on to its next bucket, always later than now; null for one that stands still. */
export function nextChange(range: RangeInput, zone: string, now: Instant): Instant | null {
  if (range.kind === 'between') return null
  return bucketEnd(now, range.kind === 'last' ? range.unit : unitOf(range.period), zone)
}

function resolveLast(count: number, unit: Granularity, zone: string, now: Instant): ResolvedRange {
  const to = bucketEnd(now, unit, zone)
  if (!isCalendar(unit)) return within(stepClockBack(clockBucketStart(now, unit, zone), unit, zone, count - 1), to)
  return within(startOfDay(addUnits(calendarBucketDay(now, unit, zone), unit, 1 - count), zone), to)
}

function startOf(bound: DateOrDateTime, zone: string): Instant {
  return bound.kind === 'date' ? startOfDate(bound.date, zone) : bound.instant
}

/** The part of [from, to) that the years 0001 to 9999 of UTC hold. */
export function within(from: Instant, to: Instant): ResolvedRange {
  return { from: clamp(from), to: clamp(to) }
}

function clamp(instant: Instant): Instant {
  return Math.max(MIN_INSTANT, Math.min(instant, MAX_INSTANT + 1))
}
