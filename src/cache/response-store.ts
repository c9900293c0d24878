import { LRUCache } from 'lru-cache'
import { withDeadline } from './deadline'
import type { Dependency } from './topic-state'

/** What a whole answer was made from, and until when it says the same. */
export interface ResponseFacts {
  readonly dependencies: readonly Dependency[]
  /** Epoch milliseconds at which a relative or open range moves on; null: none does. */
  readonly expiresAt: number | null
}

/** A whole answer, as it is sent. */
export interface StoredResponse extends ResponseFacts {
  /** Its bytes, a character each (latin1): Node.js writes such a text in one piece with the head. */
  readonly body: string
  readonly contentType: string
  readonly etag: string
  /** Whether everybody may have it, and not only those of its scope. */
  readonly isPublic: boolean
  /** Name of its operation, for the log. */
  readonly operation: string | null
  /** Aliases of its operation, as its spelling lists them. */
  readonly aliases: readonly string[]
  /** The headers that all get with it: name, value, name, value. */
  readonly headers: readonly string[]
}

/** What makes two requests the same: all of it. */
export interface ResponseQuestion {
  /** What the caller may see, as text. */
  readonly scope: string
  readonly method: string
  /** Media type of the answer. */
  readonly contentType: string
  /** The request: the bytes of a body, a character each, a URL, or what is the same for requests that ask the same. */
  readonly request: string
}

/**
 * The key of an answer. Different questions have different keys: the first two parts hold no line break, the scope is as long
 * as is said before it, and the request is all of the rest.
 */
export function responseKey({ scope, method, contentType, request }: ResponseQuestion): string {
  return `${method}\n${contentType}\n${scope.length}\n${scope}${request}`
}

export interface ResponseStoreOptions {
  /** Estimated bytes that all answers together may take; the least recently used ones go first. 0 keeps nothing. */
  readonly maxBytes: number
  /** Seconds that an answer is kept at most; default 300. */
  readonly ttlSeconds?: number
  /** Epoch milliseconds. */
  readonly clock: () => number
  /**
   * Whether an answer made from these is certainly what would be answered now. What it reads, it reads in an immediate that it
   * has scheduled before it returns.
   */
  readonly confirms: (dependencies: readonly Dependency[]) => Promise<boolean>
  /** Milliseconds after which what is not confirmed is taken for denied; default 1000. */
  readonly confirmMs?: number
}

/** Whole answers, in the memory of this process. */
export interface ResponseStore {
  /** The answer that is kept under a key, until its time is over. It must be confirmed before it is sent. */
  find(key: string): StoredResponse | 'absent' | 'outdated'
  /**
   * Whether an answer is still what would be answered now. Calls for one answer in one turn of the event loop share one
   * check, which reads after every one of them. Never rejects.
   */
  confirm(response: StoredResponse): Promise<boolean>
  /** Epoch milliseconds until which an answer that is kept now is good. */
  limit(facts: ResponseFacts): number
  /** Keeps an answer in place of the one before; one of more than an eighth of the bytes is not kept. */
  keep(key: string, response: StoredResponse): void
  /** Estimated bytes that are taken. */
  readonly bytes: number
}

/** One answer may take at most this share of the memory, so that none drives out all others. */
const LARGEST_SHARE = 1 / 8
/** What objects take beside the texts and bytes they hold. */
const ENTRY_BYTES = 600
const DEPENDENCY_BYTES = 400
const STRETCH_BYTES = 60

interface Kept {
  readonly response: StoredResponse
  /** From when on and until when it is good, in epoch milliseconds: a clock may be set back. */
  readonly since: number
  readonly until: number
}

/** Keeps whole answers in this process, bounded by bytes. */
export function createResponseStore(options: ResponseStoreOptions): ResponseStore {
  const { maxBytes, ttlSeconds = 300, clock, confirms, confirmMs = 1_000 } = options
  const maxSize = Math.max(1, Math.floor(maxBytes))
  const entries = new LRUCache<string, Kept>({
    maxSize,
    maxEntrySize: Math.max(1, Math.floor(maxSize * LARGEST_SHARE)),
  })
  const checks = new Map<StoredResponse, Promise<boolean>>()
  const limit = ({ expiresAt }: ResponseFacts) =>
    Math.min(clock() + ttlSeconds * 1000, expiresAt ?? Number.POSITIVE_INFINITY)

  return {
    find: (key) => {
      const kept = entries.get(key)
      if (kept === undefined) return 'absent'
      const now = clock()
      if (kept.since <= now && now < kept.until) return kept.response
      entries.delete(key)
      return 'outdated'
    },
    confirm: (response) => {
      const shared = checks.get(response)
      if (shared !== undefined) return shared
      // Scheduled ahead of what the check reads in: whoever comes after that has begun finds no check to share.
      if (checks.size === 0) setImmediate(() => checks.clear())
      const check = withDeadline(confirms(response.dependencies), confirmMs, () => new Error('late')).catch(() => false)
      checks.set(response, check)
      return check
    },
    limit,
    keep: (key, response) => {
      const now = clock()
      const until = limit(response)
      entries.delete(key)
      if (now < until) entries.set(key, { response, since: now, until }, { size: estimateBytes(key, response) })
    },
    get bytes() {
      return entries.calculatedSize
    },
  }
}

function estimateBytes(key: string, { body, headers, aliases, dependencies }: StoredResponse): number {
  const texts = [...headers, ...aliases].reduce((sum, text) => sum + 2 * text.length, 2 * key.length)
  const stretches = dependencies.reduce((sum, each) => sum + each.stretches.length, 0)
  return ENTRY_BYTES + texts + body.length + dependencies.length * DEPENDENCY_BYTES + stretches * STRETCH_BYTES
}
