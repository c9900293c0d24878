import type { LayoutDefinition } from '../dataset/definition'
import { subtractDuration } from '../dataset/duration'
import { type Origin, selectBuckets, selectDays } from '../storage/build-sql'
import type { LiveLayout } from '../storage/layouts'
import type { Query } from '../storage/query'
import { deleteBefore } from '../storage/rollup-content'
import { censusTable, type RollupTable, rollupTables } from '../storage/rollup-table'
import { insertBuckets, readWritten, replaceBuckets, type Written } from '../storage/write-sql'
import { bucketStart } from '../time/buckets'
import { ALWAYS, clipStretches, type Stretch } from '../time/stretch'
import { firstStart, listBoundaries, needsBoundaries, startingBuckets, touchedBuckets } from './alignment'
import { planBuild } from './build-plan'
import { type ChangedBuckets, changedBuckets } from './changed-stretches'

/** What is to be computed anew of a layout. Stretches are finite. */
export interface Task {
  /** `touched`: every bucket that a stretch touches. `starting`: those that start in one, so that slices do not overlap. */
  readonly which: 'touched' | 'starting'
  readonly stretches: readonly Stretch[]
  /** The census alone, the rollups alone, or both. */
  readonly tables: 'census' | 'rollups' | 'all'
  /** Whether the tables have none of these buckets yet. */
  readonly isNew: boolean
  /** Epoch milliseconds. */
  readonly now: number
  /** Whether source rows that are older than `sourceKeeps` count, as they do in the first build of all. */
  readonly trustsSource: boolean
}

const LONGEST_BUCKET_MS = 366 * 86_400_000

/** How the rows of each rollup changed in number, by its index, and in which buckets any row changed at all, or is kept no more. */
export interface Recomputed {
  readonly rowDelta: ReadonlyMap<number, number>
  /** Those of the census count, too: it says how far the data reach. Of new buckets none are told. */
  readonly changed: readonly ChangedBuckets[]
  /** Where each rollup that forgets begins now, by its index. */
  readonly keptFrom: ReadonlyMap<number, number>
}

/** Where a rollup's retention begins; -∞ when it keeps all. Whole days, so that it moves once a day. */
export function keptSince({ rollup }: RollupTable, now: number): number {
  if (rollup.keep === null) return Number.NEGATIVE_INFINITY
  const day = bucketStart(subtractDuration(now, rollup.keep), 'day', 'UTC')
  return bucketStart(day, rollup.granularity, rollup.timezone)
}

/** Where the longest retention of any rollup begins; -∞ when one keeps all. */
export function keptByAny(definition: LayoutDefinition, now: number): number {
  return Math.min(...rollupTables(definition).map((table) => keptSince(table, now)))
}

/** By how much buckets freeze early: a purge may commit between the moment a clock was read and the snapshot. */
const FREEZE_MARGIN_MS = 300_000

/** Where the source's rows begin to be whole; -∞ when nothing is purged. */
export function sourceSince({ definition }: Pick<LiveLayout, 'definition'>, now: number): number {
  if (definition.sourceKeeps === null) return Number.NEGATIVE_INFINITY
  return subtractDuration(now, definition.sourceKeeps) + FREEZE_MARGIN_MS
}

interface Piece {
  readonly origin: Origin
  readonly stretches: readonly Stretch[]
}

/**
 * Computes the buckets of a task in every table of a layout, the census first, coarser tables from finer ones, and writes
 * what differs. Buckets that are not built yet, no longer kept, or frozen stay as they are.
 */
