import type { ColumnType, DimensionType } from './column-type'
import type { Complaints } from './complaints'
import type { DimensionDefinition } from './definition'
import { typeExpression } from './expression-types'
import { snakeCase } from './names'
import type { ReadDimension } from './read-members'
import type { SourceDescription } from './source-description'
import { takeColumn } from './unique-column'

interface Kept {
  readonly type: DimensionType
  /** Turns a value of the source into the value that rollups keep. */
  readonly keep: (sql: string) => string
}

// Text is compared by its bytes, so that groups and their order do not hang on the database's locale.
const asText = (sql: string) => `${sql}::text collate "C"`
const asInteger = (sql: string) => `${sql}::integer`
const asItIs = (sql: string) => sql
// `infinity` and dates beyond the years 1 to 9999 are none that a client could read: they are no value.
const asDate = (sql: string) => `CASE WHEN ${sql} BETWEEN '0001-01-01' AND '9999-12-31' THEN ${sql} END`

const KEPT: Partial<Readonly<Record<ColumnType, Kept>>> = {
  text: { type: 'text', keep: asText },
  uuid: { type: 'uuid', keep: asText },
  enum: { type: 'enum', keep: asText },
  smallint: { type: 'integer', keep: asInteger },
  integer: { type: 'integer', keep: asInteger },
  boolean: { type: 'boolean', keep: asItIs },
  date: { type: 'date', keep: asDate },
}

const EXPECTED = {
  role: 'The dimension',
  types: Object.keys(KEPT) as ColumnType[],
  wanted: 'text, uuid, an enum, smallint, integer, boolean or date: cast it, for example { sql: "account::text" }',
}

/** Gives dimensions their type and their column in the rollups. */
export function defineDimensions(
  dimensions: readonly ReadDimension[],
  description: SourceDescription,
  taken: Set<string>,
  complaints: Complaints,
): readonly DimensionDefinition[] {
  return dimensions.flatMap(({ name, label, description: about, from }) => {
    const typed = typeExpression(from, description, EXPECTED, complaints.of(name))
    const kept = typed === null ? undefined : KEPT[typed.type]
    if (typed === null || kept === undefined) return []
    const column = takeColumn(snakeCase(name), taken)
    return { name, column, label, description: about, type: kept.type, sql: kept.keep(typed.sql) }
  })
}
