import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { DataSource } from 'typeorm'
import type { Version } from '../cache/version'
import type { VersionRegister } from '../cache/version-register'
import { baseZone } from '../dataset/base-zone'
import type { Definition } from '../dataset/definition'
import { type LayoutState, readLayoutStates, registerLayout } from '../storage/layouts'
import { codeOf } from '../storage/postgres-errors'
import { type Query, withConnection, withTransaction } from '../storage/query'
import {
  keyIndex,
  layoutId,
  nextTable,
  replaceRollup,
  rollupTable,
  selectRollup,
  selectSurvey,
} from '../storage/rollup-table'
import { schemaOf } from '../storage/schema'
import { bucketBoundaries } from '../time/buckets'
import { isCalendar } from '../time/granularity'
import { type Extent, planBuild } from './build-plan'

/** How far a refresh has come: `done` of `total` steps; `label` names the step under way. */
export interface RefreshProgress {
  readonly dataset: string
  readonly label: string
  readonly done: number
  readonly total: number
}

export interface RefreshOutcome {
  readonly dataset: string
  /** False when the rollups already held what the source says: the version stays. */
  readonly hasChanged: boolean
  readonly version: Version
  readonly sourceRows: number
  /** Source rows without a usable time, which no bucket holds. */
  readonly rowsWithoutTime: number
  /** NaN and infinite values that the measures ignored. */
  readonly valuesIgnored: number
  readonly rollups: readonly { readonly name: string; readonly rows: number }[]
}

export interface RefreshOptions {
  readonly dataSource: DataSource
  readonly register: Pick<VersionRegister<LayoutState>, 'prepare' | 'publish'>
  readonly onProgress?: (progress: RefreshProgress) => void
}

interface Survey extends Omit<RefreshOutcome, 'dataset' | 'hasChanged' | 'version' | 'rollups'> {
  /** Null when no row has a time. */
  readonly extent: Extent | null
  readonly asOf: number
}

/** Class of the transaction-level advisory locks that let one refresher work on a dataset at a time. */
const WORK_LOCK = 411_773
const LOCK_POLL_MS = 200
const SERIALIZATION_FAILURE = '40001'
const PROGRAM_LIMIT_EXCEEDED = '54000'

async function survey(query: Query, definition: Definition): Promise<Survey> {
  const { rows } = await query(selectSurvey(definition))
  const row = rows[0] ?? {}
  return {
    sourceRows: Number(row.total),
    rowsWithoutTime: Number(row.without_time),
    valuesIgnored: Number(row.ignored),
    extent: row.first === null ? null : { first: Number(row.first), last: Number(row.last) },
    asOf: Number(row.as_of),
  }
}

/** Buckets of a rollup over the whole source, where SQL needs them: those of a day or longer outside UTC. */
function boundariesOf(definition: Definition['rollups'][number], extent: Extent): number[] {
  if (!isCalendar(definition.granularity) || definition.timezone === 'UTC') return []
  return bucketBoundaries(extent.first, extent.last + 1, definition.granularity, definition.timezone)
}

/** Start of the first bucket and end of the last, at the dataset's own granularity. */
function dataRange(definition: Definition, extent: Extent | null): { from: Date; to: Date } | null {
  if (extent === null) return null
  const zone = baseZone(definition)
  const first = bucketBoundaries(extent.first, extent.first + 1, definition.granularity, zone)
  const last = bucketBoundaries(extent.last, extent.last + 1, definition.granularity, zone)
  return { from: new Date(first[0] ?? extent.first), to: new Date(last.at(-1) ?? extent.last) }
}

/** Computes every rollup from one snapshot of the source and writes what differs; tells whether anything did. */
async function rebuild(
  query: Query,
  schema: string,
  definition: Definition,
  known: Survey,
  report: (label: string) => void,
): Promise<boolean> {
  const layout = layoutId(definition)
  const extent = known.extent ?? { first: 0, last: 0 }
  let changes = 0
  for (const { rollup, origin } of planBuild(definition, extent)) {
    report(rollup.name)
    const select = selectRollup(definition, rollup, origin, boundariesOf(rollup, extent))
    const built = await query(`CREATE TEMPORARY TABLE ${nextTable(rollup)} ON COMMIT DROP AS ${select}`)
    await query(`ANALYZE ${nextTable(rollup)}`)
    let differing = 0
    for (const statement of replaceRollup(definition, layout, rollup, schema)) {
      differing += (await query(statement)).affected
    }
    if (differing > 0) await query(`ANALYZE ${schema}."${rollupTable(layout, rollup)}"`)
    await query(`UPDATE ${schema}.rollup SET row_count = $3 WHERE layout = $1 AND position = $2`, [
      layout,
      rollup.index,
      built.affected,
    ])
    changes += differing
  }
  return changes > 0
}

/** Lets Postgres end the statements of a process that is gone within seconds, where its platform can notice. */
async function noticeLoss(query: Query): Promise<void> {
  await query('SAVEPOINT notice_loss')
  await query(`SET LOCAL client_connection_check_interval = '2s'`).catch(() =>
    query('ROLLBACK TO SAVEPOINT notice_loss'),
  )
}

