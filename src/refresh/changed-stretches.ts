import type { RollupDefinition } from '../dataset/definition'
import type { Written } from '../storage/write-sql'
import { bucketEnd } from '../time/buckets'
import { GRANULARITIES } from '../time/granularity'
import { clipStretches, coverStretches, type Stretch } from '../time/stretch'

/** Buckets of one table in which rows changed. */
export interface ChangedBuckets {
  readonly rollup: Pick<RollupDefinition, 'granularity' | 'timezone'>
  /** Each bucket; where they are too many to be told, one stretch that holds them all. */
  readonly buckets: readonly Stretch[]
  readonly isEach: boolean
  /** What was computed anew, on the boundaries of the dataset's own buckets: what changed lies in it. */
  readonly within: readonly Stretch[]
}

/** A version tells of no more stretches than this; the smallest gaps between them are filled. */
const MOST_STRETCHES = 64

/** The buckets that a write to a table changed. */
export function changedBuckets(
  rollup: Pick<RollupDefinition, 'granularity' | 'timezone'>,
  { buckets, isEach }: Pick<Written, 'buckets' | 'isEach'>,
  within: readonly Stretch[],
): ChangedBuckets {
  const each = buckets.map((from) => ({ from, to: bucketEnd(from, rollup.granularity, rollup.timezone) }))
  const first = each[0]
  const last = each.at(-1)
  if (isEach || first === undefined || last === undefined) return { rollup, buckets: each, isEach, within }
  return { rollup, buckets: [{ from: first.from, to: last.to }], isEach, within }
}

function overlaps(stretches: readonly Stretch[], { from, to }: Stretch): boolean {
  return stretches.some((stretch) => stretch.from < to && from < stretch.to)
}

/** What of a bucket may be what changed: never nothing. */
function narrow(bucket: Stretch, within: readonly Stretch[]): readonly Stretch[] {
  const narrowed = within.flatMap((stretch) => clipStretches([stretch], bucket))
  return narrowed.length > 0 ? narrowed : [bucket]
}

/**
 * The stretches of time, at most 64, such that every question that read one of the buckets asks for some instant in them.
 *
 * Whoever reads a bucket asks for all of it. So a month that changed needs not be among them whole: what was computed anew of
 * it will do, and where finer buckets within it changed as well, those alone.
 */
export function narrowChanges(changed: readonly ChangedBuckets[]): readonly Stretch[] {
  const rank = ({ rollup }: ChangedBuckets) => GRANULARITIES.indexOf(rollup.granularity)
  let stretches: readonly Stretch[] = []
  for (const { buckets, isEach, within } of changed.toSorted((a, b) => rank(a) - rank(b))) {
    const added = buckets
      .filter((bucket) => !(isEach && overlaps(stretches, bucket)))
      .flatMap((bucket) => narrow(bucket, within))
    stretches = coverStretches([...stretches, ...added], MOST_STRETCHES)
  }
  return stretches
}
