import { LRUCache } from 'lru-cache'

/** Texts by their keys, in the memory of this process; the form is that of Apollo Server's caches. */
export interface TextStore {
  get(key: string): Promise<string | undefined>
  set(key: string, text: string): Promise<void>
  delete(key: string): Promise<boolean>
}

/** Keeps texts that never change, bounded by estimated bytes: those that were not asked for longest go first. */
export function createTextStore(maxBytes: number): TextStore {
  const texts = new LRUCache<string, string>({
    maxSize: Math.max(1, Math.floor(maxBytes)),
    sizeCalculation: (text, key) => 2 * (text.length + key.length),
  })
  return {
    get: async (key) => texts.get(key),
    set: async (key, text) => {
      texts.set(key, text)
    },
    delete: async (key) => texts.delete(key),
  }
}
