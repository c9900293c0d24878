import type { LayoutDefinition } from '../dataset/definition'
import { subtractDuration } from '../dataset/duration'
import { RefreshError } from '../errors'
import { indexLayout } from '../storage/finish-layout'
import {
  copyBuckets,
  type EarlierLayout,
  findSameTable,
  readEarlierLayout,
  saveKeptFrom,
} from '../storage/frozen-history'
import { saveBuiltFrom, saveLayout } from '../storage/layout-updates'
import { type LiveLayout, readLiveLayouts } from '../storage/layouts'
import { type Query, withConnection } from '../storage/query'
import { type CensusWindow, countCensus, cutCensus, readEnds } from '../storage/rollup-content'
import { censusTable, layoutId, rollupTables } from '../storage/rollup-table'
import { schemaOf } from '../storage/schema'
import { countTimeless, estimateRows } from '../storage/source-content'
import { ALWAYS, type Stretch } from '../time/stretch'
import { firstStart } from './alignment'
import { type BatchOptions, boundStretches, readDataRange } from './batch'
import { planBuild } from './build-plan'
import { recompute, sourceSince, type Task } from './recompute'
import { withWorkLock } from './work-lock'

export interface BuildOptions extends BatchOptions {
  /** About how many source rows one transaction of a build reads. */
  readonly sliceRows: number
  /** Epoch milliseconds. */
  readonly clock: () => Promise<number>
}

/** How far a layout is built: null: nothing; -∞: all. */
export async function readBuiltFrom(
  definition: LayoutDefinition,
  { dataSource }: BatchOptions,
): Promise<number | null> {
  const schema = schemaOf(dataSource)
  const id = layoutId(definition)
  const layouts = await withConnection(dataSource, (query) => readLiveLayouts(query, schema, definition.name, id))
  const own = layouts.find((layout) => layout.id === id)
  if (own === undefined) throw new Error(`The layout ${id} was removed while it was built`)
  return own.builtFrom
}

/** What is left to build, the newest slice first, and whether the census is among it. */
export interface BuildSlices extends Pick<Task, 'tables'> {
  readonly slices: readonly CensusWindow[]
}

/**
 * Cuts what is not built yet into slices, the newest first; what is too large for one is counted before. Null when another
 * refresher is at work.
 */
export async function planSlices(
  definition: LayoutDefinition,
  builtFrom: number | null,
  options: BuildOptions,
): Promise<BuildSlices | null> {
  const { dataSource, sliceRows } = options
  const schema = schemaOf(dataSource)
  const census = censusTable(definition)
  const until = builtFrom ?? ALWAYS.to
  if (builtFrom === null) {
    const rows = await withConnection(dataSource, (query) => estimateRows(query, definition))
    if (rows <= sliceRows) return { tables: 'all', slices: [{ ...ALWAYS, rows }] }
    if ((await buildPart(definition, { ...ALWAYS, tables: 'census', builtFrom: until }, options)) === null) return null
  }
  const slices = await withConnection(dataSource, (query) =>
    cutCensus(query, schema, census, [{ from: ALWAYS.from, to: until }], until, sliceRows),
  )
  return { tables: 'rollups', slices }
}

/** Where the history of each table comes from: the same table of the layout before, or a finer one of this. */
function planHistory(definition: LayoutDefinition, earlier: EarlierLayout, now: number) {
  return planBuild(definition, { from: subtractDuration(now, 'P100Y'), to: now }).map(({ table, finer }) => {
    const source = finer === null || finer.rollup.keep === null ? finer : null
    return { table, same: findSameTable(earlier.definition, table), finer: source }
  })
}

/** Refuses a definition whose history neither the source nor the layout before has. */
function refuseWithoutHistory(definition: LayoutDefinition, earlier: EarlierLayout, now: number): void {
  const lacking = planHistory(definition, earlier, now).filter(({ same, finer }) => same === null && finer === null)
  if (lacking.length === 0) return
  const names = lacking.map(({ table }) => table.rollup.name).join(', ')
  throw new RefreshError(
    definition.className,
    `its source keeps ${definition.sourceKeeps}, and no rollup built so far holds what ${names} needs of the time before. Keep the measures, dimensions and rollups that have that history, and add new ones to a dataset of their own.`,
  )
}

/** Takes over what the source has lost already from the layout before. */
async function copyHistory(
  query: Query,
  schema: string,
  layout: LiveLayout,
  earlier: EarlierLayout,
  now: number,
): Promise<Map<number, number>> {
  const before = sourceSince(layout, now)
  const added = new Map<number, number>()
  /** Where the history of each table begins. */
  const begins = new Map<string, number | null>()
  for (const { table, same, finer } of planHistory(layout.definition, earlier, now)) {
    const { rollup } = table
    const floor = firstStart(rollup, before)
    if (same !== null) added.set(rollup.index, await copyBuckets(query, schema, same, table, floor))
    const isCut = same !== null && same.table.rollup.keep !== null
    const known = same === null ? begins.get(finer?.name ?? '') : earlier.keptFrom[same.table.rollup.index]
    // The first bucket of what a retention left may lack the rows before it.
    const kept = known == null ? null : Math.min(firstStart(rollup, isCut ? known + 1 : known), floor)
    begins.set(table.name, kept)
    if (table.isRollup) await saveKeptFrom(query, schema, layout.id, rollup.index, kept)
  }
  return added
}

