import type { LayoutDefinition, RollupDefinition } from '../dataset/definition'
import { quoteIdentifier } from '../dataset/sql'
import { epochOf, instantText, readNumber } from './instants'
import { writeInstant } from './parameters'
import type { Query } from './query'
import { readRecipe } from './recipe'
import { censusTable, layoutId, type RollupTable, rollupTables } from './rollup-table'

/** An earlier layout of a dataset, which holds buckets that the source cannot give any more. */
export interface EarlierLayout {
  readonly id: string
  readonly definition: LayoutDefinition
  readonly keptFrom: readonly (number | null)[]
}

/** Reads the layout of a dataset that was served last, apart from the given one; null when there is none. */
export async function readEarlierLayout(
  query: Query,
  schema: string,
  definition: LayoutDefinition,
): Promise<EarlierLayout | null> {
  const { rows } = await query(
    `SELECT id, recipe, (SELECT json_agg(${epochOf('kept_from')} ORDER BY position) FROM ${schema}.rollup WHERE layout = id) AS kept_from
     FROM ${schema}.layout WHERE dataset = $1 AND id <> $2 AND recipe IS NOT NULL AND ready_at IS NOT NULL
     ORDER BY data_as_of DESC NULLS LAST LIMIT 1`,
    [definition.name, layoutId(definition)],
  )
  const [row] = rows
  const earlier = row === undefined ? null : readRecipe(row.recipe)
  if (row === undefined || earlier === null) return null
  const keptFrom = Array.isArray(row.kept_from) ? row.kept_from.map(readNumber) : []
  return { id: String(row.id), definition: earlier, keptFrom }
}

type State = LayoutDefinition['states'][number]

function contentOf({ sqlType, build, merge }: State): string {
  return JSON.stringify([sqlType, build, merge('state')])
}

function sameBuckets(a: RollupDefinition, b: RollupDefinition): boolean {
  return a.granularity === b.granularity && a.timezone === b.timezone
}

/** The columns of `from` that hold what the columns of `to` shall, in their order; null when one is missing. */
function matchColumns(from: RollupTable, to: RollupTable): string[] | null {
  const dimensions = to.dimensions.map((dimension) =>
    from.dimensions.find(({ sql, type }) => sql === dimension.sql && type === dimension.type),
  )
  const states = to.states.map((state) => from.states.find((known) => contentOf(known) === contentOf(state)))
  if (from.dimensions.length !== to.dimensions.length) return null
  const columns = [...dimensions, ...states].map((found) => found?.column)
  const found = columns.filter((column) => column !== undefined)
  return found.length === columns.length ? ['bucket', ...found.map(quoteIdentifier)] : null
}

/** An earlier table from whose rows those of `to` can be copied as they are, with its columns. */
export function findSameTable(
  earlier: LayoutDefinition,
  to: RollupTable,
): { readonly table: RollupTable; readonly columns: readonly string[] } | null {
  const candidates = to.isRollup ? rollupTables(earlier) : [censusTable(earlier)]
  for (const table of candidates) {
    const columns = sameBuckets(table.rollup, to.rollup) ? matchColumns(table, to) : null
    if (columns !== null) return { table, columns }
  }
  return null
}

/** Copies the buckets that start before an instant from an earlier table; tells how many rows that were. */
export async function copyBuckets(
  query: Query,
  schema: string,
  from: { readonly table: RollupTable; readonly columns: readonly string[] },
  to: RollupTable,
  before: number,
): Promise<number> {
  const columns = ['bucket', ...[...to.dimensions, ...to.states].map(({ column }) => quoteIdentifier(column))]
  const { affected } = await query(
    `INSERT INTO ${schema}.${quoteIdentifier(to.name)} (${columns.join(', ')})
     SELECT ${from.columns.join(', ')} FROM ${schema}.${quoteIdentifier(from.table.name)} WHERE bucket < '${writeInstant(before)}'`,
  )
  return affected
}

/** Says from where on a rollup holds what there was. */
export async function saveKeptFrom(
  query: Query,
  schema: string,
  layout: string,
  position: number,
  instant: number | null,
): Promise<void> {
  await query(`UPDATE ${schema}.rollup SET kept_from = $3 WHERE layout = $1 AND position = $2`, [
    layout,
    position,
    instantText(instant),
  ])
}
