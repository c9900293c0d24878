import type { CalendarGranularity } from './granularity'

/**
 * A date of the proleptic Gregorian calendar, without a zone: whole days since 1970-01-01. Plain numbers, so that walking
 * ten thousand buckets allocates nothing.
 */
export type CalendarDay = number

export const DAY_MS = 86_400_000
const MONTHS_PER_UNIT = { month: 1, quarter: 3, year: 12 } as const
const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334] as const
/** 0001-01-01. */
const DAY_OF_YEAR_1 = -719_162
/** From 0000-03-01. */
const DAYS_BEFORE_1970 = 719_468
/** 400 years. */
const DAYS_PER_ERA = 146_097
/** 1970-01-01 was a Thursday, three days after a Monday. */
const DAYS_SINCE_MONDAY = 3
/** Months since year 0 up to which `Date` is certain to hold every day: a hundred thousand years either way. */
const FARTHEST_MONTH = 1_200_000

/** The day of a year, month (1–12) and day of the month; days and months past the end run on into the next. */
export function dayFromDate(year: number, month: number, dayOfMonth: number): CalendarDay {
  return firstDayOfMonth(year * 12 + month - 1) + dayOfMonth - 1
}

/** The day written `YYYY-MM-DD`; null when it is written otherwise, does not exist, or lies outside the years 0001 to 9999. */
export function parseDay(text: string): CalendarDay | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)
  if (match === null || match[1] === '0000') return null
  const day = dayFromDate(Number(match[1]), Number(match[2]), Number(match[3]))
  return formatDay(day) === text ? day : null
}

/**
 * `YYYY-MM-DD`. By arithmetic, since a long answer writes thousands of days and `Date` takes several times as long (H. Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms", civil_from_days: the year begins in March, so that the leap day is its last).
 */
export function formatDay(day: CalendarDay): string {
  const sinceMarch0 = day + DAYS_BEFORE_1970
  const era = Math.floor(sinceMarch0 / DAYS_PER_ERA)
  const dayOfEra = sinceMarch0 - era * DAYS_PER_ERA
  const leapDays = Math.floor(dayOfEra / 1_460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096)
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365)
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const month = Math.floor((5 * dayOfYear + 2) / 153)
  const dayOfMonth = dayOfYear - Math.floor((153 * month + 2) / 5) + 1
  const year = era * 400 + yearOfEra + (month < 10 ? 0 : 1)
  return `${writeYear(year)}-${twoDigits(month < 10 ? month + 3 : month - 9)}-${twoDigits(dayOfMonth)}`
}

/** The first day of the unit that holds the day. */
export function firstDayOf(day: CalendarDay, unit: CalendarGranularity): CalendarDay {
  return firstDayOfUnit(unitIndex(day, unit), unit)
}

/** The first day of a unit by its number, as `unitIndex` counts. */
export function firstDayOfUnit(index: number, unit: CalendarGranularity): CalendarDay {
  if (unit === 'day') return index
  if (unit === 'week') return index * 7 - DAYS_SINCE_MONDAY
  return firstDayOfMonth(index * MONTHS_PER_UNIT[unit])
}

/** Which unit of time holds the day: consecutive units have consecutive numbers. */
export function unitIndex(day: CalendarDay, unit: CalendarGranularity): number {
  if (unit === 'day') return day
  if (unit === 'week') return Math.floor((day + DAYS_SINCE_MONDAY) / 7)
  return Math.floor(monthIndex(day) / MONTHS_PER_UNIT[unit])
}

/**
 * The day `count` units later (earlier if negative). A day that the month arrived at lacks becomes its last day: 31 March
 * less a month is 28 or 29 February. Stops at a hundred thousand years before or after year 0.
 */
export function addUnits(day: CalendarDay, unit: CalendarGranularity, count: number): CalendarDay {
  if (unit === 'day') return day + count
  if (unit === 'week') return day + 7 * count
  const month = monthAfter(day, unit, count)
  return Math.min(firstDayOfMonth(month) + dayOfMonth(day) - 1, firstDayOfMonth(month + 1) - 1)
}

/** Whether the month `count` units away has this day, so that `addUnits` did not have to shorten it. */
export function hasDayAfter(day: CalendarDay, unit: CalendarGranularity, count: number): boolean {
  return dayOfMonth(addUnits(day, unit, count)) === dayOfMonth(day) || unit === 'day' || unit === 'week'
}

function monthAfter(day: CalendarDay, unit: keyof typeof MONTHS_PER_UNIT, count: number): number {
  const month = monthIndex(day) + count * MONTHS_PER_UNIT[unit]
  return Math.max(-FARTHEST_MONTH, Math.min(FARTHEST_MONTH, month))
}

/** By months since January of year 0. Plain arithmetic, since walking through months does little else. */
function firstDayOfMonth(index: number): CalendarDay {
  const year = Math.floor(index / 12)
  const month = index - year * 12
  const before = year - 1
  const leapDays = Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400)
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return DAY_OF_YEAR_1 + before * 365 + leapDays + (DAYS_BEFORE_MONTH[month] ?? 0) + (isLeap && month > 1 ? 1 : 0)
}

/** Months since January of year 0. */
function monthIndex(day: CalendarDay): number {
  const date = new Date(day * DAY_MS)
  return date.getUTCFullYear() * 12 + date.getUTCMonth()
}

function dayOfMonth(day: CalendarDay): number {
  return new Date(day * DAY_MS).getUTCDate()
}

const TWO_DIGITS: readonly string[] = Array.from({ length: 100 }, (_, value) => String(value).padStart(2, '0'))

/** Writes a whole number from 0 to 99. */
export function twoDigits(value: number): string {
  return TWO_DIGITS[value] ?? ''
}

function writeYear(year: number): string {
  return year >= 1_000 ? String(year) : String(year).padStart(4, '0')
}
