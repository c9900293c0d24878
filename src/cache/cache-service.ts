import { DeadlineError, OverloadedError, UnavailableError } from '../errors'
import type { Background } from './background'
import { BusyQuestions } from './busy-questions'
import type { CacheListener, MissReason, StaleReason } from './cache-event'
import type { Entry } from './envelope'
import { Filler } from './filler'
import { isCurrent, newestChange } from './history'
import type { Kept, Lifetime, MemoryStore } from './memory-store'
import { entryKey, type Question } from './question'
import type { Answer, Reading } from './reading'
import type { RedisStore } from './redis-store'
import type { Pinned } from './topic-state'
import { isNewer, type Version } from './version'

export interface CacheServiceOptions {
  readonly memory: MemoryStore
  /** Without it, memory alone. */
  readonly redis?: RedisStore
  readonly background: Background
  /** Seconds that an entry is fresh; default 300. Up to a tenth less, so that entries made together do not end together. */
  readonly ttlSeconds?: number
  /** Whether a load that nobody waits for may begin now; default always. */
  readonly hasRoom?: () => boolean
  /** Monotonic, in milliseconds. */
  readonly clock: () => number
  /** Gives [0, 1); default Math.random. */
  readonly random?: () => number
  readonly onEvent: CacheListener
}

/** How long an entry is kept past its time, for when Postgres is away. */
const GRACE_SECONDS = 24 * 60 * 60

/** Where nothing ever changed, any version will do. */
const NEVER_CHANGED: Version = { seq: 0, uuid: '' }

/** Whether the source of answers is away, slow or busy, rather than at fault. */
function outageOf(error: unknown): StaleReason | null {
  if (error instanceof OverloadedError) return 'overloaded'
  if (error instanceof UnavailableError) return 'unavailable'
  return error instanceof DeadlineError ? 'timeout' : null
}

/**
 * Reads through the cache: memory, then Redis, then the loader, and keeps what was loaded.
 *
 * An entry is served when nothing in its stretch has changed since the version that its loader saw, as the pinned state
 * tells. Past its time it is still served while it is loaded anew in the background, and now and then a little before. When
 * Postgres cannot answer, an entry of any version is served as stale. A fault of a store is an event and a miss.
 */
export class CacheService {
  readonly #busy = new BusyQuestions()
  readonly #filler: Filler
  readonly #random: () => number

  constructor(private readonly options: CacheServiceOptions) {
    this.#random = options.random ?? Math.random
    this.#filler = new Filler({ ...options, lifetimeOf: (reading) => this.#chooseLifetime(reading) })
  }

  /**
   * The answer to a question at the pinned state. A question is loaded once at a time, whoever asks. Values are JSON and
   * come back frozen. When the loader sees a newer version, that is the answer's. `distrusts`: an entry that is newer than
   * the state is not believed either, since the state was read after it.
   *
   * @throws the error of `load`; an UnavailableError at once while Postgres is away and nothing is kept.
   */
  async read<T>(reading: Reading<T>, pinned: Pinned, distrusts = false): Promise<Answer<T>> {
    const { question } = reading
    const key = entryKey(question)
    const kept = this.options.memory.get(key)
    const miss = this.#judge(reading, kept, pinned)
    if (kept !== undefined && miss === null) {
      this.options.onEvent({ kind: 'hit', store: 'memory', key })
      this.#busy.count(key, reading)
      if (pinned.isConfirmed) this.#refreshInTime(reading, key, kept, pinned)
      // One question has one loader, so what is kept for it, here and below, has the type that loader gives.
      return this.#serve<T>(key, kept as Entry & { value: T }, pinned, 'memory')
    }
    this.options.onEvent({ kind: 'miss', store: 'memory', key, reason: miss ?? 'absent' })
    // What is newer than a state that was read after it is of a database that is no more.
    if (miss === 'newer' && distrusts) this.options.memory.delete(key)
    // Postgres is asked whether it is back every second, and every question waits for that alone.
    if (!pinned.isConfirmed) return this.#serveAny<T>(reading, key, new UnavailableError(), 'unconfirmed')
    try {
      const since = newestChange(pinned.history, [reading.stretch]) ?? NEVER_CHANGED
      const accepts = (entry: Entry) => this.#accepts(reading, entry, pinned, distrusts)
      const answer = await this.#filler.fetch(reading, key, since, accepts)
      // Only what was answered is remembered: questions that nobody can answer must not drive out others.
      this.#busy.count(key, reading)
      return answer as Answer<T>
    } catch (error) {
      const reason = outageOf(error)
      if (reason === null) throw error
      return this.#serveAny<T>(reading, key, error, reason)
    }
  }

