import type { LayoutDefinition } from '../dataset/definition'
import { readLiveLayouts } from '../storage/layouts'
import type { Query } from '../storage/query'
import { type CensusWindow, cutCensus } from '../storage/rollup-content'
import { censusTable, layoutId } from '../storage/rollup-table'
import { bucketStart } from '../time/buckets'
import { ALWAYS, type Stretch, uniteStretches } from '../time/stretch'
import { planBuild } from './build-plan'

/** Moves back until no bucket is cut in two; some combinations, such as weeks and months, seldom begin together. */
const MOST_MOVES = 60
const LONGEST_BUCKET_MS = 366 * 86_400_000

type Buckets = Parameters<typeof planBuild>[0]['rollups'][number]

/** The rollups that are made from the source itself, over some stretch around the given instants. */
function madeFromSource(definitions: readonly LayoutDefinition[], instants: readonly number[]): Buckets[] {
  const extent = { from: Math.min(...instants) - LONGEST_BUCKET_MS, to: Math.max(...instants) + LONGEST_BUCKET_MS }
  return definitions.flatMap((definition) =>
    planBuild(definition, extent).flatMap(({ table, finer }) => (finer === null ? [table.rollup] : [])),
  )
}

/** The latest instant, no later than the given one, at which a bucket of every rollup begins; -∞ where there is none near. */
export function commonStart(rollups: readonly Buckets[], instant: number): number {
  let start = instant
  for (let move = 0; move < MOST_MOVES && Number.isFinite(start); move += 1) {
    const earlier = Math.min(
      start,
      ...rollups.map(({ granularity, timezone }) => bucketStart(start, granularity, timezone)),
    )
    if (earlier === start) return start
    start = earlier
  }
  return ALWAYS.from
}

/**
 * Cuts what has changed into windows of about so many source rows, the newest first, that cover all of time. No bucket that is
 * made from the source lies in two of them: it would show rows whose marks a later window is to claim, and the rollups of one
 * version would disagree.
 */
export async function planWindows(
  query: Query,
  schema: string,
  definition: LayoutDefinition,
  stretches: readonly Stretch[],
  size: number,
): Promise<readonly CensusWindow[]> {
  const changed = uniteStretches(stretches)
  const windows = await cutCensus(query, schema, censusTable(definition), changed, ALWAYS.to, size)
  const cuts = windows.map(({ from }) => from).filter(Number.isFinite)
  if (cuts.length === 0) return windows
  const layouts = await readLiveLayouts(query, schema, definition.name, layoutId(definition))
  const rollups = madeFromSource(
    layouts.map((layout) => layout.definition),
    cuts,
  )
  const aligned: CensusWindow[] = []
  let rows = 0
  for (const window of windows) {
    rows += window.rows
    const to = aligned.at(-1)?.from ?? ALWAYS.to
    const from = Number.isFinite(window.from) ? commonStart(rollups, window.from) : window.from
    if (from >= to) continue
    aligned.push({ from, to, rows })
    rows = 0
  }
  return aligned
}
