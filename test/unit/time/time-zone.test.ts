import { canonicalTimeZone, formatInstant, localDate } from '../../../src/time/time-zone'
import { TIME_ZONE_LINKS } from '../../../src/time/time-zone-links'

const at = (text: string) => Date.parse(text)

describe('canonicalTimeZone', () => {
  test.each([
    ['Europe/Madrid', 'Europe/Madrid'],
    ['europe/madrid', 'Europe/Madrid'],
    ['EUROPE/MADRID', 'Europe/Madrid'],
    ['Asia/Calcutta', 'Asia/Kolkata'],
    ['Asia/Kolkata', 'Asia/Kolkata'],
    ['asia/calcutta', 'Asia/Kolkata'],
    ['Asia/Katmandu', 'Asia/Kathmandu'],
    ['Europe/Kiev', 'Europe/Kyiv'],
    ['Europe/Kyiv', 'Europe/Kyiv'],
    ['Asia/Saigon', 'Asia/Ho_Chi_Minh'],
    ['America/Buenos_Aires', 'America/Argentina/Buenos_Aires'],
    ['America/Godthab', 'America/Nuuk'],
    ['US/Eastern', 'America/New_York'],
    ['us/eastern', 'America/New_York'],
    ['EST5EDT', 'America/New_York'],
    ['EST', 'America/Panama'],
    ['PRC', 'Asia/Shanghai'],
    ['UTC', 'UTC'],
    ['utc', 'UTC'],
    ['Etc/UTC', 'UTC'],
    ['Zulu', 'UTC'],
    ['GMT', 'UTC'],
    ['Etc/GMT', 'UTC'],
    ['GMT0', 'UTC'],
    ['Etc/Universal', 'UTC'],
    ['Etc/GMT+5', 'Etc/GMT+5'],
    ['America/Argentina/ComodRivadavia', 'America/Argentina/Catamarca'],
  ])('%s is %s', (name, canonical) => {
    expect(canonicalTimeZone(name)).toBe(canonical)
  })

  test.each([
    '',
    ' ',
    '+02:00',
    '-0500',
    'Europe/Madrid ',
    ' Europe/Madrid',
    'Europe/Madrid\u0000',
    '\u0000',
    'Europe',
    'Mars/Olympus',
    'Factory',
    'IST',
    'bst',
    'CST',
    'SystemV/EST5',
    'constructor',
    '__proto__',
    'local',
    'Europe/Mádrid',
    'UTC+3',
    'x'.repeat(1_000_000),
  ])('%j is no time zone', (name) => {
    expect(canonicalTimeZone(name)).toBeNull()
  })

  test('every zone that the runtime lists is known, and is its own canonical name once canonicalised', () => {
    const names = Intl.supportedValuesOf('timeZone').map((name) => canonicalTimeZone(name))
    expect(names).not.toContain(null)
    expect(names.map((name) => canonicalTimeZone(name ?? ''))).toEqual(names)
  })

  test('every link and its target are one zone', () => {
    for (const [target, links] of Object.entries(TIME_ZONE_LINKS)) {
      expect([target, ...links].map(canonicalTimeZone)).toEqual([target, ...links].map(() => target))
    }
  })
})

describe('formatInstant', () => {
  test.each([
    ['2001-03-25T01:00:00Z', 'Europe/Madrid', '2001-03-25T03:00:00+02:00'],
    ['2001-03-25T00:59:59Z', 'Europe/Madrid', '2001-03-25T01:59:59+01:00'],
    ['2001-03-25T01:00:00Z', 'UTC', '2001-03-25T01:00:00Z'],
    ['2001-03-25T01:00:00.007Z', 'UTC', '2001-03-25T01:00:00.007Z'],
    ['2001-03-25T01:00:00.250Z', 'Asia/Kolkata', '2001-03-25T06:30:00.250+05:30'],
    ['2001-01-01T02:00:00Z', 'America/New_York', '2000-12-31T21:00:00-05:00'],
    ['1969-12-31T23:59:59.999Z', 'UTC', '1969-12-31T23:59:59.999Z'],
    ['2001-07-01T00:00:00Z', 'Europe/London', '2001-07-01T01:00:00+01:00'],
    ['2001-01-01T00:00:00Z', 'Europe/London', '2001-01-01T00:00:00+00:00'],
    ['0001-01-01T00:00:00Z', 'UTC', '0001-01-01T00:00:00Z'],
    ['9999-12-31T23:59:59Z', 'UTC', '9999-12-31T23:59:59Z'],
    // Local mean time, 14 minutes and 44 seconds behind: written 15 minutes behind, and the same instant.
    ['1850-01-01T12:00:00Z', 'Europe/Madrid', '1850-01-01T11:45:00-00:15'],
  ])('%s in %s is written %s', (instant, zone, text) => {
    expect(formatInstant(at(instant), zone)).toBe(text)
    expect(at(text)).toBe(at(instant))
  })
})

test.each([
  ['2001-01-01T04:59:59Z', 'America/New_York', '2000-12-31'],
  ['2001-01-01T05:00:00Z', 'America/New_York', '2001-01-01'],
  ['2011-12-30T09:59:59Z', 'Pacific/Apia', '2011-12-29'],
  ['2011-12-30T10:00:00Z', 'Pacific/Apia', '2011-12-31'],
])('the calendars at %s in %s show %s', (instant, zone, date) => {
  expect(localDate(at(instant), zone)).toBe(date)
})
