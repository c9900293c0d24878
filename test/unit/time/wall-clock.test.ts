import { formatInstant } from '../../../src/time/time-zone'
import { instantOfWallClock, relabel } from '../../../src/time/wall-clock'

const at = (text: string) => Date.parse(text)

describe('relabel', () => {
  test.each([
    ['2001-03-25T00:00:00Z', 'UTC', 'America/New_York', '2001-03-25T00:00:00-05:00'],
    ['2001-03-25T00:00:00Z', 'UTC', 'Asia/Kolkata', '2001-03-25T00:00:00+05:30'],
    ['2001-07-01T04:00:00Z', 'America/New_York', 'UTC', '2001-07-01T00:00:00Z'],
    ['2001-07-01T04:00:00Z', 'America/New_York', 'America/New_York', '2001-07-01T00:00:00-04:00'],
    ['2017-10-15T00:00:00Z', 'UTC', 'America/Sao_Paulo', '2017-10-15T01:00:00-02:00'],
    ['2011-12-30T00:00:00Z', 'UTC', 'Pacific/Apia', '2011-12-31T00:00:00+14:00'],
  ])('what %s shows in %s is first shown in %s at %s', (instant, from, to, expected) => {
    expect(formatInstant(relabel(at(instant), from, to), to)).toBe(expected)
  })
})

test.each([
  [
    'a skipped reading is reached when the gap ends',
    '2001-03-25T02:30:00Z',
    'Europe/Madrid',
    '2001-03-25T03:00:00+02:00',
  ],
  [
    'a repeated reading is reached the first time',
    '2001-10-28T02:30:00Z',
    'Europe/Madrid',
    '2001-10-28T02:30:00+02:00',
  ],
  [
    'a reading after the repeated ones is reached after both',
    '2001-10-28T03:00:00Z',
    'Europe/Madrid',
    '2001-10-28T03:00:00+01:00',
  ],
  ['a repeated date is reached the first time', '1892-07-04T12:00:00Z', 'Pacific/Apia', '1892-07-04T11:59:56+12:33'],
])('%s', (_, reading, zone, expected) => {
  expect(formatInstant(instantOfWallClock(at(reading), zone), zone)).toBe(expected)
})
