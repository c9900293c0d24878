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
  /** What turns a value of the source into the value that rollups keep. */
  readonly cast: string
}

// Text is compared by its bytes, so that groups and their order do not hang on the database's locale.
const AS_TEXT = '::text collate "C"'

const KEPT: Partial<Readonly<Record<ColumnType, Kept>>> = {
  text: { type: 'text', cast: AS_TEXT },
  uuid: { type: 'uuid', cast: AS_TEXT },
  enum: { type: 'enum', cast: AS_TEXT },
  smallint: { type: 'integer', cast: '::integer' },
  integer: { type: 'integer', cast: '::integer' },
  boolean: { type: 'boolean', cast: '' },
  date: { type: 'date', cast: '' },
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
    return { name, column, label, description: about, type: kept.type, sql: `${typed.sql}${kept.cast}` }
  })
}
