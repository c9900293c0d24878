import type { Stretch } from '../time/stretch'
import { type History, isCurrent, overlap } from './history'
import type { Version } from './version'

/**
 * What is known of a topic, the thing that entries depend on. `data` is JSON of the caller's choosing, of which the
 * cache knows nothing; a change of its shape needs another topic, since processes of both releases share the register.
 */
export interface TopicState<T> {
  readonly version: Version
  readonly history: History
  readonly data: T
}

/** A state as one operation goes by it. */
export interface Pinned<T = unknown> extends TopicState<T> {
  /** Stretches that a commit under way may change: there, this state may not be the current one. */
  readonly pending: readonly Stretch[]
  /** False: Postgres has not confirmed the state lately, so what is answered from it may be older than the last commit. */
  readonly isConfirmed: boolean
}

/** What an answer was made from: a topic at a version, over some stretches of time. */
export interface Dependency {
  readonly group: string
  readonly topic: string
  readonly version: Version
  readonly stretches: readonly Stretch[]
  /** The very data of the topic's state that the answer shows; undefined: it shows none. */
  readonly data?: unknown
}

/** Whether what was made from a dependency is certainly what would be made from the state now. */
export function isCertain(state: Pinned, { version, stretches, data }: Dependency): boolean {
  if (!state.isConfirmed || overlap(state.pending, stretches)) return false
  return isCurrent(state, version, stretches) && (data === undefined || data === state.data)
}
