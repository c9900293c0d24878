import fc from 'fast-check'
import { COMPARISONS, type Comparison, shiftRange } from '../../../src/time/comparison'
import { GRANULARITIES, type Granularity } from '../../../src/time/granularity'
import { PERIODS, type Period, type RangeInput, resolveRange } from '../../../src/time/range'
import { formatInstant } from '../../../src/time/time-zone'
import { ZONES } from './zones'

const at = (text: string) => Date.parse(text)
const last = (count: number, unit: Granularity): RangeInput => ({ kind: 'last', count, unit })
const period = (name: Period): RangeInput => ({ kind: 'period', period: name })
const dates = (from: string, to: string): RangeInput => ({
  kind: 'between',
  from: { kind: 'date', date: from },
  to: { kind: 'date', date: to },
})
const instants = (from: string, to: string): RangeInput => ({
  kind: 'between',
  from: { kind: 'instant', instant: at(from) },
  to: { kind: 'instant', instant: at(to) },
})

function compareIn(
  zone: string,
  range: RangeInput,
  comparison: Comparison,
  now = '2030-01-01T00:00:00Z',
  cutGrain: Granularity = 'hour',
): string[] {
  const resolved = resolveRange(range, zone, at(now))
  const { from, to } = shiftRange(resolved, range, comparison, zone, at(now), cutGrain)
  return [from, to].map((instant) => formatInstant(instant, zone))
}

describe('a range that lies in the past', () => {
  test.each<[string, string, RangeInput, Comparison, string, string]>([
    [
      'days from midnight to midnight go back by as many local days, over the spring change',
      'Europe/Madrid',
      dates('2001-03-26', '2001-04-02'),
      'previous_period',
      '2001-03-19T00:00:00+01:00',
      '2001-03-26T00:00:00+02:00',
    ],
    [
      'midnights given as instants are the same',
      'Europe/Madrid',
      instants('2001-03-25T22:00:00Z', '2001-04-01T22:00:00Z'),
      'previous_period',
      '2001-03-19T00:00:00+01:00',
      '2001-03-26T00:00:00+02:00',
    ],
    [
      'a day whose midnight is skipped is still a day',
      'America/Sao_Paulo',
      dates('2017-10-15', '2017-10-16'),
      'previous_period',
      '2017-10-14T00:00:00-03:00',
      '2017-10-15T01:00:00-02:00',
    ],
    [
      'other ranges go back by elapsed time',
      'Europe/Madrid',
      instants('2001-03-25T10:00:00Z', '2001-03-26T10:00:00Z'),
      'previous_period',
      '2001-03-24T11:00:00+01:00',
      '2001-03-25T12:00:00+02:00',
    ],
    [
      'a week back keeps local time over the autumn change',
      'America/New_York',
      instants('2001-10-29T15:00:00Z', '2001-10-29T16:00:00Z'),
      'previous_week',
      '2001-10-22T10:00:00-04:00',
      '2001-10-22T11:00:00-04:00',
    ],
    [
      'a week back keeps local time in the south',
      'Australia/Sydney',
      dates('2001-10-29', '2001-10-30'),
      'previous_week',
      '2001-10-22T00:00:00+10:00',
      '2001-10-23T00:00:00+10:00',
    ],
    [
      'a month back from the 31st is the last day',
      'UTC',
      dates('2001-03-31', '2001-04-01'),
      'previous_month',
      '2001-02-28T00:00:00Z',
      '2001-03-01T00:00:00Z',
    ],
    [
      'a month back in a leap year',
      'UTC',
      dates('2000-03-01', '2000-03-31'),
      'previous_month',
      '2000-02-01T00:00:00Z',
      '2000-02-29T00:00:00Z',
    ],
    [
      'a month back of days the earlier month lacks is an empty range',
      'UTC',
      dates('2001-03-29', '2001-03-31'),
      'previous_month',
      '2001-02-28T00:00:00Z',
      '2001-02-28T00:00:00Z',
    ],
    [
      'a year back from 29 February',
      'UTC',
      dates('2000-02-29', '2000-03-01'),
      'previous_year',
      '1999-02-28T00:00:00Z',
      '1999-03-01T00:00:00Z',
    ],
    [
      'a local time that the earlier day skips is the end of the gap',
      'Europe/Madrid',
      instants('2001-04-01T00:30:00Z', '2001-04-01T02:00:00Z'),
      'previous_week',
      '2001-03-25T03:00:00+02:00',
      '2001-03-25T04:00:00+02:00',
    ],
  ])('%s', (_, zone, range, comparison, from, to) => {
    expect(compareIn(zone, range, comparison)).toEqual([from, to])
  })

  test.each<[Period, Comparison, string, string]>([
    ['yesterday', 'previous_period', '2001-03-23', '2001-03-24'],
    ['last_week', 'previous_period', '2001-03-05', '2001-03-12'],
    ['last_month', 'previous_period', '2001-01-01', '2001-02-01'],
    ['last_quarter', 'previous_period', '2000-07-01', '2000-10-01'],
    ['last_year', 'previous_period', '1999-01-01', '2000-01-01'],
    ['last_month', 'previous_year', '2000-02-01', '2000-03-01'],
    ['yesterday', 'previous_month', '2001-02-24', '2001-02-25'],
  ])('%s with %s', (name, comparison, from, to) => {
    expect(compareIn('UTC', period(name), comparison, '2001-03-25T12:00:00Z')).toEqual([
      `${from}T00:00:00Z`,
      `${to}T00:00:00Z`,
    ])
  })

  test('all data is compared with as much time before it', () => {
    const resolved = { from: at('2001-01-01T00:00:00Z'), to: at('2001-07-01T00:00:00Z') }
    expect(shiftRange(resolved, null, 'previous_period', 'Europe/Madrid', at('2030-01-01'), 'hour')).toEqual({
      from: at('2000-07-04T00:00:00Z'),
      to: at('2001-01-01T00:00:00Z'),
    })
  })
})

