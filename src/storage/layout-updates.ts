import { randomUUID } from 'node:crypto'
import { instantText } from './instants'
import { type LiveLayout, readLayoutStates, type VersionedState } from './layouts'
import type { Query } from './query'

/** What a transaction found out about a layout and did to it. */
export interface LayoutUpdate {
  readonly hasChanged: boolean
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

/**
 * Writes down what became of a layout. Its version grows when its rows changed or when it is served for the first time,
 * which is once all of it is built and current. Tells whether it grew.
 */
export async function saveLayout(query: Query, schema: string, id: string, update: LayoutUpdate): Promise<boolean> {
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
  const { rows } = await query(
    `UPDATE ${schema}.layout AS old SET
       seq = old.seq + grows::integer, version = CASE WHEN grows THEN $2::uuid ELSE old.version END,
       ready_at = coalesce(old.ready_at, CASE WHEN opens THEN now() END),
       data_as_of = CASE WHEN $4::boolean OR opens THEN coalesce($15::timestamptz, now()) ELSE data_as_of END,
       rebuilt_at = CASE WHEN $6::boolean OR opens THEN now() ELSE rebuilt_at END,
       is_exact = CASE WHEN $14::boolean THEN $5 ELSE is_exact END, is_behind = CASE WHEN $6::boolean THEN false ELSE is_behind END,
       data_from = $7, data_to = $8,
       source_rows = coalesce(source_rows, 0) + $9, values_ignored = values_ignored + $10,
       rows_without_time = coalesce($11, rows_without_time), frozen_marks = frozen_marks + $12,
       last_error = CASE WHEN NOT ($14::boolean OR opens OR old.ready_at IS NOT NULL) THEN last_error END,
       last_error_at = CASE WHEN NOT ($14::boolean OR opens OR old.ready_at IS NOT NULL) THEN last_error_at END
     FROM (SELECT id, opens, opens OR ($3::boolean AND ready_at IS NOT NULL) AS grows
       FROM (SELECT id, ready_at, ready_at IS NULL AND coalesce(built_from = '-infinity', false) AND $13::boolean AS opens FROM ${schema}.layout) AS o
     ) AS judged
     WHERE old.id = $1 AND judged.id = old.id RETURNING grows IS TRUE AS grew`,
    [
      id,
      randomUUID(),
      update.hasChanged,
      update.isCurrent,
      update.isExact,
      update.isRebuilt,
      instantText(update.dataFrom),
      instantText(update.dataTo),
      update.sourceRowsDelta,
      update.valuesIgnoredDelta,
      update.rowsWithoutTime,
      update.frozenMarks,
      update.canOpen,
      update.isOwn,
      update.asOf,
    ],
  )
  return rows[0]?.grew === true
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
 * be served again before they are computed anew.
 */
export async function lapseLayouts(
  query: Query,
  schema: string,
  dataset: string,
  live: readonly string[],
): Promise<void> {
  await query(
    `UPDATE ${schema}.layout SET is_behind = true, ready_at = NULL, seq = seq + 1, version = gen_random_uuid()
     WHERE dataset = $1 AND id <> ALL ($2::text[]) AND recipe IS NOT NULL AND built_from IS NOT NULL
       AND (ready_at IS NOT NULL OR NOT is_behind)`,
    [dataset, live],
  )
}

/** Says how far a layout is built. */
export async function saveBuiltFrom(query: Query, schema: string, id: string, instant: number): Promise<void> {
  await query(`UPDATE ${schema}.layout SET built_from = $2 WHERE id = $1`, [id, instantText(instant)])
}

/** The state of a layout after its update. */
export async function readSavedState(query: Query, schema: string, { id }: LiveLayout): Promise<VersionedState> {
  const state = (await readLayoutStates(query, schema, [id])).get(id)
  if (state === undefined) throw new Error(`The layout ${id} vanished during its refresh`)
  return state
}
