import { setTimeout as wait } from 'node:timers/promises'
import type { DataSource } from 'typeorm'
import type { LayoutDefinition } from '../dataset/definition'
import { quoteIdentifier } from '../dataset/sql'
import { RefreshError } from '../errors'
import { captureFunctions } from './capture-sql'
import { SERVED_WITHIN } from './layouts'
import { codeOf } from './postgres-errors'
import { type Query, withConnection, withTransaction } from './query'
import { RECIPE_FORMAT, readRecipe } from './recipe'
import { censusTable, layoutId, rollupTables } from './rollup-table'
import { schemaOf } from './schema'

/** A layout that nobody serves any more. */
export interface UnservedLayout {
  readonly id: string
  readonly dataset: string
}

/** How long dropping triggers may wait for the table's writers, and their successors for it. */
const LOCK_TIMEOUT_MS = 200
const ATTEMPTS = 10
const PAUSE_MS = 200
/** SQLSTATEs of a lock that did not come in time, and of a deadlock. */
const BUSY: ReadonlySet<string> = new Set(['55P03', '40P01'])

/**
 * Lists the layouts that no process has served for an hour, but those to be kept. Of a dataset whose layout is to be kept,
 * others are listed only once that one is built: they may hold history that it still has to copy. Other datasets count as
 * removed if `includesRemoved`. Layouts of the release before, which announces none, are not among them, nor those whose recipe
 * only a newer release can read.
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
       WHERE (recipe->>'format')::integer <= ${RECIPE_FORMAT} AND id <> ALL ($2::text[]) AND greatest(seen_at, created_at) < now() - ${SERVED_WITHIN}
         AND CASE WHEN dataset = ANY ($1::text[])
           THEN dataset IN (SELECT dataset FROM ${schema}.layout WHERE id = ANY ($2::text[]) AND ready_at IS NOT NULL)
           ELSE $3::boolean END
       ORDER BY id`,
      [kept.map(({ name }) => name), kept.map(layoutId), includesRemoved],
    ),
  )
  return rows.map(({ id, dataset }) => ({ id: String(id), dataset: String(dataset) }))
}

/** Drops what a layout consists of; false when somebody else has, or serves it again. */
async function dropTables(query: Query, schema: string, id: string): Promise<boolean> {
  // Whoever announces the layout from here on waits, and then finds it gone.
  await query(`SELECT FROM ${schema}.layout WHERE id = $1 FOR UPDATE`, [id])
  await query(`SELECT FROM ${schema}.serving WHERE layout = $1 FOR UPDATE`, [id])
  const { rows } = await query(
    `DELETE FROM ${schema}.layout WHERE id = $1
       AND NOT EXISTS (SELECT FROM ${schema}.serving WHERE layout = id AND seen_at > now() - ${SERVED_WITHIN})
     RETURNING recipe`,
    [id],
  )
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
  const layouts = await query(`SELECT recipe FROM ${schema}.layout WHERE dataset = $1 AND recipe IS NOT NULL`, [
    dataset,
  ])
  const definitions = layouts.rows.map(({ recipe }) => readRecipe(recipe))
  const known = definitions.filter((definition) => definition !== null)
  // Nobody knows which of them a newer release needs.
  if (known.length < definitions.length) return
  const needed = known.flatMap((definition) => captureFunctions(definition, schema).map(({ name }) => name))
  const { rows } = await query(
    `DELETE FROM ${schema}.capture WHERE dataset = $1 AND function <> ALL ($2::text[]) RETURNING function`,
    [dataset, needed],
  )
  for (const name of new Set(rows.map((row) => String(row.function)))) {
    await query(`DROP FUNCTION IF EXISTS ${schema}.${quoteIdentifier(name)}() CASCADE`)
  }
  if (definitions.length === 0) await query(`DELETE FROM ${schema}.dirty WHERE dataset = $1`, [dataset])
}

/**
 * Removes a layout with its tables, and the triggers that only it needed. False when somebody else has, or serves it again.
 *
 * @throws RefreshError when transactions that write to the source stay open; then all of it is left as it was.
 */
export async function pruneLayout(dataSource: DataSource, { id, dataset }: UnservedLayout): Promise<boolean> {
  const schema = schemaOf(dataSource)
  for (let left = ATTEMPTS; ; left -= 1) {
    try {
      return await withTransaction(dataSource, 'READ COMMITTED', async (query) => {
        await query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`)
        // Together: triggers whose layout is gone would never be found again, and their marks never be read.
        const isDropped = await dropTables(query, schema, id)
        if (isDropped) await dropCapture(query, schema, dataset)
        return isDropped
      })
    } catch (error) {
      if (!BUSY.has(codeOf(error) ?? '')) throw error
      if (left <= 1) {
        const sentence = `the triggers of the layout ${id} could not be removed: transactions that write to its source stay open. Prune again later.`
        throw new RefreshError(dataset, sentence, error)
      }
      await wait(PAUSE_MS)
    }
  }
}
