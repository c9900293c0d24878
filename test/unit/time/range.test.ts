import fc from 'fast-check'
import { countBuckets } from '../../../src/time/buckets'
import { GRANULARITIES } from '../../../src/time/granularity'
import { nextChange, PERIODS, type Period, type RangeInput, resolveRange } from '../../../src/time/range'
import { formatInstant } from '../../../src/time/time-zone'
import { ZONES } from './zones'

const at = (text: string) => Date.parse(text)
const last = (count: number, unit: (typeof GRANULARITIES)[number]): RangeInput => ({ kind: 'last', count, unit })
const period = (name: Period): RangeInput => ({ kind: 'period', period: name })

function resolveIn(zone: string, range: RangeInput, now: string): string[] {
  const { from, to } = resolveRange(range, zone, at(now))
  return [from, to].map((instant) => formatInstant(instant, zone))
}

describe('periods', () => {
  // A Sunday, so that a week that began on Sunday would show.
  const now = '2001-03-25T12:00:00Z'

  test.each<[Period, string, string]>([
    ['today', '2001-03-25T00:00:00+01:00', '2001-03-26T00:00:00+02:00'],
    ['yesterday', '2001-03-24T00:00:00+01:00', '2001-03-25T00:00:00+01:00'],
    ['this_week', '2001-03-19T00:00:00+01:00', '2001-03-26T00:00:00+02:00'],
    ['last_week', '2001-03-12T00:00:00+01:00', '2001-03-19T00:00:00+01:00'],
    ['this_month', '2001-03-01T00:00:00+01:00', '2001-04-01T00:00:00+02:00'],
    ['last_month', '2001-02-01T00:00:00+01:00', '2001-03-01T00:00:00+01:00'],
    ['this_quarter', '2001-01-01T00:00:00+01:00', '2001-04-01T00:00:00+02:00'],
    ['last_quarter', '2000-10-01T00:00:00+02:00', '2001-01-01T00:00:00+01:00'],
    ['this_year', '2001-01-01T00:00:00+01:00', '2002-01-01T00:00:00+01:00'],
    ['last_year', '2000-01-01T00:00:00+01:00', '2001-01-01T00:00:00+01:00'],
  ])('%s', (name, from, to) => {
    expect(resolveIn('Europe/Madrid', period(name), now)).toEqual([from, to])
  })

  test('what today is depends on the zone', () => {
    expect(resolveIn('Pacific/Apia', period('today'), '2001-03-25T10:00:00Z')[0]).toBe('2001-03-24T00:00:00-11:00')
    expect(resolveIn('Australia/Sydney', period('today'), '2001-03-25T15:00:00Z')[0]).toBe('2001-03-26T00:00:00+10:00')
  })
})

