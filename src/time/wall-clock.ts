import { type CalendarDay, DAY_MS, formatDay, twoDigits } from './calendar-day'
import { type Instant, SECOND_MS } from './instant'
import { instantOfReading, offsetAt } from './offset'

/** What the clocks of a zone show, as the epoch milliseconds at which UTC's clocks show the same. */
export type WallClock = number

/** What the zone's clocks show at the instant. */
export function wallClockAt(instant: Instant, zone: string): WallClock {
  return instant + offsetAt(instant, zone) * SECOND_MS
}

/** The first instant at which the zone's clocks have reached the reading: its first time if repeated, the gap's end if skipped. */
export function instantOfWallClock(wallClock: WallClock, zone: string): Instant {
  return instantOfReading(wallClock, zone)
}

/** The instant at which the clocks of `toZone` first have reached what the clocks of `fromZone` show at `instant`. */
export function relabel(instant: Instant, fromZone: string, toZone: string): Instant {
  return instantOfWallClock(wallClockAt(instant, fromZone), toZone)
}

/** The date on the zone's calendars at the instant. */
export function dayAt(instant: Instant, zone: string): CalendarDay {
  return Math.floor(wallClockAt(instant, zone) / DAY_MS)
}

/** The first instant of a date: midnight, or where the clocks skip midnight (or the whole date) the end of the gap. */
export function startOfDay(day: CalendarDay, zone: string): Instant {
  return instantOfWallClock(day * DAY_MS, zone)
}

/** Whether a date of the zone begins at the instant, at midnight or not. */
export function isStartOfDay(instant: Instant, zone: string): boolean {
  return startOfDay(dayAt(instant, zone), zone) === instant
}

/** The date on the zone's calendars at the instant, `YYYY-MM-DD`. */
export function localDate(instant: Instant, zone: string): string {
  return formatDay(dayAt(instant, zone))
}

/**
 * RFC 3339 with the zone's offset: `2001-03-25T03:00:00+02:00`, and `Z` for UTC itself. Milliseconds are written when there
 * are any. RFC 3339 has no seconds in offsets, so an old offset that has them is written to the minute below, with the time to
 * match: the text always denotes this very instant.
 */
export function formatInstant(instant: Instant, zone: string): string {
  const offsetMinutes = Math.floor(offsetAt(instant, zone) / 60)
  const wallClock = instant + offsetMinutes * 60 * SECOND_MS
  const day = Math.floor(wallClock / DAY_MS)
  const time = formatTime(wallClock - day * DAY_MS)
  return `${formatDay(day)}T${time}${zone === 'UTC' ? 'Z' : formatOffset(offsetMinutes)}`
}

function formatTime(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / SECOND_MS)
  const minutes = Math.floor(seconds / 60)
  const text = `${twoDigits(Math.floor(minutes / 60))}:${twoDigits(minutes % 60)}:${twoDigits(seconds % 60)}`
  const rest = milliseconds - seconds * SECOND_MS
  return rest === 0 ? text : `${text}.${String(rest).padStart(3, '0')}`
}

/** A memo; offsets are whole minutes of less than a day either way. */
const offsetTexts = new Map<number, string>()

function formatOffset(minutes: number): string {
  const known = offsetTexts.get(minutes)
  if (known !== undefined) return known
  const size = Math.abs(minutes)
  const text = `${minutes < 0 ? '-' : '+'}${twoDigits(Math.floor(size / 60))}:${twoDigits(size % 60)}`
  offsetTexts.set(minutes, text)
  return text
}