describe('a range that reaches past now is compared up to the same time', () => {
  test.each<[string, string, RangeInput, Comparison, string, Granularity, string, string]>([
    [
      'this month by the hour, over the autumn change',
      'Europe/Madrid',
      period('this_month'),
      'previous_period',
      '2001-11-22T13:30:00Z',
      'hour',
      '2001-10-01T00:00:00+02:00',
      '2001-10-22T15:00:00+02:00',
    ],
    [
      'this month by the day',
      'Europe/Madrid',
      period('this_month'),
      'previous_period',
      '2001-11-22T13:30:00Z',
      'day',
      '2001-10-01T00:00:00+02:00',
      '2001-10-23T00:00:00+02:00',
    ],
    [
      'today by the hour, when yesterday had 23 hours',
      'Europe/Madrid',
      period('today'),
      'previous_period',
      '2001-03-26T09:10:00Z',
      'hour',
      '2001-03-25T00:00:00+01:00',
      '2001-03-25T12:00:00+02:00',
    ],
    [
      'today by the hour, when today has 25',
      'America/New_York',
      period('today'),
      'previous_week',
      '2001-10-28T15:10:00Z',
      'hour',
      '2001-10-21T00:00:00-04:00',
      '2001-10-21T11:00:00-04:00',
    ],
    [
      'the 31st of a month against one of 28 days is all of it',
      'UTC',
      period('this_month'),
      'previous_period',
      '2001-03-31T14:30:00Z',
      'hour',
      '2001-02-01T00:00:00Z',
      '2001-03-01T00:00:00Z',
    ],
    [
      'the 28th by the day against a month of 28 days is all of it',
      'UTC',
      period('this_month'),
      'previous_month',
      '2001-03-28T14:30:00Z',
      'day',
      '2001-02-01T00:00:00Z',
      '2001-03-01T00:00:00Z',
    ],
    [
      'the first instant of today',
      'UTC',
      period('today'),
      'previous_period',
      '2001-03-25T00:00:00Z',
      'hour',
      '2001-03-24T00:00:00Z',
      '2001-03-24T01:00:00Z',
    ],
    [
      'this quarter',
      'UTC',
      period('this_quarter'),
      'previous_period',
      '2001-11-22T14:30:00Z',
      'hour',
      '2001-07-01T00:00:00Z',
      '2001-08-22T15:00:00Z',
    ],
    [
      'this year against a leap year ends on the same date',
      'UTC',
      period('this_year'),
      'previous_period',
      '2001-03-10T14:30:00Z',
      'hour',
      '2000-01-01T00:00:00Z',
      '2000-03-10T15:00:00Z',
    ],
    [
      'this week',
      'UTC',
      period('this_week'),
      'previous_period',
      '2001-03-25T14:30:00Z',
      'quarter_hour',
      '2001-03-12T00:00:00Z',
      '2001-03-18T14:45:00Z',
    ],
    [
      'the last seven days against the seven before',
      'America/New_York',
      last(7, 'day'),
      'previous_period',
      '2001-04-04T15:00:00Z',
      'hour',
      '2001-03-22T00:00:00-05:00',
      '2001-03-28T12:00:00-05:00',
    ],
    [
      'the last three hours against the three before',
      'Europe/Madrid',
      last(3, 'hour'),
      'previous_period',
      '2001-03-25T04:30:00Z',
      'hour',
      '2001-03-25T00:00:00+01:00',
      '2001-03-25T04:00:00+02:00',
    ],
    [
      'the last three hours by the minute',
      'UTC',
      last(3, 'hour'),
      'previous_period',
      '2001-03-25T12:30:15Z',
      'minute',
      '2001-03-25T07:00:00Z',
      '2001-03-25T09:31:00Z',
    ],
    [
      'days that reach into the future',
      'UTC',
      dates('2001-03-20', '2001-03-30'),
      'previous_period',
      '2001-03-25T12:30:00Z',
      'hour',
      '2001-03-10T00:00:00Z',
      '2001-03-15T13:00:00Z',
    ],
    [
      'hours that reach into the future',
      'UTC',
      instants('2001-03-25T10:00:00Z', '2001-03-25T20:00:00Z'),
      'previous_period',
      '2001-03-25T12:30:00Z',
      'hour',
      '2001-03-25T00:00:00Z',
      '2001-03-25T03:00:00Z',
    ],
    [
      'a range wholly ahead of now is not cut',
      'UTC',
      dates('2001-04-01', '2001-04-03'),
      'previous_period',
      '2001-03-25T12:30:00Z',
      'hour',
      '2001-03-30T00:00:00Z',
      '2001-04-01T00:00:00Z',
    ],
    [
      'a cut beyond the end is the end',
      'UTC',
      dates('2001-03-24', '2001-03-26'),
      'previous_period',
      '2001-03-25T12:30:00Z',
      'month',
      '2001-03-22T00:00:00Z',
      '2001-03-24T00:00:00Z',
    ],
  ])('%s', (_, zone, range, comparison, now, cutGrain, from, to) => {
    expect(compareIn(zone, range, comparison, now, cutGrain)).toEqual([from, to])
  })
})

