import { bucketAt, isClockUnit, isUnionOf, type Unit, zoned } from './calendar'
import { IMPLIED, type OracleDataset, type OracleRollup } from './dataset'
import { isImplied } from './filter'
import type { Stretch } from './range'

/** What a part of a question needs. */
export interface PartNeed {
  /** Dimensions that it groups or filters by. */
  readonly names: readonly string[]
  readonly unit: Unit | null
  readonly zone: string
  readonly stretch: Stretch
  /** False for all data, which has no bounds. */
  readonly isBounded: boolean
}

/** Instants at which the clocks of either zone change, and the ends. */
function momentsOf(zones: readonly string[], { from, to }: Stretch): number[] {
  const moments = [from, to - 1]
  for (const zone of zones) {
    let at = zoned(from, zone).getTimeZoneTransition('next')
    while (at !== null && at.epochMilliseconds < to) {
      moments.push(at.epochMilliseconds)
      at = at.getTimeZoneTransition('next')
    }
  }
  return moments
}

function isCovering(rollup: OracleRollup, need: PartNeed): boolean {
  const declared = need.names.filter((name) => !isImplied(name))
  if (!declared.every((name) => rollup.by.includes(name))) return false
  const implied = IMPLIED.filter(({ name }) => need.names.includes(name)).map(({ needs }) => needs)
  const units = [...implied, ...(need.unit === null ? [] : [need.unit])]
  if (!units.every((unit) => isUnionOf(unit, rollup.granularity))) return false
  const { from, to } = need.stretch
  const begins = (bound: number) => bucketAt(bound, rollup.granularity, rollup.timezone).start === bound
  if (need.isBounded && !(begins(from) && begins(to))) return false
  if (units.length === 0 || isClockUnit(rollup.granularity) || need.zone === rollup.timezone) return true
  // Over all data, the first bucket may begin before the data do.
  const whole = { from: bucketAt(from, rollup.granularity, rollup.timezone).start, to }
  const offsets = (zone: string) => (moment: number) => zoned(moment, zone).offsetNanoseconds
  return momentsOf([need.zone, rollup.timezone], whole).every(
    (moment) => offsets(need.zone)(moment) === offsets(rollup.timezone)(moment),
  )
}

/** Whether any rollup can answer the part exactly; if none can, the part must be refused. */
export function isCovered(dataset: OracleDataset, need: PartNeed): boolean {
  return dataset.rollups.some((rollup) => isCovering(rollup, need))
}
