import type { TopicState, Version } from '../../src/cache/version'

/** A hand-written stand-in for the version rows of Postgres. */
export interface FakeDatabase {
  /** The topics of every read, oldest first. */
  readonly reads: (readonly string[])[]
  commit(topic: string, seq: number, uuid?: string): TopicState<string>
  remove(topic: string): void
  /** Every read from now on rejects, or works again. */
  fail(error: Error | null): void
  /** The next read takes its snapshot at once and answers only when it is released. */
  holdNext(): { release(): void }
  readStates(topics: readonly string[]): Promise<ReadonlyMap<string, TopicState<string>>>
}

export function createFakeDatabase(): FakeDatabase {
  const rows = new Map<string, TopicState<string>>()
  const reads: (readonly string[])[] = []
  let failure: Error | null = null
  let held: Promise<void> | null = null
  return {
    reads,
    commit(topic, seq, uuid = `u${seq}`) {
      const version: Version = { seq, uuid }
      const state = { version, data: `data of ${seq}.${uuid}` }
      rows.set(topic, state)
      return state
    },
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
    async readStates(topics) {
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
    },
  }
}
