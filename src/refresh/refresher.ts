import { setTimeout as wait } from 'node:timers/promises'
import type { DataSource } from 'typeorm'
import type { Version } from '../cache/version'
import type { VersionRegister } from '../cache/version-register'
import type { Definition, LayoutDefinition } from '../dataset/definition'
import { RefreshError } from '../errors'
import { ensureCapture } from '../storage/capture'
import { dropKeyIndexes } from '../storage/finish-layout'
import { epochOf } from '../storage/instants'
import { announceLayouts, type LayoutState, readLayoutStates, registerLayout } from '../storage/layouts'
import { codeOf } from '../storage/postgres-errors'
import { withConnection, withTransaction } from '../storage/query'
import { type RefreshRecord, readRefreshRecord, recordError } from '../storage/refresh-record'
import { layoutId } from '../storage/rollup-table'
import { schemaOf } from '../storage/schema'
import type { Stretch } from '../time/stretch'
import { type Run, runOnce } from './run'
import { secondsLeft } from './seconds-left'

/** How far a refresh has come: `done` of `total` source rows; `label` names what is under way. */
export interface RefreshProgress {
  readonly dataset: string
  readonly label: string
  readonly done: number
  readonly total: number
  /** An estimate; null where there is nothing to tell it by. */
  readonly secondsLeft: number | null
}

export interface RefreshOutcome extends Omit<RefreshRecord, 'rebuiltAt'> {
  readonly dataset: string
  /** False when the rollups already held what the source says: the version stays. */
  readonly hasChanged: boolean
  readonly version: Version
  /** The moment of the source that the rollups show, in epoch milliseconds; null before they are served. */
  readonly dataAsOf: number | null
}

export interface RefreshOptions {
  readonly dataSource: DataSource
  readonly register: Pick<VersionRegister<LayoutState>, 'prepare' | 'publish'>
  readonly onProgress?: (progress: RefreshProgress) => void
  /** Computes every bucket anew, whatever has changed. */
  readonly full?: boolean
  /** Computes the buckets of this stretch anew, and nothing else. */
  readonly range?: Stretch
  /** About how many source rows one transaction of a build, or one batch, reads. Default 1,000,000. */
  readonly sliceRows?: number
  /** Epoch milliseconds; default: the clock of Postgres. */
  readonly clock?: () => number
}

const SLICE_ROWS = 1_000_000
const LOCK_POLL_MS = 200
const PROGRAM_LIMIT_EXCEEDED = '54000'

/** The clock by which a source's rows are purged, and which no other process reads differently. */
async function readClock(dataSource: DataSource): Promise<{ readonly text: string; readonly instant: number }> {
  const { rows } = await withConnection(dataSource, (query) =>
    query(`SELECT now()::text AS text, ${epochOf('now()')} AS instant`),
  )
  return { text: String(rows[0]?.text), instant: Math.floor(Number(rows[0]?.instant)) }
}

/** Says what Postgres has against a source in the words of the declaration; leaves every other error as it is. */
function explain(definition: LayoutDefinition, error: unknown): unknown {
  if (error instanceof RefreshError || !/^(42|22|21|0A)/.test(codeOf(error) ?? '')) return error
  const message = error instanceof Error ? error.message : String(error)
  return new RefreshError(definition.className, `its source cannot be read as declared: ${message}.`, error)
}

/**
 * Brings the rollups of a dataset up to date with its source: builds what is not built, then takes over what has changed, in
 * batches that readers see all of or none. Can be killed at any point and run again. Null when another refresher is at work
 * on the dataset.
 *
 * @throws RefreshError when the source or its capture is at fault.
 */
export async function refreshUnlessBusy(
  definition: Definition,
  options: RefreshOptions,
): Promise<RefreshOutcome | null> {
  const { dataSource, register, clock, sliceRows = SLICE_ROWS } = options
  const schema = schemaOf(dataSource)
  const layout = layoutId(definition)
  try {
    await withTransaction(dataSource, 'READ COMMITTED', (query) => registerLayout(query, schema, definition))
    await withConnection(dataSource, (query) => announceLayouts(query, schema, [layout]))
    const isExact = await ensureCapture(dataSource, definition)
    const began = performance.now()
    const report = (label: string, done: number, total: number) => {
      const left = secondsLeft(performance.now() - began, done, total)
      options.onProgress?.({ dataset: definition.name, label, done, total, secondsLeft: left })
    }
    const run: Run = {
      ...{ dataSource, register, definition, schema, layout, isExact, sliceRows, report },
      startedAt: (await readClock(dataSource)).text,
      clock: async () => clock?.() ?? (await readClock(dataSource)).instant,
      isFull: options.full === true,
      range: options.range ?? null,
    }
    report('looking for changes', 0, 1)
    for (;;) {
      try {
        const hasChanged = await runOnce(run)
        if (hasChanged === null) return null
        report('done', 1, 1)
        return await readOutcome(run, hasChanged)
      } catch (error) {
        // A text too long for an index: the rollups are right without the index, only slower to filter.
        if (codeOf(error) !== PROGRAM_LIMIT_EXCEEDED || !(await dropKeyIndexes(dataSource, definition))) throw error
      }
    }
  } catch (error) {
    const explained = explain(definition, error)
    const message = explained instanceof Error ? explained.message : String(explained)
    // Postgres may be what failed; then there is nowhere to write this down, and the caller learns of it anyway.
    await withConnection(dataSource, (query) => recordError(query, schema, layout, message)).catch(() => undefined)
    throw explained
  }
}

async function readOutcome(run: Run, hasChanged: boolean): Promise<RefreshOutcome> {
  const { definition, schema, layout } = run
  return withConnection(run.dataSource, async (query) => {
    const { rebuiltAt: _, ...record } = await readRefreshRecord(query, schema, layout)
    const state = (await readLayoutStates(query, schema, [layout])).get(layout)
    if (state === undefined) throw new Error(`The layout ${layout} vanished during its refresh`)
    return { dataset: definition.name, hasChanged, version: state.version, dataAsOf: state.data.dataAsOf, ...record }
  })
}

/** Does the same, but waits for a refresher that is at work on the dataset. */
export async function refreshDataset(definition: Definition, options: RefreshOptions): Promise<RefreshOutcome> {
  for (;;) {
    const outcome = await refreshUnlessBusy(definition, options)
    if (outcome !== null) return outcome
    const waiting = { label: 'waiting for another refresh', done: 0, total: 1, secondsLeft: null }
    options.onProgress?.({ dataset: definition.name, ...waiting })
    await wait(LOCK_POLL_MS)
  }
}
