import type { TopicState } from '../../src/cache/topic-state'
import type { Stretch } from '../../src/time/stretch'
import { follow, versionOf } from './versions'

type States = ReadonlyMap<string, TopicState<string>>

/** A hand-written stand-in for the version rows of Postgres and the locks with which they are published. */
export interface FakeDatabase {
  /** The topics of every read, oldest first. */
  readonly reads: (readonly string[])[]
  /** Makes a version current; one that does not follow the version before begins a history of its own. */
  commit(topic: string, seq: number, name?: string, changed?: readonly Stretch[]): TopicState<string>
  /** Puts a state back, as a backup does. */
  restore(topic: string, state: TopicState<string>): void
  remove(topic: string): void
  /** Every read from now on rejects, or works again. */
  fail(error: Error | null): void
  /** The next read takes its snapshot at once and answers only when it is released. */
  holdNext(): { release(): void }
  /** Takes the publish lock of a topic when no reader repairs it any more; returns what gives it back. */
  lockForPublishing(topic: string): Promise<() => void>
  readStates(topics: readonly string[]): Promise<States>
  guardStates(
    topics: readonly string[],
    work: (states: States, held: ReadonlySet<string>) => Promise<void>,
  ): Promise<States>
}

export function createFakeDatabase(): FakeDatabase {
  const rows = new Map<string, TopicState<string>>()
  const reads: (readonly string[])[] = []
  const publishing = new Set<string>()
  const guards = new Set<{ readonly held: ReadonlySet<string>; readonly end: Promise<void> }>()
  let failure: Error | null = null
  let held: Promise<void> | null = null

  async function readStates(topics: readonly string[]): Promise<States> {
    reads.push(topics)
    const found = topics.flatMap((topic) => {
      const row = rows.get(topic)
      return row ? [[topic, row] as const] : []
    })
    const [error, wait] = [failure, held]
    held = null
    await wait
    if (error) throw error
    return new Map(found)
  }

  return {
    reads,
    readStates,
    commit(topic, seq, name, changed) {
      const before = rows.get(topic)
      const state = follow(before?.version.seq === seq - 1 ? before : undefined, versionOf(seq, name), changed)
      rows.set(topic, state)
      return state
    },
    restore: (topic, state) => void rows.set(topic, state),
    remove: (topic) => void rows.delete(topic),
    fail(error) {
      failure = error
    },
    holdNext() {
      let release = () => {}
      held = new Promise((resolve) => {
        release = resolve
      })
      return { release }
    },
    async lockForPublishing(topic) {
      const ends = [...guards].filter((guard) => guard.held.has(topic)).map(({ end }) => end)
      // A lock that is waited for turns away those who try for it.
      publishing.add(topic)
      await Promise.all(ends)
      return () => void publishing.delete(topic)
    },
    async guardStates(topics, work) {
      let finish = () => {}
      const end = new Promise<void>((resolve) => {
        finish = resolve
      })
      const guard = { held: new Set(topics.filter((topic) => !publishing.has(topic))), end }
      guards.add(guard)
      try {
        const states = await readStates(topics)
        await work(states, guard.held)
        return states
      } finally {
        guards.delete(guard)
        finish()
      }
    },
  }
}
