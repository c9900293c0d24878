const WINDOW_MS = 10_000
const WINDOW_CALLS = 20
const MINIMUM_FAILURES = 5
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 5_000

interface Outcome {
  readonly at: number
  readonly failed: boolean
}

/**
 * Stops asking a server that does not answer, so that not every request pays the deadline.
 *
 * It opens when of the last 20 calls, none older than 10 s, at least 5 and at least half failed. After a pause (0.5 s,
 * doubling up to 5 s, jittered) one call may probe: its success closes the breaker, its failure opens it again. Every
 * admitted call must be followed by `succeed` or `fail`.
 */
export class CircuitBreaker {
  #outcomes: Outcome[] = []
  #state: 'closed' | 'open' | 'probing' = 'closed'
  #pauseMs = FIRST_PAUSE_MS
  #openUntil = 0

  /** `clock` is monotonic, in milliseconds; `random` gives [0, 1). */
  constructor(
    private readonly clock: () => number,
    private readonly random: () => number,
    private readonly onChange: (change: { opened: boolean; forMs: number }) => void,
  ) {}

  /** Whether a call may be made now. */
  admits(): boolean {
    if (this.#state === 'closed') return true
    if (this.#state === 'probing' || this.clock() < this.#openUntil) return false
    this.#state = 'probing'
    return true
  }

  succeed(): void {
    if (this.#state === 'closed') this.#remember(false)
    // A call that was admitted before the breaker opened may still succeed: the server answers.
    else this.reset()
  }

  fail(): void {
    if (this.#state === 'open') return
    if (this.#state === 'probing') {
      this.#open()
      return
    }
    this.#remember(true)
    const failures = this.#outcomes.filter((outcome) => outcome.failed).length
    if (failures >= MINIMUM_FAILURES && failures * 2 >= this.#outcomes.length) this.#open()
  }

  /** Forgets every failure, for example after a new connection. */
  reset(): void {
    const wasOpen = this.#state !== 'closed'
    this.#state = 'closed'
    this.#outcomes = []
    this.#pauseMs = FIRST_PAUSE_MS
    if (wasOpen) this.onChange({ opened: false, forMs: 0 })
  }

  #open(): void {
    const pause = Math.round(this.#pauseMs * (0.5 + this.random() / 2))
    this.#state = 'open'
    this.#outcomes = []
    this.#openUntil = this.clock() + pause
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS)
    this.onChange({ opened: true, forMs: pause })
  }

  #remember(failed: boolean): void {
    const now = this.clock()
    const recent = this.#outcomes.filter((outcome) => now - outcome.at <= WINDOW_MS)
    this.#outcomes = [...recent.slice(-(WINDOW_CALLS - 1)), { at: now, failed }]
  }
}
