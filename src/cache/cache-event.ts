export type StoreName = 'memory' | 'redis'

/** Why a store did not answer: nothing there, changed since, newer than what is asked for, or the store failed. */
export type MissReason = 'absent' | 'outdated' | 'newer' | 'fault'

/**
 * Why a register was not believed: nothing (or only a preparation) there, unreadable, written under another Redis
 * server, older than what this process has seen, another version of the same `seq`, or denied by Postgres.
 */
export type UnknownReason = 'absent' | 'corrupt' | 'other-server' | 'behind' | 'disputed' | 'disowned'

/**
 * Why an answer may be older than the last commit: Postgres is away, sheds or is too slow, or has not confirmed for a while
 * what is kept.
 */
export type StaleReason = 'unavailable' | 'overloaded' | 'timeout' | 'unconfirmed'

/**
 * Everything that happens in the cache, for logs, metrics and tests. Keys are digests and messages carry no secrets;
 * versions are texts, `<seq>.<uuid>`; times are milliseconds.
 */
export type CacheEvent =
  /** A whole answer: from the response cache, as 304, not there, or none of its business. */
  | { readonly kind: 'response'; readonly outcome: 'hit' | 'not-modified' | 'miss' | 'outdated' | 'bypass' }
  | { readonly kind: 'hit'; readonly store: StoreName; readonly key: string }
  | { readonly kind: 'miss'; readonly store: StoreName; readonly key: string; readonly reason: MissReason }
  /** A load that another call of this process had begun. */
  | { readonly kind: 'joined'; readonly key: string }
  /** Who loads, of all processes: this one; another one, waited for; nobody knows, since Redis cannot say. */
  | { readonly kind: 'lease'; readonly outcome: 'won' | 'lost' | 'unknown'; readonly key: string }
  /** The wait for another process's load. */
  | { readonly kind: 'waited'; readonly key: string; readonly ms: number; readonly outcome: 'filled' | 'gave-up' }
  | { readonly kind: 'loaded'; readonly key: string; readonly version: string; readonly ms: number }
  | { readonly kind: 'load-failed'; readonly key: string; readonly message: string }
  | { readonly kind: 'stored'; readonly store: StoreName; readonly key: string }
  /** Too large, not JSON, or the store failed. */
  | { readonly kind: 'not-stored'; readonly store: StoreName; readonly key: string }
  /** A fill that found a newer entry. */
  | { readonly kind: 'superseded'; readonly store: StoreName; readonly key: string }
  | { readonly kind: 'stale-served'; readonly key: string; readonly reason: StaleReason }
  /** A load in the background: past its time, before its time, or after a new version. */
  | { readonly kind: 'refreshed'; readonly key: string; readonly reason: 'expired' | 'early' | 'warmed' }
  /** Work in the background that failed, without anybody waiting for it. */
  | { readonly kind: 'background-failed'; readonly work: string; readonly message: string }
  /** A load that found no place among those that run and wait. */
  | { readonly kind: 'shed'; readonly running: number; readonly queued: number }
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
  /** By how many versions what this process last took for current was behind Postgres. */
  | { readonly kind: 'floor'; readonly topic: string; readonly lag: number }
  | { readonly kind: 'floor-failed'; readonly message: string }
  /** A question read through the cache and from Postgres: the same, older than it had to be, or not to be compared. */
  | { readonly kind: 'sampled'; readonly topic: string; readonly outcome: 'same' | 'older' | 'passed-over' }

/** Hears every event. It must not throw. */
export type CacheListener = (event: CacheEvent) => void
