import { DAY_MS, parseDay } from './calendar-day'
import { type Instant, MAX_INSTANT, MIN_INSTANT, SECOND_MS } from './instant'
import { startOfDay } from './wall-clock'

/** A bound as people write it: a date, which begins at another instant in each zone, or an instant. */
export type DateOrDateTime =
  | { readonly kind: 'date'; readonly date: string }
  | { readonly kind: 'instant'; readonly instant: Instant }

const DATE_TIME = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/
/** Longer texts are refused unread. */
const LONGEST = 64

/**
 * Reads a calendar date (`2001-03-25`) or an RFC 3339 date-time with `Z` or an offset, of the years 0001 to 9999. Null for
 * anything else: dates that do not exist, times without an offset, the second 60, and fractions finer than a millisecond
 * (unless they are zeros), since an instant could not keep them.
 */
export function parseDateOrDateTime(text: string): DateOrDateTime | null {
  if (text.length > LONGEST) return null
  if (parseDay(text) !== null) return { kind: 'date', date: text }
  const match = DATE_TIME.exec(text)
  if (match === null) return null
  const [, date = '', hour, minute, second, fraction = '', sign, offsetHour = 0, offsetMinute = 0] = match
  const day = parseDay(date)
  if (day === null || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null
  if (Number(offsetHour) > 23 || Number(offsetMinute) > 59 || /[1-9]/.test(fraction.slice(3))) return null
  const seconds = Number(hour) * 3_600 + Number(minute) * 60 + Number(second)
  const offsetSeconds = (Number(offsetHour) * 3_600 + Number(offsetMinute) * 60) * (sign === '-' ? -1 : 1)
  const milliseconds = Number(fraction.slice(0, 3).padEnd(3, '0'))
  const instant = day * DAY_MS + (seconds - offsetSeconds) * SECOND_MS + milliseconds
  return instant < MIN_INSTANT || instant > MAX_INSTANT ? null : { kind: 'instant', instant }
}

/** The first instant of a date (`YYYY-MM-DD`) in the zone: midnight, or the end of the gap where clocks skip it. */
export function startOfDate(date: string, zone: string): Instant {
  const day = parseDay(date)
  if (day === null) throw new RangeError(`"${date}" is no calendar date.`)
  return startOfDay(day, zone)
}
