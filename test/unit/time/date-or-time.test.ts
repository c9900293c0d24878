import { parseDateOrDateTime, startOfDate } from '../../../src/time/date-or-time'
import { formatInstant } from '../../../src/time/time-zone'

describe('parseDateOrDateTime', () => {
  test.each(['2001-03-25', '2000-02-29', '0001-01-01', '9999-12-31'])('%s is a date', (date) => {
    expect(parseDateOrDateTime(date)).toEqual({ kind: 'date', date })
  })

  test.each([
    ['2001-03-25T01:00:00Z', '2001-03-25T01:00:00Z'],
    ['2001-03-25t01:00:00z', '2001-03-25T01:00:00Z'],
    ['2001-03-25T03:00:00+02:00', '2001-03-25T01:00:00Z'],
    ['2001-03-24T20:00:00-05:00', '2001-03-25T01:00:00Z'],
    ['2001-03-25T06:45:00+05:45', '2001-03-25T01:00:00Z'],
    ['2001-03-25T01:00:00-00:00', '2001-03-25T01:00:00Z'],
    ['2001-03-25T01:00:00.5Z', '2001-03-25T01:00:00.500Z'],
    ['2001-03-25T01:00:00.123Z', '2001-03-25T01:00:00.123Z'],
    ['2001-03-25T01:00:00.123000000Z', '2001-03-25T01:00:00.123Z'],
    ['2001-03-25T00:00:00+23:59', '2001-03-24T00:01:00Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ])('%s is the instant %s', (text, instant) => {
    const parsed = parseDateOrDateTime(text)
    expect(parsed?.kind === 'instant' && formatInstant(parsed.instant, 'UTC')).toBe(instant)
  })

  test.each([
    ['no text', ''],
    ['a day that does not exist', '2001-02-29'],
    ['a month that does not exist', '2001-13-01'],
    ['the year 0', '0000-01-01'],
    ['a date without zeros', '2001-3-5'],
    ['a date without hyphens', '20010325'],
    ['a year of five digits', '+12001-01-01'],
    ['spaces around', ' 2001-03-25'],
    ['a line after', '2001-03-25\n'],
    ['a time without an offset', '2001-03-25T01:00:00'],
    ['a time without seconds', '2001-03-25T01:00Z'],
    ['a space for the T', '2001-03-25 01:00:00Z'],
    ['a time of a day that does not exist', '2001-02-29T01:00:00Z'],
    ['the hour 24', '2001-03-25T24:00:00Z'],
    ['the minute 60', '2001-03-25T01:60:00Z'],
    ['the second 60', '2001-12-31T23:59:60Z'],
    ['an offset without a colon', '2001-03-25T01:00:00+0200'],
    ['an offset of 24 hours', '2001-03-25T01:00:00+24:00'],
    ['an offset with 60 minutes', '2001-03-25T01:00:00+01:60'],
    ['a point without digits', '2001-03-25T01:00:00.Z'],
    ['a comma', '2001-03-25T01:00:00,5Z'],
    ['microseconds', '2001-03-25T01:00:00.123456Z'],
    ['a zone name', '2001-03-25T01:00:00+01:00[Europe/Madrid]'],
    ['an instant before the year 1', '0001-01-01T00:00:00+01:00'],
    ['an instant after the year 9999', '9999-12-31T23:59:59-01:00'],
    ['digits of another script', '２００１-03-25'],
    ['a very long text', `2001-03-25T01:00:00.${'0'.repeat(1_000_000)}Z`],
  ])('%s is refused', (_, text) => {
    expect(parseDateOrDateTime(text)).toBeNull()
  })
})

describe('startOfDate', () => {
  test.each([
    ['2001-03-25', 'UTC', '2001-03-25T00:00:00Z'],
    ['2001-03-25', 'Europe/Madrid', '2001-03-25T00:00:00+01:00'],
    ['2017-10-15', 'America/Sao_Paulo', '2017-10-15T01:00:00-02:00'],
    ['2011-12-30', 'Pacific/Apia', '2011-12-31T00:00:00+14:00'],
  ])('%s in %s begins at %s', (date, zone, start) => {
    expect(formatInstant(startOfDate(date, zone), zone)).toBe(start)
  })

  test('what is no date is refused', () => {
    expect(() => startOfDate('2001-02-29', 'UTC')).toThrow('"2001-02-29" is no calendar date.')
  })
})