/** Makes coarser buckets of the copied ones: those that no table held, and those with hours on both sides of the purge. */
async function completeHistory(
  query: Query,
  schema: string,
  layout: LiveLayout,
  now: number,
): Promise<ReadonlyMap<number, number>> {
  const ends = await readEnds(query, schema, censusTable(layout.definition), ALWAYS.from)
  const to = sourceSince(layout, now)
  if (ends === null || ends.first >= to) return new Map()
  const task = { which: 'touched', tables: 'rollups', isNew: false, now, trustsSource: false } as const
  const complete = { ...layout, builtFrom: ALWAYS.from }
  return (await recompute(query, schema, complete, { ...task, stretches: [{ from: ends.first, to }] })).rowDelta
}

/** What the last slice adds: history, the indexes, and where each rollup begins. */
async function finish(
  query: Query,
  schema: string,
  layout: LiveLayout,
  earlier: EarlierLayout | null,
  now: number,
): Promise<Map<number, number>> {
  const { definition } = layout
  const added = earlier === null ? new Map<number, number>() : await copyHistory(query, schema, layout, earlier, now)
  await indexLayout(query, schema, definition)
  if (earlier !== null) {
    for (const [index, rows] of await completeHistory(query, schema, layout, now)) {
      added.set(index, (added.get(index) ?? 0) + rows)
    }
  }
  if (definition.sourceKeeps !== null && earlier === null) {
    const ends = await readEnds(query, schema, censusTable(definition), ALWAYS.from)
    for (const { rollup } of ends === null ? [] : rollupTables(definition)) {
      await saveKeptFrom(query, schema, layout.id, rollup.index, firstStart(rollup, ends?.first ?? now))
    }
  }
  return added
}

/** What one transaction of a build adds, and how far the layout is built with it. */
interface Part extends Stretch, Pick<Task, 'tables'> {
  readonly builtFrom: number
}

async function buildPart(definition: LayoutDefinition, part: Part, options: BuildOptions): Promise<boolean | null> {
  const { dataSource, clock } = options
  const schema = schemaOf(dataSource)
  const id = layoutId(definition)
  const census = censusTable(definition)
  const now = await clock()
  return withWorkLock(dataSource, definition, async (query) => {
    const layouts = await readLiveLayouts(query, schema, definition.name, id)
    const layout = layouts.find((one) => one.id === id)
    const isNext = part.tables === 'rollups' ? layout?.builtFrom === part.to : layout?.builtFrom === null
    if (layout === undefined || !isNext) return false
    const earlier = definition.sourceKeeps === null ? null : await readEarlierLayout(query, schema, definition)
    if (earlier !== null) refuseWithoutHistory(definition, earlier, now)
    const stretches = await boundStretches(query, schema, layout, [part])
    const { tables } = part
    const task = { which: 'starting', stretches, tables, isNew: true, now, trustsSource: earlier === null } as const
    const before = await countCensus(query, schema, census, [ALWAYS])
    const done = await recompute(query, schema, layout, task)
    await saveBuiltFrom(query, schema, id, part.builtFrom)
    const isLast = part.builtFrom === ALWAYS.from
    const history = isLast ? await finish(query, schema, layout, earlier, now) : new Map<number, number>()
    const after = await countCensus(query, schema, census, [ALWAYS])
    const rowDelta = new Map(done.rowDelta)
    for (const [index, rows] of history) rowDelta.set(index, (rowDelta.get(index) ?? 0) + rows)
    await saveLayout(query, schema, id, {
      changed: [],
      isCurrent: false,
      canOpen: false,
      isExact: false,
      isOwn: true,
      isRebuilt: false,
      asOf: null,
      ...(await readDataRange(query, schema, definition, now)),
      sourceRowsDelta: after.sourceRows - before.sourceRows,
      valuesIgnoredDelta: after.valuesIgnored - before.valuesIgnored,
      rowsWithoutTime: isLast ? await countTimeless(query, definition) : null,
      rowDelta,
      keptFrom: new Map(),
      frozenMarks: 0,
    })
    return true
  })
}

/**
 * Builds one slice of a layout beside what is served, in one transaction. Null when another refresher is at work; false
 * when another one has built it meanwhile.
 */
export function buildSlice(
  definition: LayoutDefinition,
  slice: Stretch & Pick<Task, 'tables'>,
  options: BuildOptions,
): Promise<boolean | null> {
  return buildPart(definition, { ...slice, builtFrom: slice.from }, options)
}
