import type { CacheEvent, CacheListener, MissReason } from './cache-event'
import type { Entry } from './envelope'
import { entryKey, type Question } from './question'
import type { CacheStore } from './store'
import { formatVersion, sameVersion, type Version } from './version'

/** What a loader read: the value, and the version it saw in the same snapshot. */
export interface Loaded<T> {
  readonly version: Version
  readonly value: T
}

/** An answer and where it came from; `joined` is the load that another call of this process had begun. */
export interface Answer<T> extends Loaded<T> {
  readonly outcome: 'memory' | 'redis' | 'loaded' | 'joined'
}

export interface CacheServiceOptions {
  readonly memory: CacheStore
  /** Without it, memory alone. */
  readonly redis?: CacheStore
  /** Seconds that an entry is kept; default 300. Up to a tenth less, so that entries made together do not end together. */
  readonly ttlSeconds?: number
  /** Gives [0, 1); default Math.random. */
  readonly random?: () => number
  readonly onEvent: CacheListener
}

export interface ReadOptions {
  /** Keeps the entry no longer than this, for example until a relative range moves on. */
  readonly ttlSeconds?: number
}

/**
 * Reads through the cache: memory, then Redis, then the loader, and keeps what was loaded.
 *
 * An entry is served only at the very version that was asked for, and is kept under the version its loader saw, never
 * the one expected. A fault of a store is an event and a miss; a failed load rejects and keeps nothing.
 */
export class CacheService {
  /** Loads under way, by question and version: a load that began before a commit is no answer to who asks after it. */
  readonly #flights = new Map<string, Promise<Answer<unknown>>>()

  constructor(private readonly options: CacheServiceOptions) {}

  /**
   * The answer to a question at the topic's current version. A question is loaded once at a time, whoever asks. Values
   * are JSON and come back frozen. When `load` sees a newer version than asked for, that is the answer's. Rejects only
   * with the error of `load`.
   */
  async read<T>(
    question: Question,
    version: Version,
    load: () => Promise<Loaded<T>>,
    options: ReadOptions = {},
  ): Promise<Answer<T>> {
    const key = entryKey(question)
    const kept = await this.#lookUp(this.options.memory, question, version, key)
    // One question has one loader, so what is kept for it, here and below, has the type that loader gives.
    if (kept) return { version: kept.version, value: kept.value as T, outcome: 'memory' }

    const flight = `${key} ${formatVersion(version)}`
    const running = this.#flights.get(flight)
    if (running) {
      this.#tell({ kind: 'joined', key })
      const { value, version: seen } = await running
      return { version: seen, value: value as T, outcome: 'joined' }
    }
    const fetched = this.#fetch(question, version, key, load, options).finally(() => this.#flights.delete(flight))
    this.#flights.set(flight, fetched)
    return fetched
  }

  async #fetch<T>(
    question: Question,
    version: Version,
    key: string,
    load: () => Promise<Loaded<T>>,
    options: ReadOptions,
  ): Promise<Answer<T>> {
    const { memory, redis } = this.options
    const ttlSeconds = this.#chooseTtl(options)
    const kept = redis && (await this.#lookUp(redis, question, version, key))
    if (kept) {
      await this.#keep(memory, question, kept.version, kept.value, ttlSeconds, key)
      return { version: kept.version, value: kept.value as T, outcome: 'redis' }
    }
    const loaded = await this.#load(load, key)
    // Everyone finds the new entry before anyone sees it, so that no later read gets an older one.
    await this.#keep(memory, question, loaded.version, loaded.value, ttlSeconds, key)
    if (redis) await this.#keep(redis, question, loaded.version, loaded.value, ttlSeconds, key)
    return { version: loaded.version, value: loaded.value, outcome: 'loaded' }
  }

  async #load<T>(load: () => Promise<Loaded<T>>, key: string): Promise<Loaded<T>> {
    try {
      const loaded = await load()
      this.#tell({ kind: 'loaded', key, version: formatVersion(loaded.version) })
      return loaded
    } catch (error) {
      this.#tell({ kind: 'load-failed', key, message: error instanceof Error ? error.message : String(error) })
      throw error
    }
  }

  async #lookUp(store: CacheStore, question: Question, version: Version, key: string): Promise<Entry | null> {
    const miss = (reason: MissReason) => this.#tell({ kind: 'miss', store: store.name, key, reason })
    try {
      const entry = await store.get(question)
      if (entry && sameVersion(entry.version, version)) {
        this.#tell({ kind: 'hit', store: store.name, key })
        return entry
      }
      miss(entry ? 'other-version' : 'absent')
    } catch {
      miss('fault')
    }
    return null
  }

  async #keep(
    store: CacheStore,
    question: Question,
    version: Version,
    value: unknown,
    ttlSeconds: number,
    key: string,
  ): Promise<void> {
    let isKept = false
    try {
      isKept = await store.set(question, version, value, ttlSeconds)
    } catch {
      // Not kept; the store's connection has told why.
    }
    this.#tell({ kind: isKept ? 'stored' : 'not-stored', store: store.name, key })
  }

  #chooseTtl({ ttlSeconds: limit = Number.POSITIVE_INFINITY }: ReadOptions): number {
    const { ttlSeconds = 300, random = Math.random } = this.options
    return Math.min(ttlSeconds * (1 - random() / 10), limit)
  }

  #tell(event: CacheEvent): void {
    this.options.onEvent(event)
  }
}
