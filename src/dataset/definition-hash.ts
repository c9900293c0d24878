import { createHash } from 'node:crypto'
import type { Definition } from './definition'
import { hashesValues } from './measures/count-distinct'

/** What the rollups of a definition hang on beside it. */
export interface Installation {
  /** Unique among databases; empty before the first migration. */
  readonly id: string
  /** How the server hashes values: states that were made of other hashes cannot be merged with new ones. */
  readonly hashing: string
}

/** Raised when the same definition begins to mean other rollups. */
const FORMAT = 2
const DIGITS = 16

/**
 * Returns the name of the layout: a digest of what changes the rollups' content. Words for people, units, formats, the way
 * of refreshing and what is computed only after merging leave it as it is. The installation takes part, since the name is
 * also that of entries in a cache which other databases may share.
 */
export function hashDefinition(
  definition: Omit<Definition, 'hash' | 'meaning'>,
  { id, hashing }: Installation,
): string {
  const columns = new Map(definition.dimensions.map(({ name, column }) => [name, column]))
  const content = [
    FORMAT,
    id,
    definition.states.some(({ build }) => hashesValues(build)) ? hashing : null,
    definition.name,
    definition.sourceSql,
    definition.timeSql,
    definition.timeType,
    definition.granularity,
    definition.dimensions.map(({ column, type, sql }) => [column, type, sql]),
    definition.states.map(({ column, sqlType, build, merge }) => [column, sqlType, build, merge('state')]),
    definition.rollups.map(({ by, granularity, timezone, keep }) => [
      by.map((name) => columns.get(name)),
      granularity,
      timezone,
      keep,
    ]),
  ]
  return digest(content)
}

/** Returns a digest of what is computed after merging: cached answers and cursors hang on it, rollups do not. */
export function hashMeaning({ measures }: Pick<Definition, 'measures'>): string {
  return digest(
    measures.map(({ name, algebra: { type, nullable, states, inputs, finalise } }) => {
      const operands = [...states.map(({ column }) => column), ...inputs]
      return [name, type, nullable, operands, finalise(operands)]
    }),
  )
}

function digest(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, DIGITS)
}
