import type { LayoutDefinition } from '../dataset/definition'
import { announceLayouts, readLayoutStates } from '../storage/layouts'
import { withConnection, withLongTransaction } from '../storage/query'
import type { CensusWindow } from '../storage/rollup-content'
import { saveWatermark } from '../storage/watermark'
import { ALWAYS, clipStretches, type Stretch } from '../time/stretch'
import { type Batch, runBatch } from './batch'
import { type BuildOptions, buildSlice, planSlices, readBuiltFrom } from './build'
import { findChanges, type Work } from './find-changes'
import { planWindows } from './plan-windows'

/** One refresh of one dataset by this process. */
export interface Run extends BuildOptions {
  readonly definition: LayoutDefinition
  readonly schema: string
  readonly layout: string
  /** Whether every change of the source is captured. */
  readonly isExact: boolean
  /** Computes every bucket anew, whatever has changed. */
  readonly isFull: boolean
  /** The stretch to compute anew, and nothing else; null: what has changed. */
  readonly range: Stretch | null
  /** When it began, by the clock of Postgres. */
  readonly startedAt: string
  readonly report: (label: string, done: number, total: number) => void
}

/** Says that the layout is wanted: a build may take longer than a layout that nobody announces may live. */
function announce({ dataSource, schema, layout }: Run): Promise<void> {
  return withConnection(dataSource, (query) => announceLayouts(query, schema, [layout]))
}

/** Runs one batch for whatever the run has; null when another refresher is at work. */
async function batchOf(
  run: Run,
  batch: Pick<Batch, 'stretches' | 'claims' | 'whole' | 'isLast'>,
): Promise<boolean | null> {
  const { definition, isExact, clock } = run
  await announce(run)
  const onSlice = (done: number, total: number) => run.report(`slice ${done + 1} of ${total}`, done, total)
  // Marks say what has changed since; where there are none, a window may have been read when the refresh began.
  const asOf = definition.capture === null && batch.whole === null ? run.startedAt : null
  return runBatch({ definition, isExact, asOf, now: await clock(), onSlice, ...batch }, run)
}

async function lookForChanges({ dataSource, schema, definition, clock }: Run): Promise<Work> {
  const now = await clock()
  return withLongTransaction(dataSource, 'READ COMMITTED', (query) => findChanges(query, schema, definition, now))
}

/** Builds what of the layout is not built, slice by slice; false when another refresher is at work. */
async function build(run: Run): Promise<boolean> {
  const { definition } = run
  for (;;) {
    const builtFrom = await readBuiltFrom(definition, run)
    if (builtFrom === ALWAYS.from) return true
    const plan = await planSlices(definition, builtFrom, run)
    if (plan === null) return false
    const { slices, tables } = plan
    const rows = slices.reduce((sum, slice) => sum + slice.rows, 0)
    let done = 0
    for (const [index, slice] of slices.entries()) {
      run.report(slices.length > 1 ? `building slice ${index + 1} of ${slices.length}` : 'building', done, rows)
      await announce(run)
      const isBuilt = await buildSlice(definition, { ...slice, tables }, run)
      if (isBuilt === null) return false
      // Another process builds it, too: see how far it has come.
      if (!isBuilt) break
      done += slice.rows
      // What is served meanwhile is kept current between two slices.
      if (index < slices.length - 1 && definition.refresh !== 'manual') {
        await runWindows(run, { ...(await lookForChanges(run)), isWhole: false })
      }
    }
  }
}

function windowsOf(run: Run, stretches: readonly Stretch[]): Promise<readonly CensusWindow[]> {
  return withConnection(run.dataSource, (query) =>
    planWindows(query, run.schema, run.definition, stretches, run.sliceRows),
  )
}

async function runWindows(
  run: Run,
  { stretches, marked, watermark }: Work,
  isComplete = true,
): Promise<boolean | null> {
  const windows = await windowsOf(run, [...stretches, ...marked])
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
  return batchOf(run, { stretches: [], claims: ALWAYS, whole: await windowsOf(run, [ALWAYS]), isLast: true })
}

/** Takes over what has changed since the layout was built, and begins to serve it. */
async function open(run: Run, work: Work): Promise<boolean | null> {
  if ((await runWindows(run, work)) === null) return null
  // All that is marked in one batch: windows one after another might never be rid of a busy writer's marks.
  const opened = await batchOf(run, { stretches: [], claims: ALWAYS, whole: null, isLast: true })
  return opened === null ? null : true
}

/** Builds what is not built and takes over what has changed; null when another refresher is at work. */
export async function runOnce(run: Run): Promise<boolean | null> {
  const { definition, schema, dataSource, layout, range } = run
  const states = await withConnection(dataSource, (query) => readLayoutStates(query, schema, [layout]))
  const wasReady = states.get(layout)?.data.isReady === true
  const begun = await readBuiltFrom(definition, run)
  if (!(await build(run))) return null
  if (range !== null && wasReady) {
    return runWindows(run, { isWhole: false, stretches: [range], marked: [], watermark: null }, false)
  }
  const work = await lookForChanges(run)
  if (wasReady) return work.isWhole || run.isFull ? runWhole(run) : runWindows(run, work)
  // What was built some time ago has not been watched since, unless triggers did.
  return begun !== null && definition.capture === null ? runWhole(run) : open(run, work)
}
