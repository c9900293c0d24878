import type { Stretch } from '../time/stretch'
import type { Question } from './question'
import type { Version } from './version'

/** What a loader read: the value, the version it saw in the same snapshot, and the moment that both show. */
export interface Loaded<T> {
  readonly version: Version
  /** Epoch milliseconds; null when nobody can tell. */
  readonly asOf: number | null
  readonly value: T
}

/** An answer and where it came from. */
export interface Answer<T> extends Loaded<T> {
  /** `joined`: a load that another call of this process had begun; `stale`: kept from before, since nothing newer can be had. */
  readonly outcome: 'memory' | 'redis' | 'loaded' | 'joined' | 'stale'
}

/** One question, over which time it is, and how it is loaded. */
export interface Reading<T = unknown> {
  readonly question: Question
  /** The answer depends on nothing outside of this stretch of its topic. */
  readonly stretch: Stretch
  /** Seconds until nobody asks this any more, since a relative range moves on; undefined: it stands still. */
  readonly ttlSeconds?: number
  load(): Promise<Loaded<T>>
}
