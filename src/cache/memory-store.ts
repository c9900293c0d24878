import { LRUCache } from 'lru-cache'
import type { Entry } from './envelope'
import { freezeJson } from './freeze-json'
import { entryKey, type Question } from './question'
import type { CacheStore } from './store'
import { isNewer, type Version } from './version'

/** One value may take at most this share of the memory, so that none drives out all others. */
const LARGEST_SHARE = 1 / 8

interface Kept extends Entry {
  readonly expiresAt: number
}

export interface MemoryStoreOptions {
  /** Estimated bytes that all entries together may take; the least recently used ones go first. 0 keeps nothing. */
  readonly maxBytes: number
  /** Monotonic, in milliseconds. */
  readonly clock: () => number
}

/**
 * Keeps entries in this process, bounded by bytes. Values are kept as they are and frozen: whoever gave or gets one
 * must not change it. A value of more than an eighth of the bytes is not kept.
 */
export function createMemoryStore({ maxBytes, clock }: MemoryStoreOptions): CacheStore {
  const maxSize = Math.max(1, Math.floor(maxBytes))
  const entries = new LRUCache<string, Kept>({
    maxSize,
    maxEntrySize: Math.max(1, Math.floor(maxSize * LARGEST_SHARE)),
  })

  function find(key: string): Kept | undefined {
    const kept = entries.get(key)
    if (kept === undefined || clock() < kept.expiresAt) return kept
    entries.delete(key)
    return undefined
  }

  return {
    name: 'memory',

    async get(question: Question): Promise<Entry | undefined> {
      const kept = find(entryKey(question))
      return kept && { version: kept.version, value: kept.value }
    },

    async set(question: Question, version: Version, value: unknown, ttlSeconds: number): Promise<boolean> {
      const key = entryKey(question)
      const held = find(key)
      if (held && isNewer(held.version, version)) return false
      // Whatever becomes of the new value, the older one has been replaced.
      entries.delete(key)
      const bytes = freezeJson(value)
      if (bytes === null || !(ttlSeconds > 0)) return false
      const kept = { version, value, expiresAt: clock() + ttlSeconds * 1000 }
      entries.set(key, kept, { size: 2 * key.length + bytes })
      return entries.peek(key) === kept
    },
  }
}