  /** Loads again, in the background, the busiest questions of a topic whose answers a new version has changed. */
  warm(topic: string, pinned: Pinned): void {
    for (const reading of this.#busy.takeBusiest(topic)) {
      const key = entryKey(reading.question)
      const kept = this.options.memory.get(key)
      const accepts = (entry: Entry) => this.#judge(reading, entry, pinned) === null
      if (kept === undefined || !accepts(kept)) this.#filler.refresh(reading, key, 'warmed', accepts)
    }
  }

  /** A question that was asked lately; null when there is none. */
  pickRecent(): Reading | null {
    return this.#busy.pick(this.#random())
  }

  /** Why an entry is no answer at the pinned state; null when it is one. */
  #judge({ stretch }: Reading, entry: Entry | undefined, pinned: Pinned): MissReason | null {
    if (entry === undefined) return 'absent'
    if (isCurrent(pinned, entry.version, [stretch])) return null
    return isNewer(entry.version, pinned.version) ? 'newer' : 'outdated'
  }

  /** A newer entry is an answer, too: who asks sees its version and pins that. */
  #accepts(reading: Reading, entry: Entry, pinned: Pinned, distrusts: boolean): boolean {
    const miss = this.#judge(reading, entry, pinned)
    return miss === null || (miss === 'newer' && !distrusts)
  }

  #serve<T>(key: string, entry: Entry & { value: T }, pinned: Pinned, outcome: Answer<T>['outcome']): Answer<T> {
    const { version, asOf, value } = entry
    if (pinned.isConfirmed) return { version, asOf, value, outcome }
    this.options.onEvent({ kind: 'stale-served', key, reason: 'unconfirmed' })
    return { version, asOf, value, outcome: 'stale' }
  }

  /** Whatever is kept for a question, as stale; the error when nothing is. */
  async #serveAny<T>(reading: Reading<T>, key: string, error: unknown, reason: StaleReason): Promise<Answer<T>> {
    const entry = this.options.memory.get(key) ?? (await this.#readAny(reading.question))
    if (entry === null) throw error
    this.options.onEvent({ kind: 'stale-served', key, reason })
    const { version, asOf, value } = entry
    return { version, asOf, value: value as T, outcome: 'stale' }
  }

  async #readAny(question: Question): Promise<Entry | null> {
    try {
      return (await this.options.redis?.readAny(question))?.entry ?? null
    } catch {
      return null
    }
  }

  /**
   * Loads an entry anew in the background when it is past its time, or shortly before, by chance: the sooner the longer
   * loading takes and the nearer its end is, so that of many readers one does it in time (XFetch: Vattani, Chierichetti,
   * Lowenstein, "Optimal probabilistic cache stampede prevention", VLDB 2015, with β = 1).
   */
  #refreshInTime(reading: Reading, key: string, { staleAt, loadMs }: Kept, pinned: Pinned): void {
    const now = this.options.clock()
    const early = -loadMs * Math.log(1 - this.#random())
    if (now + early < staleAt) return
    const accepts = (entry: Entry) => this.#judge(reading, entry, pinned) === null
    this.#filler.refresh(reading, key, now < staleAt ? 'early' : 'expired', accepts)
  }

  #chooseLifetime({ ttlSeconds: limit = Number.POSITIVE_INFINITY }: Reading): Lifetime {
    const { ttlSeconds = 300 } = this.options
    const fresh = ttlSeconds * (1 - this.#random() / 10)
    return { freshSeconds: Math.min(fresh, limit), keepSeconds: Math.min(fresh + GRACE_SECONDS, limit) }
  }
}
