import type { DataSource } from 'typeorm'
import type { LayoutDefinition } from '../dataset/definition'
import { quoteIdentifier } from '../dataset/sql'
import { captureFunctions } from './capture-sql'
import { SERVED_WITHIN } from './layouts'
import { type Query, withConnection, withTransaction } from './query'
import { readRecipe } from './recipe'
import { censusTable, layoutId, rollupTables } from './rollup-table'
import { schemaOf } from './schema'

/** A layout that nobody serves any more. */
export interface UnservedLayout {
  readonly id: string
  readonly dataset: string
}

/** How long dropping triggers may wait for the table's writers, and their successors for it. */
const LOCK_TIMEOUT_MS = 200

/**
 * Lists the layouts that no process has served for an hour, but those to be kept. Of a dataset whose layout is to be kept,
 * others are listed only once that one is built: they may hold history that it still has to copy. Other datasets count as
 * removed if `includesRemoved`. Layouts of the release before, which announces none, are not among them.
 */
export async function listUnserved(
  dataSource: DataSource,
  kept: readonly LayoutDefinition[],
  includesRemoved: boolean,
): Promise<readonly UnservedLayout[]> {
  const schema = schemaOf(dataSource)
  const { rows } = await withConnection(dataSource, (query) =>
    query(
      `SELECT id, dataset FROM ${schema}.layout LEFT JOIN ${schema}.serving ON layout = id
       WHERE recipe IS NOT NULL AND id <> ALL ($2::text[]) AND greatest(seen_at, created_at) < now() - ${SERVED_WITHIN}
         AND CASE WHEN dataset = ANY ($1::text[])
           THEN dataset IN (SELECT dataset FROM ${schema}.layout WHERE id = ANY ($2::text[]) AND ready_at IS NOT NULL)
           ELSE $3::boolean END
       ORDER BY id`,
      [kept.map(({ name }) => name), kept.map(layoutId), includesRemoved],
    ),
  )
  return rows.map(({ id, dataset }) => ({ id: String(id), dataset: String(dataset) }))
}

async function dropTables(query: Query, schema: string, id: string): Promise<boolean> {
  // The condition holds on to the row: a process that begins to serve it now finds it gone, and builds it anew.
  const { rows } = await query(`DELETE FROM ${schema}.layout WHERE id = $1 RETURNING recipe`, [id])
  const [row] = rows
  if (row === undefined) return false
  const definition = readRecipe(row.recipe)
  if (definition === null) throw new Error(`A newer release wrote the layout ${id}; let that release prune it.`)
  for (const { name } of [...rollupTables(definition), censusTable(definition)]) {
    await query(`DROP TABLE IF EXISTS ${schema}.${quoteIdentifier(name)}`)
  }
  return true
}

/** Drops the triggers of a dataset that none of its layouts needs, and the marks of one that has no layout left. */
async function dropCapture(query: Query, schema: string, dataset: string): Promise<void> {
  const layouts = await query(`SELECT recipe FROM ${schema}.layout WHERE dataset = $1`, [dataset])
  const needed = layouts.rows.flatMap(({ recipe }) => {
    const definition = recipe === null ? null : readRecipe(recipe)
    return definition === null ? [] : captureFunctions(definition, schema).map(({ name }) => name)
  })
  const { rows } = await query(
    `DELETE FROM ${schema}.capture WHERE dataset = $1 AND function <> ALL ($2::text[]) RETURNING function`,
    [dataset, needed],
  )
  for (const name of new Set(rows.map((row) => String(row.function)))) {
    await query(`DROP FUNCTION IF EXISTS ${schema}.${quoteIdentifier(name)}() CASCADE`)
  }
  if (layouts.rows.length === 0) await query(`DELETE FROM ${schema}.dirty WHERE dataset = $1`, [dataset])
}

/** Removes a layout with its tables, and the triggers that only it needed. False when somebody else has. */
export async function pruneLayout(dataSource: DataSource, { id, dataset }: UnservedLayout): Promise<boolean> {
  const schema = schemaOf(dataSource)
  const isDropped = await withTransaction(dataSource, 'READ COMMITTED', (query) => dropTables(query, schema, id))
  await withTransaction(dataSource, 'READ COMMITTED', async (query) => {
    await query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`)
    await dropCapture(query, schema, dataset)
  })
  return isDropped
}
