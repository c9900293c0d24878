import type { LayoutDefinition } from '../dataset/definition'
import { type History, type LayoutVersion, readHistory } from './changes'
import { epochOf, readNumber } from './instants'
import type { Query } from './query'
import { readRecipe, writeRecipe } from './recipe'
import { censusTable, createTable, layoutId, rollupTables } from './rollup-table'

/** What a question has to know of a layout before it is asked. Plain JSON: it is shared through the cache's register. */
export interface LayoutState {
  readonly isReady: boolean
  /** Whether every change of the source is captured as it is committed. */
  readonly isExact: boolean
  /** Start of the first bucket and end of the last, at the dataset's granularity, in epoch milliseconds; null: no rows. */
  readonly dataFrom: number | null
  readonly dataTo: number | null
  /** The moment of the source that the rollups show, in epoch milliseconds. */
  readonly dataAsOf: number | null
  /** Rows of each rollup, by its index. */
  readonly rows: readonly number[]
  /** Where each rollup begins, in epoch milliseconds, by its index; null: it holds all there ever was. */
  readonly keptFrom: readonly (number | null)[]
}

export interface VersionedState {
  readonly version: LayoutVersion
  readonly history: History
  readonly data: LayoutState
}

function readNumbers(value: unknown): (number | null)[] {
  return Array.isArray(value) ? value.map(readNumber) : []
}

/** Reads the states of the given layouts in one statement. A layout that was never registered is absent. */
export async function readLayoutStates(
  query: Query,
  schema: string,
  ids: readonly string[],
): Promise<Map<string, VersionedState>> {
  const { rows } = await query(
    `SELECT id, seq::text AS seq, version::text AS version, changes, lineage, ready_at IS NOT NULL AS is_ready,
       is_exact, ${epochOf('data_from')} AS data_from, ${epochOf('data_to')} AS data_to, ${epochOf('data_as_of')} AS data_as_of,
       (SELECT coalesce(json_agg(row_count ORDER BY position), '[]') FROM ${schema}.rollup WHERE layout = id) AS rows,
       (SELECT coalesce(json_agg(${epochOf('kept_from')} ORDER BY position), '[]') FROM ${schema}.rollup WHERE layout = id) AS kept_from
     FROM ${schema}.layout WHERE id = ANY ($1::text[])`,
    [ids],
  )
  return new Map(
    rows.map((row) => {
      const version = { seq: Number(row.seq), uuid: String(row.version) }
      const data = {
        isReady: row.is_ready === true,
        isExact: row.is_exact === true,
        dataFrom: readNumber(row.data_from),
        dataTo: readNumber(row.data_to),
        dataAsOf: readNumber(row.data_as_of),
        rows: readNumbers(row.rows).map((count) => count ?? 0),
        keptFrom: readNumbers(row.kept_from),
      }
      return [String(row.id), { version, history: readHistory(version, row.changes, row.lineage), data }]
    }),
  )
}

/** Registers the layout of a definition and creates its empty tables, once; call it in a transaction. */
export async function registerLayout(query: Query, schema: string, definition: LayoutDefinition): Promise<void> {
  const id = layoutId(definition)
  const recipe = writeRecipe(definition)
  const known = await query(`SELECT recipe, recipe = $2::jsonb AS is_same FROM ${schema}.layout WHERE id = $1`, [
    id,
    recipe,
  ])
  const [row] = known.rows
  if (row?.is_same === true) return
  if (row !== undefined && row.recipe !== null && readRecipe(row.recipe) === null)
    throw new NewerReleaseError(definition.name)
  const { rows } = await query(
    `INSERT INTO ${schema}.layout AS known (id, dataset, recipe) VALUES ($1, $2, $3::jsonb)
     ON CONFLICT (id) DO UPDATE SET recipe = $3::jsonb RETURNING xmax = 0 AS is_new`,
    [id, definition.name, recipe],
  )
  if (rows[0]?.is_new !== true) return
  const tables = rollupTables(definition)
  for (const table of [...tables, censusTable(definition)]) {
    for (const statement of createTable(definition, table, schema)) await query(statement)
  }
  for (const { rollup, name } of tables) {
    await query(`INSERT INTO ${schema}.rollup (layout, position, name, table_name) VALUES ($1, $2, $3, $4)`, [
      id,
      rollup.index,
      rollup.name,
      name,
    ])
  }
}

/** A layout that has to be kept current, whichever release declared it. */
export interface LiveLayout {
  readonly id: string
  readonly definition: LayoutDefinition
  readonly isReady: boolean
  /** Buckets from here on are built; null: none yet; -∞: all. */
  readonly builtFrom: number | null
  /** Whether a change was not taken over, so that nothing short of a rebuild will do. */
  readonly isBehind: boolean
  readonly dataFrom: number | null
  readonly dataTo: number | null
  readonly keptFrom: readonly (number | null)[]
}

/** A newer release serves the dataset in a form that this one does not know, and keeps all its layouts current itself. */
export class NewerReleaseError extends Error {
  constructor(dataset: string) {
    super(`A newer release serves "${dataset}" and refreshes it for every release. This one leaves it alone.`)
  }
}

/** Layouts that nobody has announced for longer are not served any more. */
export const SERVED_WITHIN = `interval '1 hour'`

/**
 * Reads the layouts of a dataset that some process serves, and the one asked for.
 *
 * @throws NewerReleaseError when one of them is of a newer release.
 */
export async function readLiveLayouts(
  query: Query,
  schema: string,
  dataset: string,
  own: string,
): Promise<readonly LiveLayout[]> {
  const { rows } = await query(
    `SELECT id, recipe, ready_at IS NOT NULL AS is_ready, is_behind, ${epochOf('built_from')} AS built_from,
       ${epochOf('data_from')} AS data_from, ${epochOf('data_to')} AS data_to,
       (SELECT coalesce(json_agg(${epochOf('kept_from')} ORDER BY position), '[]') FROM ${schema}.rollup WHERE rollup.layout = id) AS kept_from
     FROM ${schema}.layout LEFT JOIN ${schema}.serving ON serving.layout = id
     WHERE dataset = $1 AND recipe IS NOT NULL AND (id = $2 OR seen_at > now() - ${SERVED_WITHIN})
     ORDER BY id = $2 DESC, id`,
    [dataset, own],
  )
  return rows.map((row) => {
    const definition = readRecipe(row.recipe)
    if (definition === null) throw new NewerReleaseError(dataset)
    return {
      id: String(row.id),
      definition,
      isReady: row.is_ready === true,
      builtFrom: readNumber(row.built_from),
      isBehind: row.is_behind === true,
      dataFrom: readNumber(row.data_from),
      dataTo: readNumber(row.data_to),
      keptFrom: readNumbers(row.kept_from),
    }
  })
}

/** Whether this user may build and refresh, or only read what others have built. */
export async function mayWrite(query: Query, schema: string): Promise<boolean> {
  const { rows } = await query(`SELECT has_table_privilege($1, 'UPDATE') AS may`, [`${schema}.layout`])
  return rows[0]?.may === true
}

/** Says that this process serves the given layouts; whoever refreshes keeps them current for the next hour. */
export async function announceLayouts(query: Query, schema: string, ids: readonly string[]): Promise<void> {
  await query(`SELECT ${schema}.announce($1::text[])`, [ids])
}
