import fc from 'fast-check'
import { type ChangedBuckets, changedBuckets, narrowChanges } from '../../../src/refresh/changed-stretches'
import { bucketStart } from '../../../src/time/buckets'
import type { Granularity } from '../../../src/time/granularity'
import { ALWAYS, type Stretch, uniteStretches } from '../../../src/time/stretch'
import { ZONES } from '../time/zones'

const HOUR_MS = 3_600_000
const at = (text: string) => Date.parse(`${text}Z`)
const span = (from: string, to: string): Stretch => ({ from: at(from), to: at(to) })

/** Buckets of a rollup in UTC, by their starts. */
function buckets(granularity: Granularity, starts: readonly string[], within: readonly Stretch[]): ChangedBuckets {
  return changedBuckets({ granularity, timezone: 'UTC' }, { buckets: starts.map(at), isEach: true }, within)
}

const THREE_DAYS = [span('2026-03-08T10:00', '2026-03-12T00:00')]

describe('what a refresh changed', () => {
  it.each<[string, readonly ChangedBuckets[], readonly Stretch[]]>([
    ['nothing where no bucket did', [], []],
    [
      'the hour alone, whatever else it is part of and in whatever order the tables come',
      [
        buckets('month', ['2026-03-01T00:00'], THREE_DAYS),
        buckets('hour', ['2026-03-10T11:00'], THREE_DAYS),
        buckets('year', ['2026-01-01T00:00'], THREE_DAYS),
        buckets('day', ['2026-03-10T00:00'], THREE_DAYS),
        buckets('week', ['2026-03-09T00:00'], THREE_DAYS),
      ],
      [span('2026-03-10T11:00', '2026-03-10T12:00')],
    ],
    [
      'what was computed anew of a bucket in which nothing finer changed',
      [
        buckets('hour', ['2026-03-10T11:00'], THREE_DAYS),
        buckets('day', ['2026-03-09T00:00', '2026-03-10T00:00'], THREE_DAYS),
      ],
      [span('2026-03-09T00:00', '2026-03-10T00:00'), span('2026-03-10T11:00', '2026-03-10T12:00')],
    ],
    [
      'no more of the first and the last bucket than was computed anew',
      [buckets('month', ['2026-03-01T00:00'], THREE_DAYS)],
      [span('2026-03-08T10:00', '2026-03-12T00:00')],
    ],
    [
      'hours that touch as one stretch',
      [buckets('hour', ['2026-03-10T11:00', '2026-03-10T12:00'], THREE_DAYS)],
      [span('2026-03-10T11:00', '2026-03-10T13:00')],
    ],
  ])('is %s', (_, changed, expected) => {
    expect(narrowChanges(changed)).toEqual(expected)
  })

  it('is all of a stretch whose buckets are too many to be told, also where a finer one changed', () => {
    const rollup = { granularity: 'day', timezone: 'UTC' } as const
    const many = changedBuckets(rollup, { buckets: [at('2026-01-01T00:00'), at('2026-03-20T00:00')], isEach: false }, [
      ALWAYS,
    ])
    const hour = buckets('hour', ['2026-03-10T11:00'], [ALWAYS])
    expect(narrowChanges([hour, many])).toEqual([span('2026-01-01T00:00', '2026-03-21T00:00')])
  })

  it('follows the clocks of the rollup', () => {
    const rollup = { granularity: 'day', timezone: 'Europe/Madrid' } as const
    const changed = changedBuckets(rollup, { buckets: [at('2026-03-28T23:00')], isEach: true }, [ALWAYS])
    // A day of 23 hours.
    expect(narrowChanges([changed])).toEqual([span('2026-03-28T23:00', '2026-03-29T22:00')])
  })

  it('leaves no bucket out, names nothing that was not computed, and is at most 64 stretches', () => {
    const instant = fc.integer({ min: at('2026-01-01T00:00') / HOUR_MS, max: at('2027-01-01T00:00') / HOUR_MS })
    const table = fc.record({
      granularity: fc.constantFrom<Granularity>('hour', 'day', 'week', 'month', 'year'),
      timezone: fc.constantFrom(...ZONES),
      hours: fc.array(instant, { minLength: 1, maxLength: 50 }),
    })
    fc.assert(
      fc.property(fc.array(table, { maxLength: 5 }), (tables) => {
        const within = uniteStretches(
          tables.flatMap(({ hours }) => hours.map((hour) => ({ from: hour * HOUR_MS, to: (hour + 1) * HOUR_MS }))),
        )
        const changed = tables.map(({ granularity, timezone, hours }) => {
          const starts = hours.map((hour) => bucketStart(hour * HOUR_MS, granularity, timezone))
          const listed = [...new Set(starts)].sort((a, b) => a - b)
          return changedBuckets({ granularity, timezone }, { buckets: listed, isEach: true }, within)
        })
        const stretches = narrowChanges(changed)
        expect(stretches.length).toBeLessThanOrEqual(64)
        expect(uniteStretches(stretches)).toEqual(stretches)
        const meets = ({ from, to }: Stretch) => stretches.some((one) => one.from < to && from < one.to)
        expect(changed.flatMap((one) => one.buckets).filter((bucket) => !meets(bucket))).toEqual([])
        if (within.length > 64) return
        const isComputed = (stretch: Stretch) => within.some(({ from, to }) => from <= stretch.from && stretch.to <= to)
        expect(stretches.filter((stretch) => !isComputed(stretch))).toEqual([])
      }),
    )
  })
})
