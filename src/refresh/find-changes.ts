import type { LayoutDefinition } from '../dataset/definition'
import { parseInterval, subtractDuration } from '../dataset/duration'
import { quoteIdentifier } from '../dataset/sql'
import { readMarks } from '../storage/dirty-marks'
import type { Query } from '../storage/query'
import { readRefreshRecord } from '../storage/refresh-record'
import { layoutId } from '../storage/rollup-table'
import { readUpdatedSince } from '../storage/source-content'
import { readWatermark, type Watermark } from '../storage/watermark'
import { ALWAYS, type Stretch } from '../time/stretch'

/** What a refresh has to compute anew. */
export interface Work {
  /** Whether every bucket is. */
  readonly isWhole: boolean
  /** What is not marked, but known to have changed, or not known not to have. */
  readonly stretches: readonly Stretch[]
  /** What is marked as well; only to plan by, since more may be marked by the time it is claimed. */
  readonly marked: readonly Stretch[]
  readonly watermark: Watermark | null
}

const REBUILD_AT_MOST = '1h'

/** Looks for what has changed in a dataset's source, in the way that the dataset declares. */
export async function findChanges(
  query: Query,
  schema: string,
  definition: LayoutDefinition,
  now: number,
): Promise<Work> {
  const { refresh, name } = definition
  const nothing = { isWhole: false, stretches: [], marked: [], watermark: null }
  if (refresh === 'manual') return { ...nothing, isWhole: true }
  if (refresh.lookback !== undefined) {
    return { ...nothing, stretches: [{ from: subtractDuration(now, refresh.lookback), to: ALWAYS.to }] }
  }
  if (refresh.updatedAt !== undefined) {
    const watermark = await readWatermark(query, schema, layoutId(definition))
    const column = quoteIdentifier(refresh.updatedAt)
    const stretches = await readUpdatedSince(query, definition, column, watermark.since)
    return { ...nothing, stretches, watermark }
  }
  const { stretches, isWholeTouched } = await readMarks(query, schema, name)
  const { rebuiltAt } = await readRefreshRecord(query, schema, layoutId(definition))
  const pause = parseInterval(refresh.rebuildAtMost ?? REBUILD_AT_MOST) ?? 0
  return { ...nothing, isWhole: isWholeTouched && (rebuiltAt === null || now - rebuiltAt >= pause), marked: stretches }
}
