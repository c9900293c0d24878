import type { CacheListener } from './cache-event'
import { decodeEnvelope, type Entry, encodeEnvelope } from './envelope'
import { freezeJson } from './freeze-json'
import { entryKey, type Question } from './question'
import type { RedisClient } from './redis-client'
import type { CacheStore } from './store'
import { formatVersion, type Version } from './version'

/**
 * Keeps entries in Redis, where every process finds them. What is read is verified; bytes that do not decode are an
 * event and a miss, and the next `set` replaces them. An entry of more than 1 MiB is not kept. Every key has a TTL.
 */
export function createRedisStore(redis: RedisClient, onEvent: CacheListener): CacheStore {
  return {
    name: 'redis',

    async get(question: Question): Promise<Entry | undefined> {
      const key = entryKey(question)
      const bytes = await redis.run('get entry', (connection) => connection.hgetBuffer(key, 'b'))
      if (bytes === null) return undefined
      const entry = decodeEnvelope(bytes, question)
      if (entry === null) onEvent({ kind: 'decode-failed', key })
      return entry ?? undefined
    },

    async set(question: Question, version: Version, value: unknown, ttlSeconds: number): Promise<boolean> {
      if (!(ttlSeconds > 0) || freezeJson(value) === null) return false
      const bytes = encodeEnvelope(question, version, value)
      if (bytes === null) return false
      const key = entryKey(question)
      const ttlMs = Math.max(1, Math.round(ttlSeconds * 1000))
      const written = await redis.run('set entry', (connection) =>
        connection.setEntry(key, formatVersion(version), version.seq, bytes, ttlMs),
      )
      return written === 1
    },
  }
}
