import { LRUCache } from 'lru-cache'
import { DeadlineError, OverloadedError, UnavailableError } from '../errors'
import type { Background } from './background'
import type { CacheListener } from './cache-event'
import type { Entry } from './envelope'
import type { Lifetime, MemoryStore } from './memory-store'
import type { Answer, Loaded, Reading } from './reading'
import { createLease, type EntryRead, type Lease, type RedisStore } from './redis-store'
import { formatVersion, type Version } from './version'

export interface FillerOptions {
  readonly memory: MemoryStore
  readonly redis?: RedisStore
  readonly background: Background
  readonly hasRoom?: () => boolean
  readonly clock: () => number
  readonly onEvent: CacheListener
  readonly lifetimeOf: (reading: Reading) => Lifetime
}

/** How long this process waits for another one's load before it loads by itself: a dead loader's place is taken over. */
const PATIENCE_MS = 2_000
/** How often a filled entry is looked for, when no message tells: the pause doubles. */
const FIRST_POLL_MS = 20
const LONGEST_POLL_MS = 500
/** After a load that failed because Postgres cannot answer, nobody tries the same question again for so long. */
const BACK_OFF_MS = 1_000
const REFRESH_PAUSE_MS = 1_000
const REMEMBERED_KEYS = 10_000

interface Failure {
  readonly until: number
  readonly error: unknown
}

/** Gets what memory does not have: from Redis, from another process that is loading it, or from the loader. */
export class Filler {
  /**
   * Loads under way, by question and the version that last changed anything in its stretch: a load that began before that
   * commit is no answer to who asks after it.
   */
  readonly #flights = new Map<string, Promise<Answer<unknown>>>()
  /** When each entry was last made anew in the background, or looked at for that. */
  readonly #refreshed = new LRUCache<string, number>({ max: REMEMBERED_KEYS })
  readonly #refreshing = new Set<string>()
  readonly #failures = new LRUCache<string, Failure>({ max: REMEMBERED_KEYS })

  constructor(private readonly options: FillerOptions) {}

  /** An entry that `accepts` takes, or what the loader gives. Rejects with the loader's error alone. */
  async fetch(
    reading: Reading,
    key: string,
    since: Version,
    accepts: (entry: Entry) => boolean,
    hasWaited = false,
  ): Promise<Answer<unknown>> {
    const flight = `${key} ${formatVersion(since)}`
    const running = this.#flights.get(flight)
    if (running !== undefined) {
      this.options.onEvent({ kind: 'joined', key })
      const answer = await running
      // What was loaded since this call is as good as what it would load itself.
      const isOwn = hasWaited && answer.outcome === 'loaded'
      if (isOwn || accepts({ ...answer, loadMs: 0 })) return { ...answer, outcome: 'joined' }
      return this.fetch(reading, key, since, accepts, true)
    }
    const fetched = this.#fetch(reading, key, since, accepts).finally(() => this.#flights.delete(flight))
    this.#flights.set(flight, fetched)
    return fetched
  }

  /** Makes an entry anew in the background, if nobody else has done so or does, and there is room. */
  refresh(
    reading: Reading,
    key: string,
    reason: 'expired' | 'early' | 'warmed',
    accepts: (entry: Entry) => boolean,
  ): void {
    const { redis, background, clock, hasRoom = () => true, onEvent } = this.options
    const now = clock()
    const isRecent = (this.#refreshed.get(key) ?? Number.NEGATIVE_INFINITY) > now - REFRESH_PAUSE_MS
    if (isRecent || this.#refreshing.has(key) || !hasRoom()) return
    this.#refreshed.set(key, now)
    this.#refreshing.add(key)
    const work = async () => {
      const lease = redis === undefined ? null : await this.#leaseAgain(redis, reading, key, reason, accepts)
      if (lease === 'done') return
      // Many may have begun at once: those who ask come first.
      if (!hasRoom()) {
        if (lease !== null) await redis?.fail(reading.question, lease, 0)
        return
      }
      await this.#load(reading, key, lease)
      onEvent({ kind: 'refreshed', key, reason })
    }
    background.run('refresh an entry', () => work().finally(() => this.#refreshing.delete(key)))
  }

  /** The lease to make an entry anew; null where Redis cannot say; `done` when another process has made it or is at it. */
  async #leaseAgain(
    redis: RedisStore,
    reading: Reading,
    key: string,
    reason: 'expired' | 'early' | 'warmed',
    accepts: (entry: Entry) => boolean,
  ): Promise<Lease | null | 'done'> {
    try {
      const there = await redis.readAny(reading.question)
      const isNew = reason === 'warmed' || (reason === 'expired' && there !== null && there.freshMs > 0)
      if (there !== null && isNew && accepts(there.entry)) {
        this.#adopt(reading, key, there)
        return 'done'
      }
      return (await redis.lease(reading.question)) ?? 'done'
    } catch {
      return null
    }
  }

  async #fetch(
    reading: Reading,
    key: string,
    since: Version,
    accepts: (entry: Entry) => boolean,
  ): Promise<Answer<unknown>> {
    const { redis, onEvent } = this.options
    if (redis === undefined) return this.#load(reading, key, null)
    const lease = createLease()
    let isFirst = true
    let hasWaited = false
    const waitUntil = this.options.clock() + PATIENCE_MS
    const beganAt = this.options.clock()
    for (let pause = FIRST_POLL_MS; ; pause = Math.min(pause * 2, LONGEST_POLL_MS)) {
      const filled = watch((listener) => redis.onFilled(reading.question, listener))
      try {
        const read = await this.#readRedis(redis, reading, key, since.seq, lease)
        if (read.kind === 'found') {
          if (!accepts(read.entry)) return await this.#load(reading, key, null, formatVersion(read.entry.version))
          // Past its time, it is served while it is made anew.
          if (read.freshMs <= 0) this.refresh(reading, key, 'expired', accepts)
          if (hasWaited) onEvent({ kind: 'waited', key, ms: this.options.clock() - beganAt, outcome: 'filled' })
          return this.#adopt(reading, key, read)
        }
        // A reply that is late once need not be late again, and may have been the lease.
        if (read.kind === 'unknown' && isFirst) {
          isFirst = false
          continue
        }
        if (read.kind === 'won' || read.kind === 'unknown') return await this.#load(reading, key, lease)
        if (read.kind === 'failed') throw new UnavailableError()
        if (read.kind === 'unreadable') return await this.#load(reading, key, null, read.version)
        const left = waitUntil - this.options.clock()
        if (left <= 0) {
          onEvent({ kind: 'waited', key, ms: this.options.clock() - beganAt, outcome: 'gave-up' })
          return await this.#load(reading, key, null)
        }
        await filled.within(Math.min(pause, left))
        hasWaited = true
      } finally {
        filled.end()
      }
    }
  }

  async #readRedis(
    redis: RedisStore,
    { question }: Reading,
    key: string,
    since: number,
    lease: Lease,
  ): Promise<EntryRead | { readonly kind: 'unknown' }> {
    const { onEvent } = this.options
    try {
      const read = await redis.read(question, since, lease)
      if (read.kind === 'found') onEvent({ kind: 'hit', store: 'redis', key })
      else onEvent({ kind: 'miss', store: 'redis', key, reason: 'absent' })
      if (read.kind === 'won' || read.kind === 'lost') onEvent({ kind: 'lease', outcome: read.kind, key })
      return read
    } catch {
      onEvent({ kind: 'miss', store: 'redis', key, reason: 'fault' })
      onEvent({ kind: 'lease', outcome: 'unknown', key })
      return { kind: 'unknown' }
    }
  }

  #adopt(
    reading: Reading,
    key: string,
    { entry, freshMs }: { readonly entry: Entry; readonly freshMs: number },
  ): Answer<unknown> {
    const lifetime = this.options.lifetimeOf(reading)
    const freshSeconds = Math.min(lifetime.freshSeconds, freshMs / 1000)
    this.options.memory.set(key, entry, { ...lifetime, freshSeconds })
    const { version, asOf, value } = entry
    return { version, asOf, value, outcome: 'redis' }
  }

