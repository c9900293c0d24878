import { randomUUID } from 'node:crypto'
import type { CacheListener } from './cache-event'
import { decodeEnvelope, type Entry, encodeEnvelope } from './envelope'
import { freezeJson } from './freeze-json'
import type { Lifetime } from './memory-store'
import { entryKey, leaseKey, type Question } from './question'
import type { RedisClient } from './redis-client'
import { formatVersion } from './version'

/** The right to load an entry, held by one process at a time. */
export interface Lease {
  readonly token: string
}

export function createLease(): Lease {
  return { token: randomUUID() }
}

/** What Redis had for a question. */
export type EntryRead =
  /** `freshMs` may be negative: past its time. */
  | { readonly kind: 'found'; readonly entry: Entry; readonly freshMs: number }
  /** Nothing new enough: this process is to load it, another one does, or another one has just failed to. */
  | { readonly kind: 'won' | 'lost' | 'failed' }
  /** Something is there that cannot be read; it says to be of this version. */
  | { readonly kind: 'unreadable'; readonly version: string }

/** Keeps entries where every process finds them, and says who loads. Rejects when Redis cannot be asked. */
export interface RedisStore {
  /**
   * Reads an entry whose `seq` is at least `since`, or tries to take the lease of it, with one trip. When it rejects, the lease
   * may have been taken: the load that follows gives it back.
   */
  read(question: Question, since: number, lease: Lease): Promise<EntryRead>
  /** The entry whatever its version; null: none that can be read. */
  readAny(question: Question): Promise<Extract<EntryRead, { kind: 'found' }> | null>
  /** Takes the lease of an entry that is there already; null when another process has it. */
  lease(question: Question): Promise<Lease | null>
  /**
   * Keeps an entry unless a newer one is there, `replaced` set aside, and gives the lease back. An entry of more than 1 MiB,
   * or one that is not JSON, is not kept.
   */
  fill(
    question: Question,
    entry: Entry,
    lifetime: Lifetime,
    lease: Lease | null,
    replaced?: string,
  ): Promise<'kept' | 'superseded' | 'unfit'>
  /** Gives a lease back after a load that failed; for `backOffMs` nobody tries again. */
  fail(question: Question, lease: Lease, backOffMs: number): Promise<void>
  /** Calls back when some process has filled or given up the entry; returns what ends the listening. */
  onFilled(question: Question, listener: () => void): () => void
}

const CHANNEL = 'aggregraph:filled'

/** `leaseMs` is longer than any load: a process that dies keeps its leases for that long. */
export function createRedisStore(redis: RedisClient, leaseMs: number, onEvent: CacheListener): RedisStore {
  const waiting = new Map<string, Set<() => void>>()
  redis.subscribe(CHANNEL, (key) => {
    for (const listener of waiting.get(key) ?? []) listener()
  })

  /** What a reply of three holds. The version beside an envelope decides in scripts, so it must be the envelope's own. */
  function readFound(question: Question, key: string, reply: readonly unknown[]): EntryRead {
    const [text, bytes, freshMs] = reply
    const version = String(text)
    const entry = Buffer.isBuffer(bytes) ? decodeEnvelope(bytes, question) : null
    if (entry !== null && formatVersion(entry.version) === version) {
      return { kind: 'found', entry, freshMs: Number(freshMs) }
    }
    onEvent({ kind: 'decode-failed', key })
    return { kind: 'unreadable', version }
  }

  async function release(key: string, token: string, backOffMs: number): Promise<void> {
    await redis.run('end lease', (connection) => connection.endLease(leaseKey(key), token, backOffMs, CHANNEL, key))
  }

  return {
    async read(question, since, lease): Promise<EntryRead> {
      const key = entryKey(question)
      const reply = await redis.run('read entry', (connection) =>
        connection.readEntryBuffer(key, leaseKey(key), since, lease.token, leaseMs),
      )
      if (reply.length === 3) return readFound(question, key, reply)
      const outcome = String(reply[1])
      if (outcome === 'won' || outcome === 'failed') return { kind: outcome }
      return { kind: 'lost' }
    },

    async readAny(question) {
      const key = entryKey(question)
      const reply = await redis.run('read entry', (connection) =>
        connection.readEntryBuffer(key, leaseKey(key), 0, '', leaseMs),
      )
      const read = reply.length === 3 ? readFound(question, key, reply) : null
      return read?.kind === 'found' ? read : null
    },

    async lease(question): Promise<Lease | null> {
      const lease = createLease()
      const taken = await redis.run('take lease', (connection) =>
        connection.takeLease(leaseKey(entryKey(question)), lease.token, leaseMs),
      )
      return taken === 1 ? lease : null
    },

    async fill(question, entry, { freshSeconds, keepSeconds }, lease, replaced = '') {
      const key = entryKey(question)
      const bytes = keepSeconds > 0 && freezeJson(entry.value) !== null ? encodeEnvelope(question, entry) : null
      if (bytes === null) {
        if (lease !== null) await release(key, lease.token, 0)
        return 'unfit'
      }
      const keepMs = Math.max(1, Math.round(keepSeconds * 1000))
      const graceMs = Math.max(0, Math.round((keepSeconds - freshSeconds) * 1000))
      const { version } = entry
      const kept = await redis.run('fill entry', (connection) =>
        connection.fillEntry(
          key,
          leaseKey(key),
          formatVersion(version),
          version.seq,
          bytes,
          keepMs,
          graceMs,
          replaced,
          lease?.token ?? '',
          CHANNEL,
        ),
      )
      return kept === 1 ? 'kept' : 'superseded'
    },

    fail: (question, lease, backOffMs) => release(entryKey(question), lease.token, backOffMs),

    onFilled(question, listener) {
      const key = entryKey(question)
      const listeners = waiting.get(key) ?? new Set()
      waiting.set(key, listeners.add(listener))
      return () => {
        listeners.delete(listener)
        if (listeners.size === 0 && waiting.get(key) === listeners) waiting.delete(key)
      }
    },
  }
}
