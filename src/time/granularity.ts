/** Every size of bucket, finest first. A week is ISO 8601: it starts on Monday. */
export const GRANULARITIES = ['minute', 'quarter_hour', 'hour', 'day', 'week', 'month', 'quarter', 'year'] as const
export type Granularity = (typeof GRANULARITIES)[number]

/** The sizes that a dataset may keep as its finest bucket. */
export const BASE_GRANULARITIES = ['minute', 'quarter_hour', 'hour', 'day'] as const
export type BaseGranularity = (typeof BASE_GRANULARITIES)[number]

export type CalendarGranularity = 'day' | 'week' | 'month' | 'quarter' | 'year'

/** Whether buckets of this size follow the calendar of a time zone (a day or longer). */
export function isCalendar(granularity: Granularity): granularity is CalendarGranularity {
  return GRANULARITIES.indexOf(granularity) >= GRANULARITIES.indexOf('day')
}

/** Whether every `coarse` bucket is a union of `fine` buckets of the same zone. Weeks do not make up months. */
export function isMadeOf(coarse: Granularity, fine: Granularity): boolean {
  if (coarse === fine) return true
  if (fine === 'week') return false
  return GRANULARITIES.indexOf(coarse) > GRANULARITIES.indexOf(fine)
}

/** Length of the buckets that are shorter than a day, in seconds. */
export const STEP_SECONDS: Readonly<Record<Exclude<Granularity, CalendarGranularity>, number>> = {
  minute: 60,
  quarter_hour: 900,
  hour: 3600,
}

/** How messages call a size: `quarter-hour`. */
export function nameGranularity(granularity: Granularity): string {
  return granularity.replace('_', '-')
}
