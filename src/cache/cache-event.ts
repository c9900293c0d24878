export type StoreName = 'memory' | 'redis'

/** Why a store did not answer: nothing there, an entry of another version, or the store failed. */
export type MissReason = 'absent' | 'other-version' | 'fault'

/**
 * Why a register was not believed: nothing (or only a preparation) there, unreadable, written under another Redis
 * server, older than what this process has seen, another version of the same `seq`, or denied by Postgres.
 */
export type UnknownReason = 'absent' | 'corrupt' | 'other-server' | 'behind' | 'disputed' | 'disowned'

/**
 * Everything that happens in the cache, for logs, metrics and tests. Keys are digests and messages carry no secrets;
 * versions are texts, `<seq>.<uuid>`.
 */
export type CacheEvent =
  | { readonly kind: 'hit'; readonly store: StoreName; readonly key: string }
  | { readonly kind: 'miss'; readonly store: StoreName; readonly key: string; readonly reason: MissReason }
  | { readonly kind: 'joined'; readonly key: string }
  | { readonly kind: 'loaded'; readonly key: string; readonly version: string }
  | { readonly kind: 'load-failed'; readonly key: string; readonly message: string }
  | { readonly kind: 'stored'; readonly store: StoreName; readonly key: string }
  /** Too large, not JSON, or a newer entry is there. */
  | { readonly kind: 'not-stored'; readonly store: StoreName; readonly key: string }
  | { readonly kind: 'decode-failed'; readonly key: string }
  | { readonly kind: 'redis-error'; readonly command: string; readonly message: string }
  | { readonly kind: 'redis-ready'; readonly version: string; readonly protocol: 2 | 3 }
  | { readonly kind: 'redis-down' }
  | { readonly kind: 'breaker-opened'; readonly forMs: number }
  | { readonly kind: 'breaker-closed' }
  | { readonly kind: 'register-unknown'; readonly topic: string; readonly reason: UnknownReason }
  | { readonly kind: 'register-pending'; readonly topic: string; readonly version: string }
  | { readonly kind: 'register-unreachable' }
  | { readonly kind: 'register-repaired'; readonly topic: string; readonly version: string }
  | { readonly kind: 'prepared'; readonly topic: string; readonly version: string }
  | { readonly kind: 'prepare-failed'; readonly topic: string; readonly version: string }
  | { readonly kind: 'published'; readonly topic: string; readonly version: string }
  | { readonly kind: 'publish-failed'; readonly topic: string; readonly version: string }
  /** A message from a process that published. */
  | { readonly kind: 'announced'; readonly topic: string; readonly version: string }
  | { readonly kind: 'floor-failed'; readonly message: string }

/** Hears every event. It must not throw. */
export type CacheListener = (event: CacheEvent) => void