describe('any relative range', () => {
  const ranges = fc.oneof(
    fc.constantFrom(...PERIODS).map(period),
    fc
      .tuple(fc.integer({ min: 1, max: 40 }), fc.constantFrom(...GRANULARITIES))
      .map(([count, unit]) => last(count, unit)),
  )
  const nows = fc.integer({ min: at('1902-01-01'), max: at('2099-01-01') })
  const grains = fc.constantFrom('minute', 'quarter_hour', 'hour', 'day')

  test('is compared with a range that ends no later than it begins, and without a cut ends exactly there', () => {
    fc.assert(
      fc.property(ranges, nows, fc.constantFrom(...ZONES), grains, (range, now, zone, grain) => {
        const resolved = resolveRange(range, zone, now)
        const earlier = shiftRange(resolved, range, 'previous_period', zone, now, grain)
        const whole = shiftRange(resolved, range, 'previous_period', zone, resolved.to, grain)
        expect(earlier.from).toBeLessThan(resolved.from)
        expect(earlier.from).toBe(whole.from)
        expect(earlier.to).toBeGreaterThanOrEqual(earlier.from)
        expect(earlier.to).toBeLessThanOrEqual(whole.to)
        expect(whole.to).toBe(resolved.from)
      }),
      { numRuns: 1_000 },
    )
  })

  test('reaches no less far back as time goes on within the range', () => {
    fc.assert(
      fc.property(
        ranges,
        nows,
        fc.constantFrom(...ZONES),
        grains,
        fc.constantFrom(...COMPARISONS),
        fc.integer({ min: 1, max: 40 * 864e5 }),
        (range, now, zone, grain, comparison, wait) => {
          const resolved = resolveRange(range, zone, now)
          const sooner = shiftRange(resolved, range, comparison, zone, now, grain)
          const later = shiftRange(resolved, range, comparison, zone, now + wait, grain)
          // Clocks that are set back show up to an hour of earlier readings again.
          expect(later.to).toBeGreaterThanOrEqual(sooner.to - 36e5)
        },
      ),
      { numRuns: 1_000 },
    )
  })
})

test('a million years before a million years is an empty range, not an error', () => {
  expect(compareIn('UTC', last(1_000_000, 'year'), 'previous_period', '2001-03-25T12:30:00Z')).toEqual([
    '0001-01-01T00:00:00Z',
    '0001-01-01T00:00:00Z',
  ])
})
