import { bucketEnd } from './buckets'
import { addUnits, DAY_MS, firstDayOf, hasDayAfter } from './calendar-day'
import { type ClockGranularity, stepClockBack } from './clock-buckets'
import { type CalendarGranularity, type Granularity, isCalendar } from './granularity'
import type { Instant } from './instant'
import { type RangeInput, type ResolvedRange, unitOf, within } from './range'
import { dayAt, instantOfWallClock, isStartOfDay, type WallClock, wallClockAt } from './wall-clock'

export const COMPARISONS = ['previous_period', 'previous_week', 'previous_month', 'previous_year'] as const
export type Comparison = (typeof COMPARISONS)[number]

/** How far back the earlier range lies. */
type Shift =
  | { readonly kind: 'calendar'; readonly unit: CalendarGranularity; readonly count: number }
  | { readonly kind: 'clock'; readonly unit: ClockGranularity; readonly count: number }
  | { readonly kind: 'elapsed'; readonly milliseconds: number }

/**
 * The earlier range that `resolved` is compared with. `range` is what it was resolved from; null: all data.
 *
 * PREVIOUS_PERIOD goes back by the units of a `period` or `last`, by the local days of a range from midnight to midnight, by
 * elapsed time for any other. The rest go back by a week, month or year of the calendar, to the same local time; a day that
 * the earlier month lacks is its last.
 *
 * A range that reaches past now is cut at the end of the bucket of size `cutGrain` in `cutZone` that holds now, and compared with the same
 * part of the earlier one: up to the same local date and time, but never past the earlier range's own end. Where the earlier
 * month is too short to have that date, all of the month is the same part.
 */
export function shiftRange(
  resolved: ResolvedRange,
  range: RangeInput | null,
  comparison: Comparison,
  zone: string,
  now: Instant,
  cutGrain: Granularity,
  cutZone = zone,
): ResolvedRange {
  const shift = shiftOf(resolved, range, comparison, zone)
  const from = shiftBound(resolved.from, shift, zone)
  const wholeEnd = shiftBound(resolved.to, shift, zone)
  const cut = bucketEnd(now, cutGrain, cutZone)
  const to = Math.min(wholeEnd, shiftedCut(resolved, from, shift, zone, now, cut) ?? wholeEnd)
  return within(from, Math.max(from, to))
}

function shiftOf(resolved: ResolvedRange, range: RangeInput | null, comparison: Comparison, zone: string): Shift {
  if (comparison === 'previous_week') return { kind: 'calendar', unit: 'week', count: 1 }
  if (comparison === 'previous_month') return { kind: 'calendar', unit: 'month', count: 1 }
  if (comparison === 'previous_year') return { kind: 'calendar', unit: 'year', count: 1 }
  if (range?.kind === 'period') return { kind: 'calendar', unit: unitOf(range.period), count: 1 }
  if (range?.kind === 'last') {
    const { unit, count } = range
    return isCalendar(unit) ? { kind: 'calendar', unit, count } : { kind: 'clock', unit, count }
  }
  if (range !== null && isStartOfDay(resolved.from, zone) && isStartOfDay(resolved.to, zone)) {
    return { kind: 'calendar', unit: 'day', count: dayAt(resolved.to, zone) - dayAt(resolved.from, zone) }
  }
  return { kind: 'elapsed', milliseconds: resolved.to - resolved.from }
}

function shiftBound(bound: Instant, shift: Shift, zone: string): Instant {
  switch (shift.kind) {
    case 'elapsed':
      return bound - shift.milliseconds
    case 'clock':
      return stepClockBack(bound, shift.unit, zone, shift.count)
    case 'calendar': {
      const { day, time } = readClock(bound, zone)
      return instantOfWallClock(addUnits(day, shift.unit, -shift.count) * DAY_MS + time, zone)
    }
  }
}

/** Where the earlier range is cut because `resolved` reaches past now; null when it does not. */
function shiftedCut(
  resolved: ResolvedRange,
  from: Instant,
  shift: Shift,
  zone: string,
  now: Instant,
  cut: Instant,
): Instant | null {
  if (resolved.to <= now || resolved.from > now) return null
  if (cut >= resolved.to) return null
  if (shift.kind !== 'calendar') return from + (cut - resolved.from)
  const { day, time } = readClock(cut, zone)
  const earlier = addUnits(day, shift.unit, -shift.count)
  if (hasDayAfter(day, shift.unit, -shift.count)) return instantOfWallClock(earlier * DAY_MS + time, zone)
  return instantOfWallClock(addUnits(firstDayOf(earlier, 'month'), 'month', 1) * DAY_MS, zone)
}

/** Date and time of day; the first instant of a date counts as midnight, also where the clocks skip midnight. */
function readClock(instant: Instant, zone: string): { readonly day: number; readonly time: WallClock } {
  const wallClock = wallClockAt(instant, zone)
  const day = Math.floor(wallClock / DAY_MS)
  return { day, time: isStartOfDay(instant, zone) ? 0 : wallClock - day * DAY_MS }
}
