import { type BaseGranularity, GRANULARITIES, type Granularity, isCalendar, isMadeOf } from '../time/granularity'
import type { Complaints } from './complaints'
import type { Definition, RollupDefinition } from './definition'
import type { ReadDeclaration } from './read-declaration'

function nameRollup(by: readonly string[], granularity: Granularity, timezone: string): string {
  const size = timezone === 'UTC' ? granularity : `${granularity} (${timezone})`
  return [size, ...by].join(' × ')
}

/** Whether a rollup can be made of a finer one that forgets nothing. */
function hasFiner(rollup: RollupDefinition, rollups: readonly RollupDefinition[]): boolean {
  return rollups.some(
    ({ by, granularity, timezone, keep }) =>
      granularity !== rollup.granularity &&
      isMadeOf(rollup.granularity, granularity) &&
      rollup.by.every((name) => by.includes(name)) &&
      (timezone === rollup.timezone || !isCalendar(granularity)) &&
      keep === null,
  )
}

/** A bucket that is made from the source freezes whole as soon as the first of its rows may be purged. */
function checkFrozen(
  rollups: readonly RollupDefinition[],
  textOf: ReadonlyMap<string, string>,
  complaints: Complaints,
): void {
  for (const rollup of rollups) {
    if (isMadeOf('day', rollup.granularity) || hasFiner(rollup, rollups)) continue
    complaints.add(
      `${textOf.get(rollup.name)} is made from the source, and with sourceKeeps a ${rollup.granularity} of it would freeze while its last days still change; add a finer rollup of the same dimensions without keep, such as { by: ${JSON.stringify(rollup.by)}, granularity: "day" }.`,
    )
  }
}

/**
 * Returns the rollups in their order: the base rollup first when there is one. Dimensions come in the order of the
 * declaration, those of the scope first, because every question filters by them.
 */
export function defineRollups(
  read: ReadDeclaration,
  granularity: BaseGranularity,
  timeType: Definition['timeType'],
  complaints: Complaints,
): readonly RollupDefinition[] {
  const names = read.dimensions.map(({ name }) => name)
  const scoped = names.filter((name) => Object.hasOwn(read.scope, name))
  const ordered = [...scoped, ...names.filter((name) => !scoped.includes(name))]
  const base = { text: 'the base rollup', by: names, granularity, timezone: null, keep: null }
  const textOf = new Map<string, string>()
  const rollups: RollupDefinition[] = []
  for (const rollup of read.base ? [base, ...read.rollups] : read.rollups) {
    const by = ordered.filter((name) => rollup.by.includes(name))
    const hasZone = isCalendar(rollup.granularity) && timeType !== 'date'
    const timezone = hasZone ? (rollup.timezone ?? read.timezone) : 'UTC'
    const name = nameRollup(by, rollup.granularity, timezone)
    const equal = textOf.get(name)
    if (GRANULARITIES.indexOf(rollup.granularity) < GRANULARITIES.indexOf(granularity)) {
      complaints.add(
        `${rollup.text} is by ${rollup.granularity}, finer than the dataset, which keeps ${granularity}; make it ${granularity} or coarser.`,
      )
    } else if (equal !== undefined) {
      complaints.add(`${rollup.text} is the same as ${equal} (${name}); leave it out.`)
    }
    textOf.set(name, rollup.text)
    rollups.push({ index: rollups.length, name, by, granularity: rollup.granularity, timezone, keep: rollup.keep })
  }
  if (read.sourceKeeps !== null) checkFrozen(rollups, textOf, complaints)
  return rollups
}