describe('last', () => {
  test.each<[string, RangeInput, string, string, string, string]>([
    ['one day is today', last(1, 'day'), 'UTC', '2001-03-25T12:00:00Z', '2001-03-25T00:00:00Z', '2001-03-26T00:00:00Z'],
    [
      'midnight begins today',
      last(1, 'day'),
      'UTC',
      '2001-03-25T00:00:00Z',
      '2001-03-25T00:00:00Z',
      '2001-03-26T00:00:00Z',
    ],
    [
      'seven days hold today and the six before',
      last(7, 'day'),
      'Europe/Madrid',
      '2001-03-25T12:00:00Z',
      '2001-03-19T00:00:00+01:00',
      '2001-03-26T00:00:00+02:00',
    ],
    [
      'three hours hold the current and two before',
      last(3, 'hour'),
      'Asia/Kolkata',
      '2001-03-25T12:00:00Z',
      '2001-03-25T15:00:00+05:30',
      '2001-03-25T18:00:00+05:30',
    ],
    [
      'three hours after the spring change',
      last(3, 'hour'),
      'Europe/Madrid',
      '2001-03-25T01:10:00Z',
      '2001-03-25T00:00:00+01:00',
      '2001-03-25T04:00:00+02:00',
    ],
    [
      'three hours in the second of the repeated hours',
      last(3, 'hour'),
      'Europe/Madrid',
      '2001-10-28T01:10:00Z',
      '2001-10-28T01:00:00+02:00',
      '2001-10-28T03:00:00+01:00',
    ],
    [
      'three hours over a change of half an hour',
      last(3, 'hour'),
      'Australia/Lord_Howe',
      '2001-10-27T16:10:00Z',
      '2001-10-28T01:00:00+10:30',
      '2001-10-28T04:00:00+11:00',
    ],
    [
      'two quarters of an hour',
      last(2, 'quarter_hour'),
      'UTC',
      '2001-03-25T12:14:00Z',
      '2001-03-25T11:45:00Z',
      '2001-03-25T12:15:00Z',
    ],
    [
      'twelve months',
      last(12, 'month'),
      'America/New_York',
      '2001-03-31T12:00:00Z',
      '2000-04-01T00:00:00-05:00',
      '2001-04-01T00:00:00-05:00',
    ],
    [
      'a million years begin with the year 1',
      last(1_000_000, 'year'),
      'UTC',
      '2001-03-25T12:00:00Z',
      '0001-01-01T00:00:00Z',
      '2002-01-01T00:00:00Z',
    ],
  ])('%s', (_, range, zone, now, from, to) => {
    expect(resolveIn(zone, range, now)).toEqual([from, to])
  })

  test.each(GRANULARITIES)('a million of %s is a range that holds now', (unit) => {
    const now = at('2001-03-25T12:00:00Z')
    const { from, to } = resolveRange(last(1_000_000, unit), 'Australia/Lord_Howe', now)
    expect(from).toBeGreaterThanOrEqual(at('0001-01-01T00:00:00Z'))
    expect(from).toBeLessThan(now)
    expect(to).toBeGreaterThan(now)
  })

  test('as many buckets as asked for, save the dates that a zone skipped', () => {
    const nows = fc.integer({ min: at('1901-01-02'), max: at('2099-01-01') })
    fc.assert(
      fc.property(
        nows,
        fc.constantFrom(...GRANULARITIES),
        fc.integer({ min: 1, max: 300 }),
        fc.constantFrom(...ZONES),
        (now, unit, count, zone) => {
          const { from, to } = resolveRange(last(count, unit), zone, now)
          const skipsDate =
            zone === 'Pacific/Apia' && unit === 'day' && from < at('2011-12-31') && to > at('2011-12-30')
          expect(from).toBeLessThanOrEqual(now)
          expect(to).toBeGreaterThan(now)
          expect(countBuckets(from, to, unit, zone)).toBe(skipsDate ? count - 1 : count)
        },
      ),
      { numRuns: 1_000 },
    )
  })
})

test('between takes dates as days of the zone and instants as they are', () => {
  const range: RangeInput = {
    kind: 'between',
    from: { kind: 'date', date: '2001-03-25' },
    to: { kind: 'instant', instant: at('2001-03-26T10:00:00Z') },
  }
  expect(resolveIn('Europe/Madrid', range, '2020-01-01T00:00:00Z')).toEqual([
    '2001-03-25T00:00:00+01:00',
    '2001-03-26T12:00:00+02:00',
  ])
  expect(nextChange(range, 'Europe/Madrid', at('2020-01-01T00:00:00Z'))).toBeNull()
})

describe('nextChange', () => {
  test.each<[RangeInput, string, string, string]>([
    [period('today'), 'America/New_York', '2001-10-28T12:00:00Z', '2001-10-29T00:00:00-05:00'],
    [period('yesterday'), 'America/New_York', '2001-10-28T12:00:00Z', '2001-10-29T00:00:00-05:00'],
    [period('last_week'), 'UTC', '2001-03-26T00:00:00Z', '2001-04-02T00:00:00Z'],
    [period('this_year'), 'UTC', '2001-12-31T23:59:59Z', '2002-01-01T00:00:00Z'],
    [last(3, 'hour'), 'Asia/Kolkata', '2001-03-25T12:00:00Z', '2001-03-25T18:00:00+05:30'],
    [last(7, 'day'), 'America/Sao_Paulo', '2017-10-15T02:00:00Z', '2017-10-15T01:00:00-02:00'],
  ])('%j in %s at %s moves on at %s', (range, zone, now, expected) => {
    const change = nextChange(range, zone, at(now))
    expect(change === null ? null : formatInstant(change, zone)).toBe(expected)
  })

  test('up to it a relative range stays the same, and from then on it is another', () => {
    const ranges = fc.oneof(
      fc.constantFrom(...PERIODS).map(period),
      fc
        .tuple(fc.integer({ min: 1, max: 50 }), fc.constantFrom(...GRANULARITIES))
        .map(([count, unit]) => last(count, unit)),
    )
    const nows = fc.integer({ min: at('1901-01-02'), max: at('2099-01-01') })
    fc.assert(
      fc.property(ranges, nows, fc.constantFrom(...ZONES), (range, now, zone) => {
        const change = nextChange(range, zone, now) ?? Number.NaN
        expect(change).toBeGreaterThan(now)
        expect(resolveRange(range, zone, change - 1)).toEqual(resolveRange(range, zone, now))
        expect(resolveRange(range, zone, change)).not.toEqual(resolveRange(range, zone, now))
      }),
      { numRuns: 500 },
    )
  })
})
