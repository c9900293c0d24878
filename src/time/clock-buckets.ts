import { type CalendarGranularity, type Granularity, STEP_SECONDS } from './granularity'
import { type Instant, SECOND_MS } from './instant'
import { offsetAt, offsetTransitions } from './offset'

/**
 * Buckets shorter than a day. They begin where the zone's clocks show a multiple of the size, so in India an hour begins at
 * half past the hour of UTC. They are stretches of elapsed time: an hour that the clocks repeat is two buckets, one that they
 * skip is none.
 *
 * Where a change of offset is no multiple of the size (half an hour on Lord Howe Island, the seconds of local mean time) it
 * moves that grid, and then the change itself ends one bucket and begins the next: those two may be shorter than the size.
 * No bucket is ever longer, so boundaries always increase. Changes are days apart, so there is none in a bucket at whose two
 * ends the offset is the same.
 */
export type ClockGranularity = Exclude<Granularity, CalendarGranularity>

/** A stretch of time over which the grid stands still. */
interface Stretch {
  readonly from: Instant
  readonly to: Instant
  readonly offsetMs: number
}

/** The start of the bucket that holds the instant. */
export function clockBucketStart(instant: Instant, granularity: ClockGranularity, zone: string): Instant {
  const size = STEP_SECONDS[granularity] * SECOND_MS
  const offset = offsetAt(instant, zone)
  const onGrid = floorToGrid(instant, size, offset * SECOND_MS)
  if (offsetAt(onGrid, zone) === offset) return onGrid
  return stretchesOf(onGrid, instant + 1, size, zone).at(-1)?.from ?? onGrid
}

/** The end of the bucket that holds the instant. */
export function clockBucketEnd(instant: Instant, granularity: ClockGranularity, zone: string): Instant {
  const size = STEP_SECONDS[granularity] * SECOND_MS
  const offset = offsetAt(instant, zone)
  const onGrid = floorToGrid(instant, size, offset * SECOND_MS) + size
  if (offsetAt(onGrid - 1, zone) === offset) return onGrid
  return stretchesOf(instant, onGrid, size, zone)[0]?.to ?? onGrid
}

/** The start of every bucket that overlaps [from, to), and the end of the last. Expects from < to. */
export function clockBoundaries(from: Instant, to: Instant, granularity: ClockGranularity, zone: string): Instant[] {
  const size = STEP_SECONDS[granularity] * SECOND_MS
  const boundaries: Instant[] = []
  for (const stretch of stretchesOf(clockBucketStart(from, granularity, zone), to, size, zone)) {
    boundaries.push(stretch.from)
    const second = floorToGrid(stretch.from, size, stretch.offsetMs) + size
    for (let start = second; start < stretch.to; start += size) boundaries.push(start)
  }
  boundaries.push(clockBucketEnd(to - 1, granularity, zone))
  return boundaries
}

/** How many buckets overlap [from, to). Expects from < to. */
export function countClockBuckets(from: Instant, to: Instant, granularity: ClockGranularity, zone: string): number {
  const size = STEP_SECONDS[granularity] * SECOND_MS
  return stretchesOf(from, to, size, zone).reduce((count, stretch) => count + countOnGrid(stretch, size), 0)
}

/** The start of the bucket `count` before the one that starts at `start`. */
export function stepClockBack(start: Instant, granularity: ClockGranularity, zone: string, count: number): Instant {
  const size = STEP_SECONDS[granularity] * SECOND_MS
  // No bucket is longer than the size, so the one looked for cannot start earlier than this.
  const earliest = start - count * size
  let left = count
  for (const stretch of stretchesOf(earliest, start, size, zone).reverse()) {
    const available = countOnGrid(stretch, size)
    if (left <= available) {
      return Math.max(stretch.from, floorToGrid(stretch.to - 1, size, stretch.offsetMs) - (left - 1) * size)
    }
    left -= available
  }
  return earliest
}

/** [from, to) cut where a change of offset moves the grid. */
function stretchesOf(from: Instant, to: Instant, size: number, zone: string): Stretch[] {
  const starts = offsetTransitions(zone, from, to).filter(({ offsetSeconds }, index, changes) => {
    const before = changes[index - 1]
    return before === undefined || ((offsetSeconds - before.offsetSeconds) * SECOND_MS) % size !== 0
  })
  return starts.map((change, index) => ({
    from: change.at,
    to: starts[index + 1]?.at ?? to,
    offsetMs: change.offsetSeconds * SECOND_MS,
  }))
}

function countOnGrid({ from, to, offsetMs }: Stretch, size: number): number {
  return Math.floor((to - 1 + offsetMs) / size) - Math.floor((from + offsetMs) / size) + 1
}

function floorToGrid(instant: Instant, size: number, offsetMs: number): Instant {
  return Math.floor((instant + offsetMs) / size) * size - offsetMs
}
