/** By topic, what was read for it, or what will have been: who waits for one holds up neither the others nor the next read. */
export type Answers<V> = ReadonlyMap<string, V | Promise<V>>

/** What a gate reads for its keys; a key that is missing is the reader's mistake and rejects. */
export type ReadAll<K extends { readonly topic: string }, V> = (keys: readonly K[]) => Promise<Answers<V>>

/** Reads under way at once: who comes meanwhile shares the next one, which makes turns larger the busier it gets. */
const MOST_READS = 2

/**
 * Makes the function through which all questions of one turn of the event loop share one read. The read begins after
 * every one of them was asked, so it is as strict as a read each.
 */
export function createGate<K extends { readonly topic: string }, V>(readAll: ReadAll<K, V>): (key: K) => Promise<V> {
  let turn: { readonly keys: Map<string, K>; readonly answers: Promise<Answers<V>> } | null = null
  let reads = 0
  let waiting: (() => void) | null = null

  async function readTurn(keys: ReadonlyMap<string, K>): Promise<Answers<V>> {
    // Immediates run when all that arrived in this turn has been heard.
    await new Promise<void>((resolve) => setImmediate(resolve))
    if (reads >= MOST_READS) {
      await new Promise<void>((resolve) => {
        waiting = resolve
      })
    }
    turn = null
    reads += 1
    try {
      return await readAll([...keys.values()])
    } finally {
      reads -= 1
      const next = waiting
      waiting = null
      next?.()
    }
  }

  return async (key) => {
    if (turn === null) {
      const keys = new Map<string, K>()
      turn = { keys, answers: readTurn(keys) }
    }
    turn.keys.set(key.topic, key)
    const answer = (await turn.answers).get(key.topic)
    if (answer === undefined) throw new Error(`The topic ${key.topic} was asked for and not read.`)
    return answer
  }
}
