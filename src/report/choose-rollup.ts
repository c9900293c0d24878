import type { Definition, RollupDefinition } from '../dataset/definition'
import { NoRollupError } from '../errors'
import type { LayoutState } from '../storage/layouts'
import { bucketStart } from '../time/buckets'
import { type Granularity, isCalendar, isMadeOf, nameGranularity, STEP_SECONDS } from '../time/granularity'
import { offsetTransitions } from '../time/time-zone'
import type { Frame } from './frame'

/** What a part needs of a rollup. */
export interface Need {
  /** Declared dimensions that it groups or filters by, the scope's included. */
  readonly dimensions: readonly string[]
  /** Units of time, in the report's zone, that it cuts the range into. */
  readonly units: readonly Granularity[]
  readonly frame: Frame
}

function hasSameOffsets(a: string, b: string, from: number, to: number): boolean {
  if (a === b) return true
  return JSON.stringify(offsetTransitions(a, from, to)) === JSON.stringify(offsetTransitions(b, from, to))
}

/** The start of the first bucket that a part reads, which over all data may begin before the data do. */
export function firstBucket(rollup: RollupDefinition, frame: Frame): number {
  return bucketStart(frame.span.from, rollup.granularity, rollup.timezone)
}

function unitFault(rollup: RollupDefinition, unit: Granularity, frame: Frame): string | null {
  if (!isMadeOf(unit, rollup.granularity))
    return `its ${nameGranularity(rollup.granularity)} buckets do not make up ${nameGranularity(unit)} buckets`
  if (isCalendar(rollup.granularity)) {
    return hasSameOffsets(rollup.timezone, frame.zone, firstBucket(rollup, frame), frame.span.to)
      ? null
      : `its buckets follow the clocks of ${rollup.timezone}, not of ${frame.timezone}`
  }
  const step = STEP_SECONDS[rollup.granularity]
  const fits = offsetTransitions(frame.zone, frame.span.from, frame.span.to).every(
    ({ offsetSeconds }) => offsetSeconds % step === 0,
  )
  return fits
    ? null
    : `${nameGranularity(unit)} buckets in ${frame.timezone} begin inside its ${nameGranularity(rollup.granularity)} buckets`
}

function boundFault(rollup: RollupDefinition, bound: number | null, frame: Frame): string | null {
  if (bound === null || bucketStart(bound, rollup.granularity, rollup.timezone) === bound) return null
  return `${frame.format(bound)} lies inside one of its ${nameGranularity(rollup.granularity)} buckets`
}

/** Says everything that keeps a rollup from answering a part; nothing if it can. */
export function faultsOf(rollup: RollupDefinition, need: Need): string[] {
  const missing = need.dimensions.filter((name) => !rollup.by.includes(name))
  const faults = [
    missing.length > 0 ? `it does not keep ${missing.join(', ')}` : null,
    ...need.units.map((unit) => unitFault(rollup, unit, need.frame)),
    boundFault(rollup, need.frame.readFrom, need.frame),
    boundFault(rollup, need.frame.readTo, need.frame),
  ]
  return [...new Set(faults.filter((fault) => fault !== null))]
}

/**
 * Chooses the smallest rollup (by rows) that can answer a part.
 *
 * @throws NoRollupError saying what is missing, and the nearest rollup.
 */
export function chooseRollup(definition: Definition, state: LayoutState, need: Need): RollupDefinition {
  const bySize = definition.rollups
    .map((rollup) => ({ rollup, rows: state.rows[rollup.index] ?? 0, faults: faultsOf(rollup, need) }))
    .sort((a, b) => a.faults.length - b.faults.length || a.rows - b.rows || a.rollup.index - b.rollup.index)
  const [best] = bySize
  if (best === undefined) throw new NoRollupError(definition.name, 'none is declared', null)
  if (best.faults.length === 0) return best.rollup
  const asked = [
    need.dimensions.length > 0 ? `dimensions ${need.dimensions.join(', ')}` : null,
    need.units.length > 0 ? `${need.units.map(nameGranularity).join(' and ')} buckets in ${need.frame.timezone}` : null,
  ].filter((text) => text !== null)
  const needs = asked.length > 0 ? `it needs ${asked.join(' and ')}` : 'its range does not fit'
  throw new NoRollupError(definition.name, needs, `${best.rollup.name}, but ${best.faults.join(', and ')}`)
}
