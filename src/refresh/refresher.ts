import { setTimeout as wait } from 'node:timers/promises'
import type { DataSource } from 'typeorm'
import type { Version } from '../cache/version'
import type { VersionRegister } from '../cache/version-register'
import type { Definition, LayoutDefinition } from '../dataset/definition'
import { RefreshError } from '../errors'
import { ensureCapture } from '../storage/capture'
import { dropKeyIndexes } from '../storage/finish-layout'
import { announceLayouts, type LayoutState, readLayoutStates, registerLayout } from '../storage/layouts'
import { codeOf } from '../storage/postgres-errors'
import { withConnection, withLongTransaction, withTransaction } from '../storage/query'
import { type RefreshRecord, readRefreshRecord, recordError } from '../storage/refresh-record'
import { type CensusWindow, cutCensus } from '../storage/rollup-content'
import { censusTable, layoutId } from '../storage/rollup-table'
import { schemaOf } from '../storage/schema'
import { saveWatermark } from '../storage/watermark'
import { ALWAYS, clipStretches, type Stretch, uniteStretches } from '../time/stretch'
import { type Batch, runBatch } from './batch'
import { type BuildOptions, buildSlice, planSlices, readBuiltFrom } from './build'
import { findChanges, type Work } from './find-changes'
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
  /** Epoch milliseconds; default Date.now. */
  readonly clock?: () => number
}

const SLICE_ROWS = 1_000_000
const LOCK_POLL_MS = 200
const PROGRAM_LIMIT_EXCEEDED = '54000'

interface Run extends BuildOptions {
  readonly definition: LayoutDefinition
  readonly schema: string
  readonly layout: string
  readonly isExact: boolean
  readonly report: (label: string, done: number, total: number) => void
}

/** Runs one batch for whatever the run has; null when another refresher is at work. */
function batchOf(run: Run, batch: Pick<Batch, 'stretches' | 'claims' | 'whole' | 'isLast'>): Promise<boolean | null> {
  const { definition, layout, isExact, clock } = run
  const onSlice = (done: number, total: number) => run.report(`slice ${done + 1} of ${total}`, done, total)
  return runBatch({ dataset: definition.name, own: layout, isExact, now: clock(), onSlice, ...batch }, run)
}

/** Builds what of the layout is not built, slice by slice; false when another refresher is at work. */
async function build(run: Run): Promise<boolean> {
  const { definition } = run
  for (;;) {
    const builtFrom = await readBuiltFrom(definition, run)
    if (builtFrom === Number.NEGATIVE_INFINITY) return true
    const plan = await planSlices(definition, builtFrom, run)
    if (plan === null) return false
    const { slices, tables } = plan
    const rows = slices.reduce((sum, slice) => sum + slice.rows, 0)
    let done = 0
    for (const [index, slice] of slices.entries()) {
      run.report(slices.length > 1 ? `building slice ${index + 1} of ${slices.length}` : 'building', done, rows)
      const isBuilt = await buildSlice(definition, { ...slice, tables }, run)
      if (isBuilt === null) return false
      // Another process builds it, too: see how far it has come.
      if (!isBuilt) break
      done += slice.rows
      // What is served meanwhile is kept current between two slices.
      if (index < slices.length - 1 && definition.capture !== null) await refreshMarked(run)
    }
  }
}

/** The windows of a refresh, the newest first, so that each transaction reads about as much as a slice. */
async function planWindows(run: Run, stretches: readonly Stretch[]): Promise<readonly CensusWindow[]> {
  const { definition, schema, dataSource, sliceRows } = run
  return withConnection(dataSource, (query) =>
    cutCensus(query, schema, censusTable(definition), uniteStretches(stretches), ALWAYS.to, sliceRows),
  )
}

/** Takes over what is marked, and nothing else. */
async function refreshMarked(run: Run): Promise<boolean | null> {
  const work = await withLongTransaction(run.dataSource, 'READ COMMITTED', (query) =>
    findChanges(query, run.schema, run.definition, run.clock()),
  )
  return runWindows(run, { ...work, stretches: [], isWhole: false })
}

async function runWindows(
  run: Run,
  { stretches, marked, watermark }: Work,
  isComplete = true,
): Promise<boolean | null> {
  const windows = await planWindows(run, [...stretches, ...marked])
  let hasChanged = false
  // The set of windows is settled at the start: writers that never stop cannot keep the old marks waiting for ever.
  for (const [index, window] of windows.entries()) {
    if (windows.length > 1) run.report(`part ${index + 1} of ${windows.length}`, index, windows.length)
    const changed = await batchOf(run, {
      stretches: clipStretches(stretches, window),
      claims: window,
      whole: null,
      isLast: isComplete && index === windows.length - 1,
    })
    if (changed === null) return null
    hasChanged ||= changed
  }
  if (watermark !== null) {
    await withConnection(run.dataSource, (query) => saveWatermark(query, run.schema, run.layout, watermark))
  }
  return hasChanged
}

/** Computes every bucket anew in one transaction, so that nobody sees a source half taken over. */
async function runWhole(run: Run): Promise<boolean | null> {
  return batchOf(run, { stretches: [], claims: ALWAYS, whole: await planWindows(run, [ALWAYS]), isLast: true })
}

/** Takes over what has changed since the layout was built, and begins to serve it. */
async function open(run: Run, work: Work): Promise<boolean | null> {
  if ((await runWindows(run, work)) === null) return null
  // All that is marked in one batch: windows one after another might never be rid of a busy writer's marks.
  const opened = await batchOf(run, { stretches: [], claims: ALWAYS, whole: null, isLast: true })
  return opened === null ? null : true
}

/** One try at a refresh; null when another refresher is at work. */
async function tryRefresh(run: Run, options: RefreshOptions): Promise<boolean | null> {
  const { definition, schema, dataSource } = run
  const states = await withConnection(dataSource, (query) => readLayoutStates(query, schema, [run.layout]))
  const wasReady = states.get(run.layout)?.data.isReady === true
  if (!(await build(run))) return null
  if (options.range !== undefined && wasReady) {
    const work = { isWhole: false, stretches: [options.range], marked: [], watermark: null }
    return runWindows(run, work, false)
  }
  const work = await withLongTransaction(dataSource, 'READ COMMITTED', (query) =>
    findChanges(query, schema, definition, run.clock()),
  )
  if (!wasReady) return open(run, work)
  return work.isWhole || options.full === true ? runWhole(run) : runWindows(run, work)
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
  const { dataSource, register, clock = Date.now, sliceRows = SLICE_ROWS } = options
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
    const run: Run = { dataSource, register, definition, schema, layout, isExact, clock, sliceRows, report }
    report('looking for changes', 0, 1)
    for (;;) {
      try {
        const hasChanged = await tryRefresh(run, options)
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
    return { dataset: definition.name, hasChanged, version: state.version, ...record }
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
