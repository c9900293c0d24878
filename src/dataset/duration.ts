import { Temporal } from 'temporal-polyfill'

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }
const WEEK_IN_SECONDS = 7 * 86_400

/** Returns the milliseconds of an interval such as `10s`, `5m` or `1h`, from 1 second to 7 days; null for anything else. */
export function parseInterval(text: string): number | null {
  const match = /^([0-9]{1,6})([smhd])$/.exec(text)
  if (match === null) return null
  const seconds = Number(match[1]) * (SECONDS[match[2] ?? ''] ?? 0)
  return seconds >= 1 && seconds <= WEEK_IN_SECONDS ? seconds * 1000 : null
}

/** The instant, in epoch milliseconds, that lies an ISO 8601 duration before another, by the calendar of UTC. */
export function subtractDuration(instant: number, duration: string): number {
  const moment = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO('UTC')
  return moment.subtract(Temporal.Duration.from(duration)).epochMilliseconds
}

/** Whether the text is an ISO 8601 duration longer than nothing: `P90D`, `PT12H`. */
export function isIsoDuration(text: string): boolean {
  if (!text.startsWith('P')) return false
  try {
    return Temporal.Duration.from(text).sign === 1
  } catch {
    return false
  }
}
