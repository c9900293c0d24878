import { randomUUID } from 'node:crypto'
import { ALWAYS, type Stretch } from '../time/stretch'
import { foldChanges, foldLineage, readHistory, writeChanges } from './changes'
import { instantText } from './instants'
import type { Query } from './query'

/** What a transaction found out about a layout and did to it. */
export interface LayoutUpdate {
  /** The stretches of time in which anything changed that a question may see; none: its version stays. */
  readonly changed: readonly Stretch[]
  /** Whether the layout now shows all that its source held when the transaction began. */
  readonly isCurrent: boolean
  /** The moment of the source that is then shown; null: when the transaction began. */
  readonly asOf: string | null
  /** Whether it may be served for the first time, once all of it is built. */
  readonly canOpen: boolean
  readonly isExact: boolean
  /** Whether this was the layout's own refresh: then what kept it from being built is over. */
  readonly isOwn: boolean
  /** Whether every bucket was computed anew from the source. */
  readonly isRebuilt: boolean
  readonly dataFrom: number | null
  readonly dataTo: number | null
  readonly sourceRowsDelta: number
  readonly valuesIgnoredDelta: number
  /** Null when they were not counted. */
  readonly rowsWithoutTime: number | null
  readonly rowDelta: ReadonlyMap<number, number>
  readonly keptFrom: ReadonlyMap<number, number>
  readonly frozenMarks: number
}

/** The next version of a layout, as its columns keep it, and the stretches that it changed. */
interface NextVersion {
  readonly columns: readonly [seq: number, uuid: string, changes: string, lineage: string]
  readonly changed: readonly Stretch[]
}

/**
 * Tells whether the update is the one after which a layout is served for the first time, and what its next version is; null:
 * it keeps the one it has.
 */
async function judgeUpdate(
  query: Query,
  schema: string,
  id: string,
  update: LayoutUpdate,
): Promise<{ readonly opens: boolean; readonly next: NextVersion | null }> {
  const { rows } = await query(
    `SELECT seq::text AS seq, version::text AS version, changes, lineage, ready_at IS NOT NULL AS is_ready,
       coalesce(built_from = '-infinity', false) AS is_built FROM ${schema}.layout WHERE id = $1`,
    [id],
  )
  const [row] = rows
  const isReady = row?.is_ready === true
  const opens = !isReady && row?.is_built === true && update.canOpen
  if (row === undefined || !(opens || (isReady && update.changed.length > 0))) return { opens, next: null }
  const current = { seq: Number(row.seq), uuid: String(row.version) }
  const history = readHistory(current, row.changes, row.lineage)
  const version = { seq: current.seq + 1, uuid: randomUUID() }
  const changed = opens ? [ALWAYS] : update.changed
  const changes = writeChanges(foldChanges(history.changes, changed, version))
  return {
    opens,
    next: { columns: [version.seq, version.uuid, changes, foldLineage(history.lineage, version)], changed },
  }
}

/**
 * Writes down what became of a layout; call it in a transaction that holds the dataset's work lock. Its version grows when its
 * rows changed or when it is served for the first time, which is once all of it is built and current. Gives the stretches of
 * time that the new version changed, all of them when it is served for the first time; null when the version did not grow.
 */
export async function saveLayout(
  query: Query,
  schema: string,
  id: string,
  update: LayoutUpdate,
): Promise<readonly Stretch[] | null> {
  for (const [position, delta] of update.rowDelta) {
    if (delta === 0) continue
    await query(`UPDATE ${schema}.rollup SET row_count = row_count + $3 WHERE layout = $1 AND position = $2`, [
      id,
      position,
      delta,
    ])
  }
  for (const [position, instant] of update.keptFrom) {
    await query(`UPDATE ${schema}.rollup SET kept_from = $3 WHERE layout = $1 AND position = $2`, [
      id,
      position,
      instantText(instant),
    ])
  }
  const { opens, next } = await judgeUpdate(query, schema, id, update)
  await query(
    `UPDATE ${schema}.layout SET
       seq = coalesce($2::bigint, seq), version = coalesce($3::uuid, version),
       changes = coalesce($4::jsonb, changes), lineage = coalesce($5::text, lineage),
       ready_at = CASE WHEN $6::boolean THEN now() ELSE ready_at END,
       data_as_of = CASE WHEN $7::boolean OR $6 THEN coalesce($8::timestamptz, now()) ELSE data_as_of END,
       rebuilt_at = CASE WHEN $9::boolean OR $6 THEN now() ELSE rebuilt_at END,
       is_exact = CASE WHEN $10::boolean THEN $11 ELSE is_exact END, is_behind = CASE WHEN $9 THEN false ELSE is_behind END,
       data_from = $12, data_to = $13,
       source_rows = coalesce(source_rows, 0) + $14, values_ignored = values_ignored + $15,
       rows_without_time = coalesce($16, rows_without_time), frozen_marks = frozen_marks + $17,
       last_error = CASE WHEN NOT ($10 OR $6 OR ready_at IS NOT NULL) THEN last_error END,
       last_error_at = CASE WHEN NOT ($10 OR $6 OR ready_at IS NOT NULL) THEN last_error_at END
     WHERE id = $1`,
    [
      id,
      ...(next?.columns ?? [null, null, null, null]),
      opens,
      update.isCurrent,
      update.asOf,
      update.isRebuilt,
      update.isOwn,
      update.isExact,
      instantText(update.dataFrom),
      instantText(update.dataTo),
      update.sourceRowsDelta,
      update.valuesIgnoredDelta,
      update.rowsWithoutTime,
      update.frozenMarks,
    ],
  )
  return next?.changed ?? null
}

/** Says of a layout that a change could not be taken over, and why. */
export async function markBehind(query: Query, schema: string, id: string, error: string): Promise<void> {
  await query(`UPDATE ${schema}.layout SET is_behind = true, last_error = $2, last_error_at = now() WHERE id = $1`, [
    id,
    error,
  ])
}

/**
 * Says of a dataset's other layouts, which nobody serves and which therefore do not follow this change, that they are not to
 * be served again before they are computed anew. Gives the ids of those that have a new version by that; all of it changes.
 */
export async function lapseLayouts(
  query: Query,
  schema: string,
  dataset: string,
  live: readonly string[],
): Promise<readonly string[]> {
  // As when it is served for the first time, all of it changes: nothing tells what it missed.
  const { rows } = await query(
    `WITH minted AS MATERIALIZED (SELECT id, seq + 1 AS seq, gen_random_uuid() AS version FROM ${schema}.layout WHERE dataset = $1)
     UPDATE ${schema}.layout AS old SET is_behind = true, ready_at = NULL, seq = minted.seq, version = minted.version,
       changes = jsonb_build_array(jsonb_build_array(null, null, minted.seq || '.' || minted.version)),
       lineage = left(minted.version::text, 8)
     FROM minted WHERE minted.id = old.id AND old.id <> ALL ($2::text[]) AND recipe IS NOT NULL AND built_from IS NOT NULL
       AND (ready_at IS NOT NULL OR NOT is_behind)
     RETURNING old.id`,
    [dataset, live],
  )
  return rows.map(({ id }) => String(id))
}

/** Says how far a layout is built. */
export async function saveBuiltFrom(query: Query, schema: string, id: string, instant: number): Promise<void> {
  await query(`UPDATE ${schema}.layout SET built_from = $2 WHERE id = $1`, [id, instantText(instant)])
}
