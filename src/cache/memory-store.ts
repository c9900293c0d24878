import { LRUCache } from 'lru-cache'
import type { Entry } from './envelope'
import { freezeJson } from './freeze-json'
import { formatVersion, isNewer } from './version'

/** One value may take at most this share of the memory, so that none drives out all others. */
const LARGEST_SHARE = 1 / 8

/** How long an entry is fresh, and how long it is kept for when nothing better can be had. In seconds. */
export interface Lifetime {
  readonly freshSeconds: number
  readonly keepSeconds: number
}

/** An entry with the moments, on the store's clock, at which it is past its time and at which it is gone. */
export interface Kept extends Entry {
  readonly staleAt: number
  readonly goneAt: number
}

export interface MemoryStoreOptions {
  /** Estimated bytes that all entries together may take; the least recently used ones go first. 0 keeps nothing. */
  readonly maxBytes: number
  /** Monotonic, in milliseconds. */
  readonly clock: () => number
}

/** Keeps entries in this process. It may forget anything at any time. */
export interface MemoryStore {
  get(key: string): Kept | undefined
  /**
   * Keeps an entry unless one with a larger `seq` is there, `replaced` set aside: a slow loader never brings older data
   * back. Tells whether it was kept; too large, not JSON, or no time left is no error.
   */
  set(key: string, entry: Entry, lifetime: Lifetime, replaced?: string): boolean
  delete(key: string): void
  readonly size: { readonly entries: number; readonly bytes: number }
}

/**
 * Makes a store bounded by bytes. Values are kept as they are and frozen: whoever gave or gets one must not change it. A
 * value of more than an eighth of the bytes is not kept.
 */
export function createMemoryStore({ maxBytes, clock }: MemoryStoreOptions): MemoryStore {
  const maxSize = Math.max(1, Math.floor(maxBytes))
  const entries = new LRUCache<string, Kept>({
    maxSize,
    maxEntrySize: Math.max(1, Math.floor(maxSize * LARGEST_SHARE)),
  })

  function get(key: string): Kept | undefined {
    const kept = entries.get(key)
    if (kept === undefined || clock() < kept.goneAt) return kept
    entries.delete(key)
    return undefined
  }

  return {
    get,

    set(key, entry, { freshSeconds, keepSeconds }, replaced): boolean {
      const held = get(key)
      if (held && isNewer(held.version, entry.version) && formatVersion(held.version) !== replaced) return false
      // Whatever becomes of the new value, the older one has been replaced.
      entries.delete(key)
      const bytes = freezeJson(entry.value)
      if (bytes === null || !(keepSeconds > 0)) return false
      const now = clock()
      const kept = { ...entry, staleAt: now + freshSeconds * 1000, goneAt: now + keepSeconds * 1000 }
      entries.set(key, kept, { size: 2 * key.length + bytes })
      return entries.peek(key) === kept
    },

    delete: (key) => void entries.delete(key),

    get size() {
      return { entries: entries.size, bytes: entries.calculatedSize }
    },
  }
}
