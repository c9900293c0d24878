/** How one of several reads ended. */
export type Settled<V> = { readonly value: V } | { readonly error: unknown }

/** What a gate reads for its keys; a key that is missing is the reader's mistake and rejects. */
export type ReadAll<K extends { readonly topic: string }, V> = (
  keys: readonly K[],
) => Promise<ReadonlyMap<string, Settled<V>>>

/**
 * Makes the function through which all questions of one turn of the event loop share one read. The read begins after
 * every one of them was asked, so it is as strict as a read each.
 */
export function createGate<K extends { readonly topic: string }, V>(readAll: ReadAll<K, V>): (key: K) => Promise<V> {
  let turn: { readonly keys: Map<string, K>; readonly answers: Promise<ReadonlyMap<string, Settled<V>>> } | null = null

  function beginTurn() {
    const keys = new Map<string, K>()
    // Immediates run when all that arrived in this turn has been heard.
    const answers = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      turn = null
      return readAll([...keys.values()])
    })
    return { keys, answers }
  }

  return async (key) => {
    turn ??= beginTurn()
    turn.keys.set(key.topic, key)
    const answer = (await turn.answers).get(key.topic)
    if (answer === undefined) throw new Error(`The topic ${key.topic} was asked for and not read.`)
    if ('error' in answer) throw answer.error
    return answer.value
  }
}
