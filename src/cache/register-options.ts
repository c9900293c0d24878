import type { CacheListener } from './cache-event'
import type { RedisClient } from './redis-client'
import type { TopicState } from './topic-state'

/** Postgres keeps no state of a topic that was asked for. */
export class UnknownTopicError extends Error {
  constructor(readonly topic: string) {
    super(`The database keeps no version of the topic ${topic}.`)
  }
}

/** Reads the states of topics from the primary Postgres, with one statement. A topic without one is left out. */
export type ReadStates<T> = (topics: readonly string[]) => Promise<ReadonlyMap<string, TopicState<T>>>

export interface VersionRegisterOptions<T> {
  /** Without it, every read goes to Postgres. */
  readonly redis?: RedisClient
  readonly readStates: ReadStates<T>
  /**
   * Reads the states in a statement that begins after the publish locks of the topics were tried, and calls `work` before
   * the locks are given back, with the topics whose lock is held: no commit of theirs is under way. Needed with `redis`.
   */
  guardStates?(
    topics: readonly string[],
    work: (states: ReadonlyMap<string, TopicState<T>>, held: ReadonlySet<string>) => Promise<void>,
  ): Promise<ReadonlyMap<string, TopicState<T>>>
  /** Monotonic, in milliseconds. */
  readonly clock: () => number
  readonly onEvent: CacheListener
  /** Milliseconds for which `prepare` and `publish` try in all; default 3000. */
  readonly retryMs?: number
  /** Milliseconds that Postgres may take to tell the versions before it counts as away; default 5000. */
  readonly silenceMs?: number
}
