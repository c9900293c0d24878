import type { LayoutDefinition, RollupDefinition } from '../dataset/definition'
import { quoteIdentifier } from '../dataset/sql'
import { epochOf, instantText, readNumber } from './instants'
import { NewerReleaseError } from './layouts'
import { writeInstant } from './parameters'
import type { Query } from './query'
import { readRecipe } from './recipe'
import { censusTable, columnsOf, layoutId, type RollupTable, rollupTables } from './rollup-table'

/** An earlier layout of a dataset, which holds buckets that the source cannot give any more. */
export interface EarlierLayout {
  readonly id: string
  readonly definition: LayoutDefinition
  readonly keptFrom: readonly (number | null)[]
}

/**
 * Reads the layout of a dataset that was current last, apart from the given one; null when there is none. One that has
 * lapsed will do: what froze while it was served is still right.
 *
 * @throws NewerReleaseError when a newer release wrote it: a build without it would lose its history.
 */
export async function readEarlierLayout(
  query: Query,
  schema: string,
  definition: LayoutDefinition,
): Promise<EarlierLayout | null> {
  const { rows } = await query(
    `SELECT id, recipe, (SELECT json_agg(${epochOf('kept_from')} ORDER BY position) FROM ${schema}.rollup WHERE layout = id) AS kept_from
     FROM ${schema}.layout WHERE dataset = $1 AND id <> $2 AND recipe IS NOT NULL AND built_from = '-infinity' AND data_as_of IS NOT NULL
     ORDER BY data_as_of DESC LIMIT 1`,
    [definition.name, layoutId(definition)],
  )
  const [row] = rows
  if (row === undefined) return null
  const earlier = readRecipe(row.recipe)
  if (earlier === null) throw new NewerReleaseError(definition.name)
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
  // Every census counts the same, only not the values of the same measures: other measures are no reason to lose history.
  if (!to.isRollup) return columnsOf(to)
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

/**
 * Copies the buckets that start before an instant from an earlier table; tells how many rows that were. Those that the table
 * has already stay: they were built when they were not frozen yet.
 */
export async function copyBuckets(
  query: Query,
  schema: string,
  from: { readonly table: RollupTable; readonly columns: readonly string[] },
  to: RollupTable,
  before: number,
): Promise<number> {
  const target = `${schema}.${quoteIdentifier(to.name)}`
  const { affected } = await query(
    `INSERT INTO ${target} (${columnsOf(to).join(', ')})
     SELECT ${from.columns.join(', ')} FROM ${schema}.${quoteIdentifier(from.table.name)}
     WHERE bucket < least('${writeInstant(before)}'::timestamptz, (SELECT min(bucket) FROM ${target}))`,
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
