import type { Definition, RollupDefinition } from '../dataset/definition'
import type { Origin } from '../storage/rollup-table'
import { GRANULARITIES, isCalendar, isMadeOf, STEP_SECONDS } from '../time/granularity'
import { offsetTransitions } from '../time/time-zone'

/** The stretch of time that the source covers, in epoch milliseconds, both ends included. */
export interface Extent {
  readonly first: number
  readonly last: number
}

export interface BuildStep {
  readonly rollup: RollupDefinition
  readonly origin: Origin
}

/** Whether every bucket of `coarse` is a union of buckets of `fine`, over the given stretch. */
function isBuiltFrom(coarse: RollupDefinition, fine: RollupDefinition, extent: Extent): boolean {
  if (!coarse.by.every((name) => fine.by.includes(name))) return false
  if (!isMadeOf(coarse.granularity, fine.granularity)) return false
  if (coarse.timezone === fine.timezone || !isCalendar(coarse.granularity)) return true
  if (isCalendar(fine.granularity)) return false
  const step = STEP_SECONDS[fine.granularity]
  return offsetTransitions(coarse.timezone, extent.first, extent.last + 1).every(
    ({ offsetSeconds }) => offsetSeconds % step === 0,
  )
}

/**
 * Orders the rollups of a layout so that each is built from a finer one where that is possible, from the source where it
 * is not.
 */
export function planBuild(definition: Definition, extent: Extent): BuildStep[] {
  const finestFirst = definition.rollups.toSorted(
    (a, b) => b.by.length - a.by.length || GRANULARITIES.indexOf(a.granularity) - GRANULARITIES.indexOf(b.granularity),
  )
  return finestFirst.map((rollup, position) => {
    // The last that fits is the coarsest, hence the smallest, of those that are built by then.
    const finer = finestFirst.slice(0, position).findLast((candidate) => isBuiltFrom(rollup, candidate, extent))
    return { rollup, origin: finer === undefined ? { kind: 'source' } : { kind: 'rollup', rollup: finer } }
  })
}
