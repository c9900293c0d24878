import type { DataSource } from 'typeorm'
import type { VersionRegister } from '../cache/version-register'
import { baseZone } from '../dataset/base-zone'
import type { LayoutDefinition } from '../dataset/definition'
import { type Changes, claimMarks, countMarks } from '../storage/dirty-marks'
import { lapseLayouts, markBehind, saveLayout } from '../storage/layout-updates'
import {
  type LayoutState,
  type LiveLayout,
  readLayoutStates,
  readLiveLayouts,
  type VersionedState,
} from '../storage/layouts'
import { codeOf, isUnavailable } from '../storage/postgres-errors'
import { lockForPublishing } from '../storage/publish-lock'
import type { Query } from '../storage/query'
import { countCensus, readEnds } from '../storage/rollup-content'
import { censusTable, layoutId, rollupTables } from '../storage/rollup-table'
import { schemaOf } from '../storage/schema'
import { countTimeless, readSourceExtent } from '../storage/source-content'
import { bucketEnd } from '../time/buckets'
import { MIN_INSTANT } from '../time/instant'
import { ALWAYS, coverStretches, type Stretch, uniteStretches } from '../time/stretch'
import { touchedBuckets } from './alignment'
import { narrowChanges } from './changed-stretches'
import { keptByAny, type Recomputed, recompute, sourceSince, type Task } from './recompute'
import { withWorkLock } from './work-lock'

export interface BatchOptions {
  readonly dataSource: DataSource
  readonly register: Pick<VersionRegister<LayoutState>, 'prepare' | 'publish'>
}

/** What one transaction of a refresh does to every layout of a dataset that somebody serves. */
export interface Batch {
  /** The definition whose layout must come out right; the others only if they can. */
  readonly definition: LayoutDefinition
  /** Stretches to compute anew, whatever is marked. */
  readonly stretches: readonly Stretch[]
  /** The window whose marks are taken over as well. */
  readonly claims: Stretch
  /** Whether every bucket is computed anew, in these slices, the newest first; null: only those of stretches and marks. */
  readonly whole: readonly Stretch[] | null
  /** Whether the rollups show their source as it is now when this batch is done and no mark is left. */
  readonly isLast: boolean
  readonly isExact: boolean
  /** The moment of the source that is then shown; null: when the transaction began. */
  readonly asOf: string | null
  /** Epoch milliseconds. */
  readonly now: number
  readonly onSlice?: (done: number, total: number) => void
}

const AS_USUAL = { tables: 'all', isNew: false, trustsSource: false } as const

/** More stretches than this in one statement are joined with their neighbours. */
const MOST_STRETCHES = 64

/** A layout after its update. */
interface Updated {
  readonly id: string
  readonly state: VersionedState
  /** What its new version changed; null: it has none. */
  readonly changed: readonly Stretch[] | null
}

/** Longer than any bucket: a stretch that is open towards the past begins before the bucket of the first row does. */
const SLACK_MS = 400 * 86_400_000

/** The same stretches with finite ends, which hold all that the source and the layout have. */
export async function boundStretches(
  query: Query,
  schema: string,
  layout: LiveLayout,
  stretches: readonly Stretch[],
): Promise<Stretch[]> {
  if (stretches.every(({ from, to }) => Number.isFinite(from) && Number.isFinite(to))) return [...stretches]
  const source = await readSourceExtent(query, layout.definition)
  let { from, to } = source ?? { from: ALWAYS.to, to: ALWAYS.from }
  // While a layout is built its rollups may hold what the census has yet to count.
  for (const table of [censusTable(layout.definition), ...rollupTables(layout.definition)]) {
    const ends = await readEnds(query, schema, table, ALWAYS.from)
    if (ends === null) continue
    from = Math.min(from, ends.first)
    to = Math.max(to, bucketEnd(ends.last, table.rollup.granularity, table.rollup.timezone))
  }
  return stretches
    .map((stretch) => ({
      from: Math.max(stretch.from, Math.max(from, MIN_INSTANT) - SLACK_MS),
      to: Math.min(stretch.to, to),
    }))
    .filter((stretch) => stretch.from < stretch.to)
}

function mergeRecomputed(parts: readonly Recomputed[]): Recomputed {
  const rowDelta = new Map<number, number>()
  const keptFrom = new Map<number, number>()
  for (const part of parts) {
    for (const [index, delta] of part.rowDelta) rowDelta.set(index, (rowDelta.get(index) ?? 0) + delta)
    for (const [index, instant] of part.keptFrom) keptFrom.set(index, instant)
  }
  return { rowDelta, keptFrom, changed: parts.flatMap(({ changed }) => changed) }
}

/** The tasks of a batch for one layout, the newest slice first. */
function tasksOf(batch: Batch, layout: LiveLayout, claimed: Changes): Omit<Task, keyof typeof AS_USUAL>[] {
  const { now } = batch
  if (layout.builtFrom === null) return []
  if (batch.whole !== null) return batch.whole.map((slice) => ({ which: 'starting', stretches: [slice], now }))
  if (layout.isBehind) return [{ which: 'starting', stretches: [ALWAYS], now }]
  const stretches = coverStretches([...batch.stretches, ...claimed.stretches], MOST_STRETCHES)
  return [{ which: 'touched', stretches, now }]
}

/** Start of the first bucket with data that some rollup keeps, and end of the last; null where there is none. */
export async function readDataRange(
  query: Query,
  schema: string,
  definition: LayoutDefinition,
  now: number,
): Promise<{ readonly dataFrom: number | null; readonly dataTo: number | null }> {
  const ends = await readEnds(query, schema, censusTable(definition), keptByAny(definition, now))
  if (ends === null) return { dataFrom: null, dataTo: null }
  return { dataFrom: ends.first, dataTo: bucketEnd(ends.last, definition.granularity, baseZone(definition)) }
}