/** One try at a refresh in one transaction; null when another refresher holds the work lock. */
async function tryRefresh(definition: Definition, options: RefreshOptions): Promise<RefreshOutcome | null> {
  const { dataSource, register } = options
  const schema = schemaOf(dataSource)
  const layout = layoutId(definition)
  const total = definition.rollups.length + 1
  let done = 0
  const report = (label: string) => {
    options.onProgress?.({ dataset: definition.name, label, done, total })
    done += 1
  }
  const result = await withTransaction(dataSource, 'REPEATABLE READ', async (query) => {
    const lock = await query('SELECT pg_try_advisory_xact_lock($1, hashtext($2)) AS held', [WORK_LOCK, definition.name])
    if (lock.rows[0]?.held !== true) return null
    await query('SET LOCAL statement_timeout = 0')
    await noticeLoss(query)
    await query('SET LOCAL jit = off')
    if (definition.states.some((state) => state.sqlType === 'float8')) {
      // The sum of floats depends on their order: read them in one, or every refresh would find other last digits.
      await query('SET LOCAL max_parallel_workers_per_gather = 0')
      await query('SET LOCAL synchronize_seqscans = off')
    }
    report('reading the source')
    const known = await survey(query, definition)
    const differs = await rebuild(query, schema, definition, known, report)
    const range = dataRange(definition, known.extent)
    const updated = await query(
      `UPDATE ${schema}.layout SET data_from = $2, data_to = $3, data_as_of = to_timestamp($4 / 1000.0),
         source_rows = $5, rows_without_time = $6, values_ignored = $7, last_error = NULL, last_error_at = NULL,
         seq = seq + CASE WHEN $8::boolean OR ready_at IS NULL THEN 1 ELSE 0 END,
         version = CASE WHEN $8::boolean OR ready_at IS NULL THEN $9::uuid ELSE version END,
         ready_at = coalesce(ready_at, now())
       WHERE id = $1 RETURNING version = $9::uuid AS changed`,
      [
        layout,
        range?.from,
        range?.to,
        known.asOf,
        known.sourceRows,
        known.rowsWithoutTime,
        known.valuesIgnored,
        differs,
        randomUUID(),
      ],
    )
    const hasChanged = readChanged(updated.rows)
    const state = (await readLayoutStates(query, schema, [layout])).get(layout)
    if (state === undefined) throw new Error(`The layout ${layout} vanished during its refresh`)
    // The last step before COMMIT: readers go to Postgres until the new version is published.
    if (hasChanged) await register.prepare(definition.name, layout, state.version)
    return { known, hasChanged, state }
  })
  if (result === null) return null
  const { known, hasChanged, state } = result
  await register.publish(definition.name, layout, state)
  options.onProgress?.({ dataset: definition.name, label: 'done', done: total, total })
  return {
    dataset: definition.name,
    hasChanged,
    version: state.version,
    sourceRows: known.sourceRows,
    rowsWithoutTime: known.rowsWithoutTime,
    valuesIgnored: known.valuesIgnored,
    rollups: definition.rollups.map((rollup) => ({ name: rollup.name, rows: state.data.rows[rollup.index] ?? 0 })),
  }
}

function readChanged(rows: readonly Readonly<Record<string, unknown>>[]): boolean {
  return rows[0]?.changed === true
}

/** Drops the indexes by key of a dataset's rollups; tells whether there were any. */
async function dropKeyIndexes(definition: Definition, { dataSource }: RefreshOptions): Promise<boolean> {
  const schema = schemaOf(dataSource)
  return withTransaction(dataSource, 'READ COMMITTED', async (query) => {
    let dropped = 0
    for (const rollup of definition.rollups) {
      const index = `${schema}.${keyIndex(layoutId(definition), rollup)}`
      const { rows } = await query('SELECT to_regclass($1) IS NOT NULL AS exists', [index])
      if (rows[0]?.exists !== true) continue
      await query(`DROP INDEX ${index}`)
      dropped += 1
    }
    return dropped > 0
  })
}

async function recordError(definition: Definition, options: RefreshOptions, error: unknown): Promise<void> {
  const message = error instanceof Error ? error.message : String(error)
  const schema = schemaOf(options.dataSource)
  await withConnection(options.dataSource, (query) =>
    query(`UPDATE ${schema}.layout SET last_error = $2, last_error_at = now() WHERE id = $1`, [
      layoutId(definition),
      message,
    ]),
  )
}

/**
 * Recomputes every rollup of a dataset from its source, in one transaction that readers see all of or none. Can be killed
 * at any point and run again. Null when another refresher is at work on the dataset.
 */
export async function refreshUnlessBusy(
  definition: Definition,
  options: RefreshOptions,
): Promise<RefreshOutcome | null> {
  try {
    await withTransaction(options.dataSource, 'READ COMMITTED', (query) =>
      registerLayout(query, options.dataSource, definition),
    )
    for (;;) {
      try {
        return await tryRefresh(definition, options)
      } catch (error) {
        // A text too long for an index: the rollups are right without the index, only slower to filter.
        if (codeOf(error) === PROGRAM_LIMIT_EXCEEDED && (await dropKeyIndexes(definition, options))) continue
        // Another refresher committed between our snapshot and our lock: begin again on a newer snapshot.
        if (codeOf(error) !== SERIALIZATION_FAILURE) throw error
      }
    }
  } catch (error) {
    // Postgres may be what failed; then there is nowhere to write this down, and the caller learns of it anyway.
    await recordError(definition, options, error).catch(() => undefined)
    throw error
  }
}

/** Does the same, but waits for a refresher that is at work on the dataset. */
export async function refreshDataset(definition: Definition, options: RefreshOptions): Promise<RefreshOutcome> {
  for (;;) {
    const outcome = await refreshUnlessBusy(definition, options)
    if (outcome !== null) return outcome
    options.onProgress?.({ dataset: definition.name, label: 'waiting for another refresh', done: 0, total: 1 })
    await wait(LOCK_POLL_MS)
  }
}
