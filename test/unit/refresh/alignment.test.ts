import fc from 'fast-check'
import {
  firstStart,
  listBoundaries,
  needsBoundaries,
  startingBuckets,
  touchedBuckets,
} from '../../../src/refresh/alignment'
import { bucketEnd, bucketStart } from '../../../src/time/buckets'
import { GRANULARITIES } from '../../../src/time/granularity'
import { MIN_INSTANT } from '../../../src/time/instant'
import type { Stretch } from '../../../src/time/stretch'
import { ZONES } from '../time/zones'

const DAY_MS = 86_400_000
const at = (text: string) => Date.parse(text)

const buckets = fc.record({ granularity: fc.constantFrom(...GRANULARITIES), timezone: fc.constantFrom(...ZONES) })
const instant = fc.integer({ min: at('2024-01-01Z'), max: at('2027-01-01Z') })
const stretch = fc
  .tuple(instant, fc.integer({ min: 1, max: 3 * DAY_MS }))
  .map(([from, length]): Stretch => ({ from, to: from + length }))
const stretches = fc.array(stretch, { minLength: 1, maxLength: 4 })

const holds = (list: readonly Stretch[], moment: number) => list.some(({ from, to }) => from <= moment && moment < to)

describe('the first start', () => {
  it('is that of the bucket which begins at the instant, or else of the next', () => {
    fc.assert(
      fc.property(buckets, instant, (size, moment) => {
        const start = firstStart(size, moment)
        expect(start).toBeGreaterThanOrEqual(moment)
        expect(bucketStart(start, size.granularity, size.timezone)).toBe(start)
        // No bucket begins between.
        const before = bucketStart(start - 1, size.granularity, size.timezone)
        expect(before).toBeLessThan(moment)
      }),
    )
  })

  it('of all of time is as far away', () => {
    for (const end of [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]) {
      expect(firstStart({ granularity: 'month', timezone: 'Europe/Madrid' }, end)).toBe(end)
    }
  })

  it.each(['UTC', 'Asia/Tokyo', 'America/New_York'])('exists before the first year in %s', (timezone) => {
    for (const granularity of GRANULARITIES) {
      const start = firstStart({ granularity, timezone }, MIN_INSTANT - 400 * DAY_MS)
      expect(start).toBeLessThanOrEqual(bucketStart(MIN_INSTANT + DAY_MS, granularity, timezone))
    }
  })
})

describe('touched buckets', () => {
  it('are whole, hold the stretches, and are no more than that', () => {
    fc.assert(
      fc.property(buckets, stretches, (size, given) => {
        const touched = touchedBuckets(size, given)
        const { granularity, timezone } = size
        for (const { from, to } of touched) {
          expect([bucketStart(from, granularity, timezone), bucketStart(to, granularity, timezone)]).toEqual([from, to])
          // The first and the last bucket hold something of what was given.
          const [first, last] = [bucketEnd(from, granularity, timezone), bucketStart(to - 1, granularity, timezone)]
          expect(given.some((one) => one.from < first && one.to > from)).toBe(true)
          expect(given.some((one) => one.from < to && one.to > last)).toBe(true)
        }
        for (const { from, to } of given) expect([holds(touched, from), holds(touched, to - 1)]).toEqual([true, true])
      }),
    )
  })
})

describe('the buckets that start within stretches', () => {
  it('are the same however time is cut, and none is in two pieces', () => {
    fc.assert(
      fc.property(buckets, stretch, fc.array(instant, { maxLength: 4 }), (size, whole, cuts) => {
        const inside = cuts.filter((cut) => whole.from < cut && cut < whole.to).sort((a, b) => a - b)
        const bounds = [whole.from, ...inside, whole.to]
        const pieces = bounds
          .slice(1)
          .flatMap((to, index) => startingBuckets(size, [{ from: bounds[index] ?? to, to }]))
        const together = startingBuckets(size, [whole])
        const length = (list: readonly Stretch[]) => list.reduce((sum, { from, to }) => sum + to - from, 0)
        expect(length(pieces)).toBe(length(together))
        for (const { from, to } of pieces)
          expect([holds(together, from), holds(together, to - 1)]).toEqual([true, true])
      }),
    )
  })

  it.each([
    ['none where only a part of a bucket is', '2026-03-02T01:00Z', '2026-03-02T23:00Z', []],
    ['one whose end lies outside', '2026-03-02T00:00Z', '2026-03-02T01:00Z', ['2026-03-02Z', '2026-03-03Z']],
    [
      'not the one in which the stretch begins',
      '2026-03-01T12:00Z',
      '2026-03-02T12:00Z',
      ['2026-03-02Z', '2026-03-03Z'],
    ],
  ])('are %s', (_, from, to, expected) => {
    const found = startingBuckets({ granularity: 'day', timezone: 'UTC' }, [{ from: at(from), to: at(to) }])
    expect(found.flatMap((one) => [one.from, one.to])).toEqual(expected.map(at))
  })
})

describe('boundaries', () => {
  it.each([
    ['hour', 'UTC', false],
    ['hour', 'Europe/Madrid', false],
    ['day', 'UTC', false],
    ['day', 'Europe/Madrid', true],
    ['year', 'Asia/Kolkata', true],
  ] as const)('of %s buckets in %s are told to SQL: %p', (granularity, timezone, expected) => {
    expect(needsBoundaries({ granularity, timezone })).toBe(expected)
  })

  it('bound the bucket of every instant that has data, in long stretches too', async () => {
    const sparse = fc.array(fc.integer({ min: at('1960-01-01Z'), max: at('2090-01-01Z') }), {
      minLength: 1,
      maxLength: 6,
    })
    const local = fc.record({
      granularity: fc.constantFrom('day', 'week', 'month', 'year' as const),
      timezone: fc.constantFrom('Europe/Madrid', 'America/New_York', 'Australia/Lord_Howe'),
    })
    await fc.assert(
      fc.asyncProperty(local, sparse, async (size, data) => {
        const extent = touchedBuckets(size, [{ from: Math.min(...data), to: Math.max(...data) + 1 }])
        let reads = 0
        const listed = await listBoundaries(size, extent, async ({ from, to }) => {
          reads += 1
          const days = data
            .filter((moment) => from <= moment && moment < to)
            .map((moment) => moment - (moment % DAY_MS))
          return [...new Set(days)]
        })
        expect(listed).toEqual([...new Set(listed)].sort((a, b) => a - b))
        expect(listed.length).toBeLessThan(21_000)
        expect(reads).toBeLessThanOrEqual(1)
        for (const moment of data) {
          expect(listed.findLast((boundary) => boundary <= moment)).toBe(
            bucketStart(moment, size.granularity, size.timezone),
          )
          expect(listed.find((boundary) => boundary > moment)).toBe(bucketEnd(moment, size.granularity, size.timezone))
        }
      }),
      { numRuns: 30 },
    )
  })
})