export async function recompute(query: Query, schema: string, layout: LiveLayout, task: Task): Promise<Recomputed> {
  const { definition } = layout
  const { stretches, now } = task
  const wholeFrom = task.trustsSource ? Number.NEGATIVE_INFINITY : sourceSince(layout, now)
  // What lies before is copied when all the rest is built.
  const builtFrom = task.isNew ? wholeFrom : (layout.builtFrom ?? ALWAYS.to)
  // The census is made before the first slice.
  const countedFrom = task.isNew ? wholeFrom : layout.builtFrom === null ? ALWAYS.to : ALWAYS.from
  // A bucket reaches further than the stretch that touches it, and clocks may change there.
  const extent = {
    from: (stretches[0]?.from ?? 0) - LONGEST_BUCKET_MS,
    to: (stretches.at(-1)?.to ?? 1) + LONGEST_BUCKET_MS,
  }
  const rowDelta = new Map<number, number>()
  const keptFrom = new Map<number, number>()
  const changed: ChangedBuckets[] = []
  // A question begins and ends with buckets of the dataset.
  const within = touchedBuckets(censusTable(definition).rollup, stretches)
  /** From where on a table has every bucket there is. */
  const available = new Map<string, number>()
  const steps = planBuild(definition, extent)
  for (const { table, finer } of steps) {
    const { rollup } = table
    // A clock that is behind another refresher's brings nothing back.
    const kept = rollup.keep === null ? ALWAYS.from : (layout.keptFrom[rollup.index] ?? ALWAYS.from)
    const since = Math.max(keptSince(table, now), kept)
    const floor = Math.max(firstStart(rollup, table.isRollup ? builtFrom : countedFrom), since)
    available.set(table.name, floor)
    if (table.isRollup ? task.tables === 'census' : task.tables === 'rollups') continue
    const wanted = (task.which === 'touched' ? touchedBuckets : startingBuckets)(rollup, stretches)
    const fromFiner = finer === null ? Number.POSITIVE_INFINITY : firstStart(rollup, available.get(finer.name) ?? 0)
    const fromSource = Math.max(floor, firstStart(rollup, wholeFrom))
    const pieces: Piece[] = [
      ...(finer === null
        ? []
        : [
            {
              origin: { kind: 'rollup' as const, table: finer },
              stretches: clipStretches(wanted, { from: Math.max(floor, fromFiner), to: Number.POSITIVE_INFINITY }),
            },
          ]),
      { origin: { kind: 'source' }, stretches: clipStretches(wanted, { from: fromSource, to: fromFiner }) },
    ]
    for (const piece of pieces.filter((one) => one.stretches.length > 0)) {
      const boundaries = needsBoundaries(rollup)
        ? await listBoundaries(rollup, piece.stretches, async (stretch) => {
            const { rows } = await query(selectDays(definition, piece.origin, [stretch], schema))
            return rows.map(({ day }) => Number(day))
          })
        : []
      const select = selectBuckets(definition, table, piece.origin, piece.stretches, boundaries, schema)
      const delta = await write(query, schema, table, select, piece.stretches, task.isNew)
      rowDelta.set(rollup.index, (rowDelta.get(rollup.index) ?? 0) + delta.inserted - delta.deleted)
      if (delta.buckets.length > 0) changed.push(changedBuckets(rollup, delta, within))
    }
    if (!task.isNew && rollup.keep !== null && (layout.keptFrom[rollup.index] ?? ALWAYS.from) < since) {
      const deleted = await deleteBefore(query, schema, table, since)
      rowDelta.set(rollup.index, (rowDelta.get(rollup.index) ?? 0) - deleted)
      keptFrom.set(rollup.index, since)
      // Also what was empty can no longer be asked of this rollup: what was answered about it would not be answered now.
      const gone = [{ from: deleted > 0 ? ALWAYS.from : kept, to: since }]
      changed.push({ rollup, buckets: gone, isEach: false, within: gone })
    }
  }
  return { rowDelta, changed, keptFrom }
}

async function write(
  query: Query,
  schema: string,
  table: RollupTable,
  select: string,
  stretches: readonly Stretch[],
  isNew: boolean,
): Promise<Written> {
  if (isNew) {
    const { affected } = await query(insertBuckets(table, select, schema))
    return { deleted: 0, updated: 0, inserted: affected, buckets: [], isEach: true }
  }
  const { rows } = await query(replaceBuckets(table, select, stretches, schema))
  return readWritten(rows[0])
}
