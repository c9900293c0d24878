import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { bucketBoundaries, bucketEnd, bucketStart, countBuckets } from '../../../src/time/buckets'
import { GRANULARITIES, type Granularity, isMadeOf } from '../../../src/time/granularity'
import { formatInstant, localDate } from '../../../src/time/time-zone'
import { ZONES } from './zones'

const at = (text: string) => Date.parse(text)

function boundariesIn(zone: string, granularity: Granularity, from: string, to: string): string[] {
  return bucketBoundaries(at(from), at(to), granularity, zone).map((instant) => formatInstant(instant, zone))
}

describe('hours', () => {
  test.each<[string, string, string, string, string[]]>([
    [
      'the hour that clocks skip in spring is no bucket',
      'Europe/Madrid',
      '2001-03-25T00:00:00Z',
      '2001-03-25T02:00:00Z',
      ['2001-03-25T01:00:00+01:00', '2001-03-25T03:00:00+02:00', '2001-03-25T04:00:00+02:00'],
    ],
    [
      'the hour that clocks repeat in autumn is two buckets',
      'Europe/Madrid',
      '2001-10-28T00:00:00Z',
      '2001-10-28T02:00:00Z',
      ['2001-10-28T02:00:00+02:00', '2001-10-28T02:00:00+01:00', '2001-10-28T03:00:00+01:00'],
    ],
    [
      'the southern autumn repeats an hour in March',
      'Australia/Sydney',
      '2001-03-24T15:00:00Z',
      '2001-03-24T17:00:00Z',
      ['2001-03-25T02:00:00+11:00', '2001-03-25T02:00:00+10:00', '2001-03-25T03:00:00+10:00'],
    ],
    [
      'the southern spring skips an hour in October',
      'Australia/Sydney',
      '2001-10-27T15:00:00Z',
      '2001-10-27T17:00:00Z',
      ['2001-10-28T01:00:00+10:00', '2001-10-28T03:00:00+11:00', '2001-10-28T04:00:00+11:00'],
    ],
    [
      'hours in India begin at half past those of UTC',
      'Asia/Kolkata',
      '2001-01-01T00:10:00Z',
      '2001-01-01T00:40:00Z',
      ['2001-01-01T05:00:00+05:30', '2001-01-01T06:00:00+05:30', '2001-01-01T07:00:00+05:30'],
    ],
    [
      'a spring of half an hour leaves half an hour of the hour it enters',
      'Australia/Lord_Howe',
      '2001-10-27T14:30:00Z',
      '2001-10-27T17:00:00Z',
      [
        '2001-10-28T01:00:00+10:30',
        '2001-10-28T02:30:00+11:00',
        '2001-10-28T03:00:00+11:00',
        '2001-10-28T04:00:00+11:00',
      ],
    ],
    [
      'an autumn of half an hour repeats half an hour',
      'Australia/Lord_Howe',
      '2001-03-24T14:00:00Z',
      '2001-03-24T15:40:00Z',
      [
        '2001-03-25T01:00:00+11:00',
        '2001-03-25T01:30:00+10:30',
        '2001-03-25T02:00:00+10:30',
        '2001-03-25T03:00:00+10:30',
      ],
    ],
    [
      'leaving local mean time ends a bucket early',
      'Europe/Madrid',
      '1900-12-31T23:50:00Z',
      '1901-01-01T00:10:00Z',
      ['1900-12-31T22:59:44-00:15', '1901-01-01T00:00:00+00:00', '1901-01-01T01:00:00+00:00'],
    ],
  ])('%s (%s)', (_, zone, from, to, expected) => {
    expect(boundariesIn(zone, 'hour', from, to)).toEqual(expected)
  })

  test('quarters of an hour and minutes follow the same rule', () => {
    expect(boundariesIn('Europe/Madrid', 'quarter_hour', '2001-03-25T00:50:00Z', '2001-03-25T01:01:00Z')).toEqual([
      '2001-03-25T01:45:00+01:00',
      '2001-03-25T03:00:00+02:00',
      '2001-03-25T03:15:00+02:00',
    ])
    expect(boundariesIn('Asia/Kathmandu', 'minute', '2001-03-25T00:50:30Z', '2001-03-25T00:51:00Z')).toEqual([
      '2001-03-25T06:35:00+05:45',
      '2001-03-25T06:36:00+05:45',
    ])
  })
})

