import type { RollupDefinition } from '../dataset/definition'
import { bucketBoundaries, bucketEnd, bucketStart, countBuckets } from '../time/buckets'
import { isCalendar } from '../time/granularity'
import { type Stretch, uniteStretches } from '../time/stretch'

type Buckets = Pick<RollupDefinition, 'granularity' | 'timezone'>

/** More buckets than this, days of half a century, are not listed one by one. */
const MOST_LISTED = 20_000
const DAY_MS = 86_400_000

/** The first start of a bucket that is not before the instant. */
export function firstStart({ granularity, timezone }: Buckets, instant: number): number {
  if (!Number.isFinite(instant)) return instant
  const start = bucketStart(instant, granularity, timezone)
  return start === instant ? instant : bucketEnd(instant, granularity, timezone)
}

/** The buckets that stretches touch, as stretches on their boundaries. */
export function touchedBuckets(buckets: Buckets, stretches: readonly Stretch[]): Stretch[] {
  const { granularity, timezone } = buckets
  return uniteStretches(
    stretches.map(({ from, to }) => ({
      from: Number.isFinite(from) ? bucketStart(from, granularity, timezone) : from,
      to: firstStart(buckets, to),
    })),
  )
}

/** The buckets that start within stretches, as stretches on their boundaries. */
export function startingBuckets(buckets: Buckets, stretches: readonly Stretch[]): Stretch[] {
  return uniteStretches(
    stretches.map(({ from, to }) => ({ from: firstStart(buckets, from), to: firstStart(buckets, to) })),
  )
}

/** Whether SQL has to be told the boundaries of buckets: it computes those within UTC, and those shorter than a day. */
export function needsBoundaries({ granularity, timezone }: Buckets): boolean {
  return isCalendar(granularity) && timezone !== 'UTC'
}

/**
 * Instants that bound every bucket with data in the given stretches, which are finite and lie on bucket boundaries. In a very
 * long stretch only buckets near the days that hold data are listed, and those at its ends.
 */
export async function listBoundaries(
  { granularity, timezone }: Buckets,
  stretches: readonly Stretch[],
  readDays: (stretch: Stretch) => Promise<readonly number[]>,
): Promise<number[]> {
  const all: number[] = []
  for (const { from, to } of stretches) {
    const list = (a: number, b: number) =>
      all.push(...bucketBoundaries(Math.max(a, from), Math.min(b, to), granularity, timezone))
    if (countBuckets(from, to, granularity, timezone) <= MOST_LISTED) list(from, to)
    else {
      list(from, from + 1)
      // A day of UTC begins in one local day and ends in another.
      for (const day of await readDays({ from, to })) list(day - DAY_MS, day + 2 * DAY_MS)
      list(to - 1, to)
    }
  }
  return [...new Set(all)].sort((a, b) => a - b)
}
