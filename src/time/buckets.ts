import { calendarBoundaries, calendarBucketDay, countCalendarBuckets } from './calendar-buckets'
import { clockBoundaries, clockBucketEnd, clockBucketStart, countClockBuckets } from './clock-buckets'
import { type Granularity, isCalendar } from './granularity'
import type { Instant } from './instant'
import { startOfDay } from './wall-clock'

/** The start of the bucket that holds the instant. */
export function bucketStart(instant: Instant, granularity: Granularity, zone: string): Instant {
  if (!isCalendar(granularity)) return clockBucketStart(instant, granularity, zone)
  return startOfDay(calendarBucketDay(instant, granularity, zone), zone)
}

/** The end of the bucket that holds the instant, which is the start of the next. Always later than the instant. */
export function bucketEnd(instant: Instant, granularity: Granularity, zone: string): Instant {
  if (!isCalendar(granularity)) return clockBucketEnd(instant, granularity, zone)
  return calendarBoundaries(instant, instant + 1, granularity, zone).at(-1) ?? instant + 1
}

/** The start of every bucket that overlaps [from, to), and the end of the last: one more than there are buckets, or none. */
export function bucketBoundaries(from: Instant, to: Instant, granularity: Granularity, zone: string): Instant[] {
  if (from >= to) return []
  return isCalendar(granularity)
    ? calendarBoundaries(from, to, granularity, zone)
    : clockBoundaries(from, to, granularity, zone)
}

/**
 * How many buckets overlap [from, to), without making them: what it costs grows with the changes of offset in the range, not
 * with the buckets.
 */
export function countBuckets(from: Instant, to: Instant, granularity: Granularity, zone: string): number {
  if (from >= to) return 0
  return isCalendar(granularity)
    ? countCalendarBuckets(from, to, granularity, zone)
    : countClockBuckets(from, to, granularity, zone)
}
