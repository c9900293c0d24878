import type { Definition, RollupDefinition } from '../dataset/definition'
import { NoRollupError } from '../errors'
import type { LayoutState } from '../storage/layouts'
import { bucketEnd, bucketStart } from '../time/buckets'
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

/**
 * The first instant that a part reads and that may have had data; null when there is none. What the source was purged of
 * before it was first read, nobody knows.
 */
function firstRead({ sourceKeeps }: Definition, { dataFrom, dataTo }: LayoutState, frame: Frame): number | null {
  if (dataFrom === null || dataTo === null) return null
  if (frame.readFrom === null) return dataFrom
  if (sourceKeeps !== null) return frame.readFrom
  const first = Math.max(frame.readFrom, dataFrom)
  return first < Math.min(frame.to, dataTo) ? first : null
}

/**
 * Whether a rollup that forgets nothing begins where the dataset's history does. Its first bucket may hold only what was
 * left of it, which is all there is: enough for a question about all data, not for one about that bucket.
 */
function holdsAllHistory(rollup: RollupDefinition, state: LayoutState, keptFrom: number): boolean {
  if (rollup.keep !== null) return false
  const history = Math.min(...state.keptFrom.filter((instant) => instant !== null))
  const isStart = bucketStart(history, rollup.granularity, rollup.timezone) === history
  return keptFrom <= (isStart ? history : bucketEnd(history, rollup.granularity, rollup.timezone))
}

/** Where a rollup begins, when that is later than what a part reads; null when it has all of it. */
function lateStart(definition: Definition, state: LayoutState, rollup: RollupDefinition, frame: Frame): number | null {
  const keptFrom = state.keptFrom[rollup.index] ?? null
  const first = firstRead(definition, state, frame)
  if (keptFrom === null || first === null || keptFrom <= first) return null
  return frame.readFrom === null && holdsAllHistory(rollup, state, keptFrom) ? null : keptFrom
}

/** Says everything about the kind of a rollup that keeps it from answering a part, however long its history. */
function kindFaults(rollup: RollupDefinition, need: Need): string[] {
  const { frame } = need
  const missing = need.dimensions.filter((name) => !rollup.by.includes(name))
  const faults = [
    missing.length > 0 ? `it does not keep ${missing.join(', ')}` : null,
    ...need.units.map((unit) => unitFault(rollup, unit, frame)),
    boundFault(rollup, frame.readFrom, frame),
    boundFault(rollup, frame.readTo, frame),
  ]
  return [...new Set(faults.filter((fault) => fault !== null))]
}

/** Says everything that keeps a rollup from answering a part; nothing if it can. */
export function faultsOf(definition: Definition, state: LayoutState, rollup: RollupDefinition, need: Need): string[] {
  const start = lateStart(definition, state, rollup, need.frame)
  const faults = kindFaults(rollup, need)
  return start === null ? faults : [...faults, `it keeps buckets from ${need.frame.format(start)} on`]
}

/** What no rollup has all of, in words. */
function describeNeed(definition: Definition, state: LayoutState, rollup: RollupDefinition, need: Need): string {
  const { frame, dimensions, units } = need
  const first = firstRead(definition, state, frame)
  const isLate = lateStart(definition, state, rollup, frame) !== null
  const asked = [
    dimensions.length > 0 ? `dimensions ${dimensions.join(', ')}` : null,
    units.length > 0 ? `${units.map(nameGranularity).join(' and ')} buckets in ${frame.timezone}` : null,
    isLate && first !== null ? `data from ${frame.format(first)} on` : null,
  ].filter((text) => text !== null)
  return asked.length > 0 ? `it needs ${asked.join(' and ')}` : 'its range does not fit'
}

/**
 * Chooses the smallest rollup (by rows) that can answer a part.
 *
 * @throws NoRollupError saying what is missing, and the nearest rollup.
 */
export function chooseRollup(definition: Definition, state: LayoutState, need: Need): RollupDefinition {
  const rowsOf = ({ index }: RollupDefinition) => state.rows[index] ?? 0
  const bySize = [...definition.rollups].sort((a, b) => rowsOf(a) - rowsOf(b) || a.index - b.index)
  const smallest = bySize.find((rollup) => faultsOf(definition, state, rollup, need).length === 0)
  if (smallest !== undefined) return smallest
  const [best] = bySize
    .map((rollup) => {
      const faults = faultsOf(definition, state, rollup, need)
      return { rollup, ofKind: kindFaults(rollup, need).length, faults }
    })
    // A rollup of the right kind that begins too late is nearer than any of the wrong kind.
    .sort((a, b) => a.ofKind - b.ofKind || a.faults.length - b.faults.length)
  if (best === undefined) throw new NoRollupError(definition.name, 'none is declared', null)
  throw new NoRollupError(
    definition.name,
    describeNeed(definition, state, best.rollup, need),
    `${best.rollup.name}, but ${best.faults.join(', and ')}`,
  )
}
