import { setTimeout as wait } from 'node:timers/promises'

const PAUSE_MS = 20

/**
 * Resolves with the first value that is not null, asked for again and again; rejects after the deadline with the last
 * failure, if the last attempt failed. Default: 10 s.
 */
export async function eventually<T>(probe: () => Promise<T | null>, deadlineMs = 10_000): Promise<T> {
  const deadline = performance.now() + deadlineMs
  for (;;) {
    let failure: unknown = new Error(`Nothing came within ${deadlineMs} ms`)
    try {
      const value = await probe()
      if (value !== null) return value
    } catch (error) {
      failure = error
    }
    if (performance.now() > deadline) throw failure
    await wait(PAUSE_MS)
  }
}
