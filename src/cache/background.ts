import type { CacheListener } from './cache-event'

/** Work that nobody waits for: its failures are caught and told, and a shutdown can wait for it. */
export class Background {
  readonly #running = new Set<Promise<void>>()

  constructor(private readonly onEvent: CacheListener) {}

  get size(): number {
    return this.#running.size
  }

  /** Begins a piece of work; `name` says in an event what failed. */
  run(name: string, work: () => Promise<unknown>): void {
    // What throws at once fails like what fails later.
    const running = (async () => work())()
      .then(() => undefined)
      .catch((error: unknown) => {
        this.onEvent({
          kind: 'background-failed',
          work: name,
          message: error instanceof Error ? error.message : String(error),
        })
      })
    this.#running.add(running)
    void running.then(() => this.#running.delete(running))
  }

  /** Resolves when nothing runs any more. */
  async drain(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }
}