describe('days and longer', () => {
  test.each<[string, Granularity, string, string, string, string[]]>([
    [
      'a day of 23 hours is one bucket',
      'day',
      'America/New_York',
      '2001-04-01T06:00:00Z',
      '2001-04-02T04:00:00Z',
      ['2001-04-01T00:00:00-05:00', '2001-04-02T00:00:00-04:00'],
    ],
    [
      'a day of 25 hours is one bucket',
      'day',
      'America/New_York',
      '2001-10-28T04:00:00Z',
      '2001-10-29T05:00:00Z',
      ['2001-10-28T00:00:00-04:00', '2001-10-29T00:00:00-05:00'],
    ],
    [
      'a day of 25 hours in the south is one bucket',
      'day',
      'Australia/Sydney',
      '2001-03-24T13:00:00Z',
      '2001-03-25T14:00:00Z',
      ['2001-03-25T00:00:00+11:00', '2001-03-26T00:00:00+10:00'],
    ],
    [
      'a day whose midnight is skipped begins at one',
      'day',
      'America/Sao_Paulo',
      '2017-10-15T02:59:59Z',
      '2017-10-15T05:00:00Z',
      ['2017-10-14T00:00:00-03:00', '2017-10-15T01:00:00-02:00', '2017-10-16T00:00:00-02:00'],
    ],
    [
      'so does one in Beirut',
      'day',
      'Asia/Beirut',
      '2021-03-27T21:59:59Z',
      '2021-03-27T22:00:01Z',
      ['2021-03-27T00:00:00+02:00', '2021-03-28T01:00:00+03:00', '2021-03-29T00:00:00+03:00'],
    ],
    [
      'a date that never was is no bucket',
      'day',
      'Pacific/Apia',
      '2011-12-29T12:00:00Z',
      '2011-12-31T12:00:00Z',
      [
        '2011-12-29T00:00:00-10:00',
        '2011-12-31T00:00:00+14:00',
        '2012-01-01T00:00:00+14:00',
        '2012-01-02T00:00:00+14:00',
      ],
    ],
    [
      'clocks set back across midnight do not begin yesterday again',
      'day',
      'America/Goose_Bay',
      '2001-10-28T02:59:00Z',
      '2001-10-28T03:30:00Z',
      ['2001-10-27T00:00:00-03:00', '2001-10-28T00:00:00-03:00', '2001-10-29T00:00:00-04:00'],
    ],
    [
      'weeks begin on Monday',
      'week',
      'UTC',
      '2001-01-07T23:59:59Z',
      '2001-01-08T00:00:01Z',
      ['2001-01-01T00:00:00Z', '2001-01-08T00:00:00Z', '2001-01-15T00:00:00Z'],
    ],
    [
      'months are the zone’s',
      'month',
      'America/New_York',
      '2001-04-01T04:59:59Z',
      '2001-04-01T05:00:01Z',
      ['2001-03-01T00:00:00-05:00', '2001-04-01T00:00:00-05:00', '2001-05-01T00:00:00-04:00'],
    ],
    [
      'quarters begin in January, April, July and October',
      'quarter',
      'UTC',
      '2001-02-10T00:00:00Z',
      '2001-10-01T00:00:00Z',
      ['2001-01-01T00:00:00Z', '2001-04-01T00:00:00Z', '2001-07-01T00:00:00Z', '2001-10-01T00:00:00Z'],
    ],
    [
      'years begin on 1 January',
      'year',
      'Asia/Kolkata',
      '2000-12-31T18:29:59Z',
      '2000-12-31T18:30:01Z',
      ['2000-01-01T00:00:00+05:30', '2001-01-01T00:00:00+05:30', '2002-01-01T00:00:00+05:30'],
    ],
  ])('%s', (_, granularity, zone, from, to, expected) => {
    expect(boundariesIn(zone, granularity, from, to)).toEqual(expected)
  })
})