async function updateLayout(
  query: Query,
  schema: string,
  batch: Batch,
  layout: LiveLayout,
  claimed: Changes,
): Promise<readonly Stretch[] | null> {
  const census = censusTable(layout.definition)
  const tasks = tasksOf(batch, layout, claimed)
  const isRebuilt = batch.whole !== null || layout.isBehind
  const parts: Recomputed[] = []
  const delta = { sourceRows: 0, valuesIgnored: 0 }
  for (const [index, task] of tasks.entries()) {
    if (layout.id === layoutId(batch.definition) && batch.whole !== null) batch.onSlice?.(index, tasks.length)
    const stretches = await boundStretches(query, schema, layout, task.stretches)
    const counted = uniteStretches(touchedBuckets(census.rollup, stretches))
    const before = await countCensus(query, schema, census, counted)
    parts.push(await recompute(query, schema, layout, { ...task, stretches, ...AS_USUAL }))
    const after = await countCensus(query, schema, census, counted)
    delta.sourceRows += after.sourceRows - before.sourceRows
    delta.valuesIgnored += after.valuesIgnored - before.valuesIgnored
  }
  const done = mergeRecomputed(parts)
  const frozenBefore = sourceSince(layout, batch.now)
  const marks = await countMarks(query, schema, batch.definition.name)
  return saveLayout(query, schema, layout.id, {
    changed: narrowChanges(done.changed),
    isCurrent: batch.isLast && !marks.hasMarks,
    canOpen: batch.isLast && !marks.hasRowMarks,
    isExact: batch.isExact,
    asOf: batch.asOf,
    isOwn: layout.id === layoutId(batch.definition),
    isRebuilt: isRebuilt && layout.builtFrom !== null,
    ...(await readDataRange(query, schema, layout.definition, batch.now)),
    sourceRowsDelta: delta.sourceRows,
    valuesIgnoredDelta: delta.valuesIgnored,
    rowsWithoutTime: claimed.isTimelessTouched || isRebuilt ? await countTimeless(query, layout.definition) : null,
    rowDelta: done.rowDelta,
    keptFrom: done.keptFrom,
    frozenMarks: claimed.stretches.filter(({ from }) => from < frozenBefore).length,
  })
}

/** Faults that are not the layout's own: they end the whole batch, and another attempt may fare better. */
function isPassing(error: unknown): boolean {
  return isUnavailable(error) || /^(40|53|55|57|58|XX)/.test(codeOf(error) ?? 'XX')
}

/** Does the work on one layout, and gives the stretches that its new version changed; what only an old or new release's layout suffers from leaves the others alone. */
async function tryLayout(
  query: Query,
  schema: string,
  batch: Batch,
  layout: LiveLayout,
  claimed: Changes,
): Promise<readonly Stretch[] | null> {
  if (layout.id === layoutId(batch.definition)) return updateLayout(query, schema, batch, layout, claimed)
  await query('SAVEPOINT layout')
  try {
    const changed = await updateLayout(query, schema, batch, layout, claimed)
    await query('RELEASE SAVEPOINT layout')
    return changed
  } catch (error) {
    if (isPassing(error)) throw error
    await query('ROLLBACK TO SAVEPOINT layout')
    await markBehind(query, schema, layout.id, error instanceof Error ? error.message : String(error))
    return null
  }
}

/** Updates every live layout of a dataset, and gives each and those that lapse as the transaction leaves them. */
async function updateLayouts(query: Query, schema: string, batch: Batch): Promise<readonly Updated[]> {
  const { name } = batch.definition
  const layouts = await readLiveLayouts(query, schema, name, layoutId(batch.definition))
  // Marks of a time when changes were captured mean nothing any more.
  const claimsWhole = batch.whole !== null || batch.definition.capture === null
  const claimed = await claimMarks(query, schema, name, batch.claims, claimsWhole)
  const changed = new Map<string, readonly Stretch[] | null>()
  for (const layout of layouts) changed.set(layout.id, await tryLayout(query, schema, batch, layout, claimed))
  if (batch.whole !== null || batch.stretches.length + claimed.stretches.length > 0) {
    const lapsed = await lapseLayouts(query, schema, name, [...changed.keys()])
    for (const id of lapsed) changed.set(id, [ALWAYS])
  }
  const states = await readLayoutStates(query, schema, [...changed.keys()])
  return [...states].map(([id, state]) => ({ id, state, changed: changed.get(id) ?? null }))
}

/**
 * Runs one batch: one REPEATABLE READ transaction that claims marks, computes the buckets anew in every live layout, and
 * gives those that changed a new version. Can be killed at any point and run again. Null when another refresher holds the
 * dataset's lock; else whether the own layout changed.
 */
export async function runBatch(batch: Batch, { dataSource, register }: BatchOptions): Promise<boolean | null> {
  const schema = schemaOf(dataSource)
  const { name } = batch.definition
  const updated = await withWorkLock(dataSource, batch.definition, async (query) => {
    const layouts = await updateLayouts(query, schema, batch)
    const grown = layouts.flatMap(({ id, state, changed }) => (changed === null ? [] : [{ id, state, changed }]))
    await lockForPublishing(
      query,
      grown.map(({ id }) => id),
    )
    // The last step before COMMIT: readers go to Postgres until the new versions are published.
    for (const { id, state, changed } of grown) await register.prepare(name, id, state.version, changed)
    return layouts
  })
  if (updated === null) return null
  for (const { id, state, changed } of updated) {
    if (state.data.isReady || changed !== null) await register.publish(name, id, state)
  }
  return updated.some(({ id, changed }) => id === layoutId(batch.definition) && changed !== null)
}
