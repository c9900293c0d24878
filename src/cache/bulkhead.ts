import { OverloadedError } from '../errors'

export interface BulkheadOptions {
  /** How much may run at once. */
  readonly limit: number
  /** How much may wait for a place. */
  readonly queue: number
  /** Milliseconds that one may wait. */
  readonly patienceMs: number
  /** Told of work that is turned away. */
  readonly onShed: (running: number, queued: number) => void
}

interface Waiting {
  begin(): void
}

/**
 * Lets so much work run at once and so much wait, and turns the rest away at once: a database that is slow is not helped by
 * a thousand more questions, and neither is who asks them.
 */
export class Bulkhead {
  #running = 0
  readonly #waiting: Waiting[] = []

  constructor(private readonly options: BulkheadOptions) {}

  get limit(): number {
    return this.options.limit
  }

  get running(): number {
    return this.#running
  }

  get queued(): number {
    return this.#waiting.length
  }

  /** Whether work would begin at once, and leave a place for others. */
  get hasRoom(): boolean {
    return this.#running + this.#waiting.length < this.options.limit - 1
  }

  /**
   * Does a piece of work when there is a place for it.
   *
   * @throws OverloadedError when there is none, or none in time.
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.options.limit) await this.#wait()
    else this.#running += 1
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      // A place is handed on, so that nobody who comes meanwhile takes it.
      if (next === undefined) this.#running -= 1
      else next.begin()
    }
  }

  #wait(): Promise<void> {
    if (this.#waiting.length >= this.options.queue) throw this.#shed()
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        begin: () => {
          clearTimeout(timer)
          resolve()
        },
      }
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
        reject(this.#shed())
      }, this.options.patienceMs)
      this.#waiting.push(waiting)
    })
  }

  #shed(): OverloadedError {
    this.options.onShed(this.#running, this.#waiting.length)
    return new OverloadedError()
  }
}