test.each(GRANULARITIES)('an empty or backward range has no %s', (granularity) => {
  expect(bucketBoundaries(1_000, 1_000, granularity, 'UTC')).toEqual([])
  expect(bucketBoundaries(2_000, 1_000, granularity, 'UTC')).toEqual([])
  expect(countBuckets(1_000, 1_000, granularity, 'UTC')).toBe(0)
  expect(countBuckets(2_000, 1_000, granularity, 'UTC')).toBe(0)
})

// More than an array could hold: only arithmetic can count these.
test.each<[Granularity, string, number]>([
  ['minute', 'UTC', 525_949_920],
  ['minute', 'Europe/Madrid', 525_949_921],
  ['quarter_hour', 'UTC', 35_063_328],
  ['hour', 'Asia/Kolkata', 8_765_835],
  ['day', 'Pacific/Apia', 365_243],
  ['month', 'UTC', 12_000],
])('a thousand years by %s in %s are %d buckets', (granularity, zone, count) => {
  expect(countBuckets(at('1500-01-01T00:00:00Z'), at('2500-01-01T00:00:00Z'), granularity, zone)).toBe(count)
})

describe('any range, size and zone', () => {
  const LENGTH_MS: Record<Granularity, number> = {
    minute: 6e4,
    quarter_hour: 9e5,
    hour: 36e5,
    day: 864e5,
    week: 6048e5,
    month: 26e8,
    quarter: 78e8,
    year: 315e8,
  }
  const question = fc.record({
    granularity: fc.constantFrom(...GRANULARITIES),
    zone: fc.constantFrom(...ZONES),
    from: fc.oneof(
      fc.integer({ min: at('1835-01-01'), max: at('2110-01-01') }),
      // Around the changes that ZONES are known for.
      fc
        .constantFrom(...['1901-01-01', '2001-03-25', '2001-10-28', '2011-12-30', '2017-10-15', '2021-03-28'].map(at))
        .chain((near) => fc.integer({ min: near - 2 * 864e5, max: near + 2 * 864e5 })),
    ),
    buckets: fc.double({ min: 0, max: 120, noNaN: true }),
  })

  test('boundaries increase, cover the range tightly, begin their own bucket, and are as many as counted', () => {
    fc.assert(
      fc.property(question, ({ granularity, zone, from, buckets }) => {
        const to = from + 1 + Math.floor(buckets * LENGTH_MS[granularity])
        const boundaries = bucketBoundaries(from, to, granularity, zone)
        expect(boundaries).toEqual([...new Set(boundaries)].sort((a, b) => a - b))
        expect(boundaries[0]).toBe(bucketStart(from, granularity, zone))
        expect(boundaries.at(-1)).toBe(bucketEnd(to - 1, granularity, zone))
        expect(boundaries.at(-2)).toBeLessThan(to)
        expect(boundaries.at(-1)).toBeGreaterThanOrEqual(to)
        expect(countBuckets(from, to, granularity, zone)).toBe(boundaries.length - 1)
        const starts = boundaries.slice(0, -1)
        expect(boundaries.map((boundary) => bucketStart(boundary, granularity, zone))).toEqual(boundaries)
        expect(boundaries.slice(1).map((boundary) => bucketStart(boundary - 1, granularity, zone))).toEqual(starts)
      }),
      { numRuns: 1_000 },
    )
  })

  test('days begin where Temporal says they do', () => {
    fc.assert(
      fc.property(question, ({ zone, from }) => {
        const start = bucketStart(from, 'day', zone)
        const date = Temporal.PlainDate.from(localDate(start, zone))
        expect(start).toBe(date.toZonedDateTime(zone).epochMilliseconds)
      }),
      { numRuns: 1_000 },
    )
  })

  test('a coarser bucket of a day or longer begins where a finer one does', () => {
    fc.assert(
      fc.property(question, fc.constantFrom(...GRANULARITIES), ({ granularity, zone, from }, fine) => {
        if (!isMadeOf(granularity, fine)) return
        const start = bucketStart(from, granularity, zone)
        expect(bucketStart(start, fine, zone)).toBe(start)
      }),
      { numRuns: 1_000 },
    )
  })
})
