import { DAY_MS, dayFromDate } from './calendar-day'

/** A moment: whole milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number

export const SECOND_MS = 1_000

/** The moments that RFC 3339 can write in UTC: years 0001 to 9999. */
export const MIN_INSTANT: Instant = dayFromDate(1, 1, 1) * DAY_MS
export const MAX_INSTANT: Instant = dayFromDate(10_000, 1, 1) * DAY_MS - 1