  /** Loads and keeps in memory; Redis is filled, and the lease given back, behind the back of who waits. */
  async #load(reading: Reading, key: string, lease: Lease | null, replaced = ''): Promise<Answer<unknown>> {
    const { redis, background, clock, onEvent } = this.options
    const failure = this.#failures.get(key)
    const beganAt = clock()
    let loaded: Loaded<unknown>
    try {
      if (failure !== undefined && beganAt < failure.until) throw failure.error
      loaded = await reading.load()
    } catch (error) {
      onEvent({ kind: 'load-failed', key, message: error instanceof Error ? error.message : String(error) })
      const backOffMs = isOutage(error) ? BACK_OFF_MS : 0
      if (backOffMs > 0 && error !== failure?.error) this.#failures.set(key, { until: clock() + backOffMs, error })
      if (lease !== null) await redis?.fail(reading.question, lease, backOffMs).catch(() => undefined)
      throw error
    }
    const loadMs = clock() - beganAt
    onEvent({ kind: 'loaded', key, version: formatVersion(loaded.version), ms: loadMs })
    const entry: Entry = { ...loaded, loadMs }
    const lifetime = this.options.lifetimeOf(reading)
    const isKept = this.options.memory.set(key, entry, lifetime, replaced)
    onEvent({ kind: isKept ? 'stored' : 'not-stored', store: 'memory', key })
    // Nobody has to wait for this: what is current is told by the register, so a read that finds no entry yet, or the one
    // before, takes neither for an answer.
    if (redis !== undefined)
      background.run('fill an entry', () => this.#fill(redis, reading, key, entry, lifetime, lease, replaced))
    return { ...loaded, outcome: 'loaded' }
  }

  async #fill(
    redis: RedisStore,
    { question }: Reading,
    key: string,
    entry: Entry,
    lifetime: Lifetime,
    lease: Lease | null,
    replaced: string,
  ): Promise<void> {
    const { onEvent } = this.options
    try {
      // Whoever waits for the value gets it before it is packed.
      await new Promise((resolve) => setImmediate(resolve))
      const outcome = await redis.fill(question, entry, lifetime, lease, replaced)
      const kind = outcome === 'kept' ? 'stored' : outcome === 'superseded' ? 'superseded' : 'not-stored'
      onEvent({ kind, store: 'redis', key })
    } catch {
      // Not kept; the connection has told why.
      onEvent({ kind: 'not-stored', store: 'redis', key })
    }
  }
}

/** Whether the source is away or too slow; one that is merely busy may have room the next moment. */
function isOutage(error: unknown): boolean {
  return error instanceof DeadlineError || (error instanceof UnavailableError && !(error instanceof OverloadedError))
}

/** Listens from now on, so that nothing is missed between a look and the wait. */
function watch(listen: (listener: () => void) => () => void) {
  let hear = () => {}
  const heard = new Promise<void>((resolve) => {
    hear = resolve
  })
  const end = listen(hear)
  return {
    end,
    within: async (milliseconds: number) => {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, milliseconds)
      })
      await Promise.race([heard, late])
      clearTimeout(timer)
    },
  }
}
