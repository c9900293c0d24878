import { baseZone } from '../dataset/base-zone'
import type { Definition } from '../dataset/definition'
import { bucketEnd } from '../time/buckets'
import { ALWAYS, type Stretch } from '../time/stretch'
import type { Frame } from './frame'

/** What a whole report depends on: it stays as it is until something in these stretches changes, or the moment comes. */
export interface Basis {
  readonly stretches: readonly Stretch[]
  /** Epoch milliseconds; null: time alone changes nothing. */
  readonly expiresAt: number | null
}

/** The stretch of its dataset that a frame is about. */
export function stretchOf({ readFrom, readTo, from, to }: Frame): Stretch {
  return readFrom === null && readTo === null ? ALWAYS : { from, to }
}

/**
 * The moment from which a frame asks something else, or its buckets are filled or complete otherwise. A range that reaches
 * past now, and one that begins today for want of data, changes with the buckets of the dataset.
 */
function movesAt(definition: Definition, { range, movesAt: moves, now, from, to }: Frame): number | null {
  const isOpen = to > now || (range === null && from >= to)
  if (!isOpen) return moves
  return Math.min(moves ?? Number.POSITIVE_INFINITY, bucketEnd(now, definition.granularity, baseZone(definition)))
}

/** What a report depends on whose ranges these frames are; `clock` is now, in epoch milliseconds. */
export function basisOf(definition: Definition, frames: readonly Frame[], clock: number): Basis {
  const waits = frames.flatMap((frame) => {
    const moves = movesAt(definition, frame)
    return moves === null ? [] : [frame.until(moves)]
  })
  return {
    stretches: frames.map(stretchOf),
    expiresAt: waits.length === 0 ? null : clock + Math.min(...waits),
  }
}
