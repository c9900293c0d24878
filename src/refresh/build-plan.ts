import type { LayoutDefinition, RollupDefinition } from '../dataset/definition'
import { censusTable, type RollupTable, rollupTables } from '../storage/rollup-table'
import { GRANULARITIES, isCalendar, isMadeOf, STEP_SECONDS } from '../time/granularity'
import type { Stretch } from '../time/stretch'
import { offsetTransitions } from '../time/time-zone'

/** One table, and the finer one whose rows it can be made of; null: only the source will do. */
export interface BuildStep {
  readonly table: RollupTable
  readonly finer: RollupTable | null
}

/** Whether every bucket of `coarse` is a union of buckets of `fine`, over the given stretch. */
function isBuiltFrom(coarse: RollupDefinition, fine: RollupDefinition, extent: Stretch): boolean {
  if (!coarse.by.every((name) => fine.by.includes(name))) return false
  if (!isMadeOf(coarse.granularity, fine.granularity)) return false
  if (coarse.timezone === fine.timezone || !isCalendar(coarse.granularity)) return true
  if (isCalendar(fine.granularity)) return false
  const step = STEP_SECONDS[fine.granularity]
  return offsetTransitions(coarse.timezone, extent.from, extent.to).every(
    ({ offsetSeconds }) => offsetSeconds % step === 0,
  )
}

/**
 * Orders the tables of a layout, the census first, so that each is made from a finer one where that is possible over the
 * given stretch, from the source where it is not.
 */
export function planBuild(definition: LayoutDefinition, extent: Stretch): BuildStep[] {
  const finestFirst = rollupTables(definition).sort(
    ({ rollup: a }, { rollup: b }) =>
      b.by.length - a.by.length || GRANULARITIES.indexOf(a.granularity) - GRANULARITIES.indexOf(b.granularity),
  )
  const steps = finestFirst.map((table, position) => {
    // The last that fits is the coarsest, hence the smallest, of those that are made by then.
    const finer = finestFirst
      .slice(0, position)
      .findLast((candidate) => isBuiltFrom(table.rollup, candidate.rollup, extent))
    return { table, finer: finer ?? null }
  })
  return [{ table: censusTable(definition), finer: null }, ...steps]
}
