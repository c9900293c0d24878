import { addUnits, type CalendarDay, DAY_MS, firstDayOf, firstDayOfUnit, unitIndex } from './calendar-day'
import type { CalendarGranularity } from './granularity'
import { type Instant, SECOND_MS } from './instant'
import { offsetTransitions } from './offset'
import { dayAt, startOfDay } from './wall-clock'

/**
 * Buckets of a day or longer. One begins at the first instant of its first date and ends where the next begins, so a day of 23
 * or 25 hours is one bucket, and a date that never was (the clocks went past it whole) is none.
 */

/** The first date of the bucket that holds the instant. */
export function calendarBucketDay(instant: Instant, unit: CalendarGranularity, zone: string): CalendarDay {
  let day = firstDayOf(dayAt(instant, zone), unit)
  // Clocks set back across midnight show yesterday's date once more, after today's bucket has begun.
  for (let next = addUnits(day, unit, 1); startOfDay(next, zone) <= instant; next = addUnits(next, unit, 1)) day = next
  return day
}

/** The start of every bucket that overlaps [from, to), and the end of the last. Expects from < to. */
export function calendarBoundaries(from: Instant, to: Instant, unit: CalendarGranularity, zone: string): Instant[] {
  let index = unitIndex(calendarBucketDay(from, unit, zone), unit)
  let last = startOfDay(firstDayOfUnit(index, unit), zone)
  const boundaries = [last]
  while (last < to) {
    index++
    const start = startOfDay(firstDayOfUnit(index, unit), zone)
    if (start === last) continue
    boundaries.push(start)
    last = start
  }
  return boundaries
}

/** How many buckets overlap [from, to). Expects from < to. */
export function countCalendarBuckets(from: Instant, to: Instant, unit: CalendarGranularity, zone: string): number {
  const first = unitIndex(calendarBucketDay(from, unit, zone), unit)
  const last = unitIndex(calendarBucketDay(to - 1, unit, zone), unit)
  return last - first + 1 - countSkipped(from, to, unit, zone)
}

/** How many buckets the clocks went past whole in [from, to). Only a change of offset by a day or more can do that. */
function countSkipped(from: Instant, to: Instant, unit: CalendarGranularity, zone: string): number {
  let skipped = 0
  let before: number | undefined
  for (const { at, offsetSeconds } of offsetTransitions(zone, from, to)) {
    const shown = at + offsetSeconds * SECOND_MS
    if (before !== undefined && (offsetSeconds - before) * SECOND_MS >= DAY_MS) {
      const shownBefore = Math.floor((at - 1 + before * SECOND_MS) / DAY_MS)
      let day = addUnits(firstDayOf(shownBefore, unit), unit, 1)
      for (let next = day; next * DAY_MS <= shown; day = next) {
        next = addUnits(day, unit, 1)
        if (startOfDay(next, zone) === startOfDay(day, zone)) skipped++
      }
    }
    before = offsetSeconds
  }
  return skipped
}
