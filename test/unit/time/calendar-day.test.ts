import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { addUnits, firstDayOf, formatDay, parseDay, unitIndex } from '../../../src/time/calendar-day'

const UNITS = ['day', 'week', 'month', 'quarter', 'year'] as const
const anyDay = fc.integer({ min: -719_162, max: 2_932_896 })

const day = (text: string) => parseDay(text) ?? Number.NaN
const plainDate = (value: number) => new Temporal.PlainDate(1970, 1, 1).add({ days: value })

test.each([
  ['0001-01-01', -719_162],
  ['1970-01-01', 0],
  ['2000-02-29', 11_016],
  ['9999-12-31', 2_932_896],
])('%s is day %d', (text, value) => {
  expect(parseDay(text)).toBe(value)
  expect(formatDay(value)).toBe(text)
})

test.each([
  '2001-02-29',
  '1900-02-29',
  '0000-01-01',
  '2001-00-10',
  '2001-13-01',
  '2001-04-31',
  '2001-1-1',
  '',
  '+02001-01-01',
])('%j is no date', (text) => {
  expect(parseDay(text)).toBeNull()
})

test.each([
  ['2001-03-31', 'month', -1, '2001-02-28'],
  ['2000-03-31', 'month', -1, '2000-02-29'],
  ['2000-02-29', 'year', -1, '1999-02-28'],
  ['2001-01-31', 'month', -1, '2000-12-31'],
  ['2001-05-31', 'quarter', -1, '2001-02-28'],
  ['2001-03-01', 'week', -1, '2001-02-22'],
] as const)('%s plus %s × %d is %s', (from, unit, count, to) => {
  expect(formatDay(addUnits(day(from), unit, count))).toBe(to)
})

test.each([
  ['2001-03-25', 'week', '2001-03-19'],
  ['2001-03-26', 'week', '2001-03-26'],
  ['2001-01-01', 'week', '2001-01-01'],
  ['1969-12-31', 'week', '1969-12-29'],
  ['2001-06-30', 'quarter', '2001-04-01'],
  ['2001-06-30', 'year', '2001-01-01'],
] as const)('%s lies in the %s of %s', (value, unit, first) => {
  expect(formatDay(firstDayOf(day(value), unit))).toBe(first)
})

test('dates are added and written as Temporal does', () => {
  fc.assert(
    fc.property(anyDay, fc.constantFrom(...UNITS), fc.integer({ min: -500, max: 500 }), (value, unit, count) => {
      const months = { month: 1, quarter: 3, year: 12 }
      const duration =
        unit === 'day' ? { days: count } : unit === 'week' ? { weeks: count } : { months: count * months[unit] }
      const expected = plainDate(value).add(duration)
      expect(addUnits(value, unit, count)).toBe(expected.since(plainDate(0)).days)
      expect(formatDay(value)).toBe(plainDate(value).toString())
    }),
  )
})

test('a unit begins on its first day and holds every day up to the next', () => {
  fc.assert(
    fc.property(anyDay, fc.constantFrom(...UNITS), (value, unit) => {
      const first = firstDayOf(value, unit)
      const next = addUnits(first, unit, 1)
      expect(first).toBeLessThanOrEqual(value)
      expect(next).toBeGreaterThan(value)
      expect(firstDayOf(first, unit)).toBe(first)
      expect(unitIndex(value, unit)).toBe(unitIndex(first, unit))
      expect(unitIndex(next, unit)).toBe(unitIndex(first, unit) + 1)
      if (unit === 'week') expect(plainDate(first).dayOfWeek).toBe(1)
    }),
  )
})

test('very many units away is still a day', () => {
  for (const unit of UNITS) expect(Number.isFinite(addUnits(0, unit, -1e6))).toBe(true)
})
