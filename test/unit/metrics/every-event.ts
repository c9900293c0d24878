import type { CacheEvent } from '../../../src/cache/cache-event'

type Kind = CacheEvent['kind']
/** The series that an event moves, and by how much; `_bucket` ones are left out. */
export type Moves = Readonly<Record<string, number>>
type Cases<K extends Kind> = readonly (readonly [Extract<CacheEvent, { kind: K }>, Moves])[]

const key = 'aggregraph:1:entry:{flights}:digest'
const topic = 'flights:1a2b'
const version = '7.uuid'
const STORES = ['memory', 'redis'] as const

/** A counter of one. */
const one = (name: string, labels = ''): Moves => ({ [`aggregraph_${name}${labels === '' ? '' : `{${labels}}`}`]: 1 })
const seconds = (name: string, labels: string, value: number): Moves => ({
  ...one(`${name}_count`, labels),
  [`aggregraph_${name}_sum${labels === '' ? '' : `{${labels}}`}`]: value,
})

/** Every event of the cache in all its forms, and what it moves. A kind that is not here does not compile. */
export const EVERY_EVENT: { readonly [K in Kind]: Cases<K> } = {
  response: [
    [{ kind: 'response', outcome: 'hit' }, one('cache_hits_total', 'tier="response"')],
    [{ kind: 'response', outcome: 'not-modified' }, one('cache_hits_total', 'tier="response"')],
    [{ kind: 'response', outcome: 'miss' }, one('cache_misses_total', 'reason="absent",tier="response"')],
    [{ kind: 'response', outcome: 'outdated' }, one('cache_misses_total', 'reason="outdated",tier="response"')],
    [{ kind: 'response', outcome: 'bypass' }, one('cache_bypasses_total')],
  ],
  hit: STORES.map((store) => [{ kind: 'hit', store, key }, one('cache_hits_total', `tier="${store}"`)]),
  miss: STORES.flatMap((store) =>
    (['absent', 'outdated', 'newer', 'fault'] as const).map(
      (reason) =>
        [
          { kind: 'miss', store, key, reason },
          one('cache_misses_total', `reason="${reason}",tier="${store}"`),
        ] as const,
    ),
  ),
  joined: [[{ kind: 'joined', key }, one('cache_joined_total')]],
  lease: (['won', 'lost', 'unknown'] as const).map((outcome) => [
    { kind: 'lease', outcome, key },
    one('cache_leases_total', `outcome="${outcome}"`),
  ]),
  waited: (['filled', 'gave-up'] as const).map((outcome) => [
    { kind: 'waited', key, ms: 1500, outcome },
    seconds('cache_wait_duration_seconds', `outcome="${outcome}"`, 1.5),
  ]),
  loaded: [[{ kind: 'loaded', key, version, ms: 250 }, seconds('cache_load_duration_seconds', '', 0.25)]],
  'load-failed': [[{ kind: 'load-failed', key, message: 'no' }, one('cache_load_failures_total')]],
  stored: STORES.map((store) => [
    { kind: 'stored', store, key },
    one('cache_fills_total', `outcome="stored",tier="${store}"`),
  ]),
  'not-stored': STORES.map((store) => [
    { kind: 'not-stored', store, key },
    one('cache_fills_total', `outcome="not-stored",tier="${store}"`),
  ]),
  superseded: STORES.map((store) => [
    { kind: 'superseded', store, key },
    one('cache_fills_total', `outcome="superseded",tier="${store}"`),
  ]),
  'stale-served': (['unavailable', 'overloaded', 'timeout', 'unconfirmed'] as const).map((reason) => [
    { kind: 'stale-served', key, reason },
    one('cache_stale_served_total', `reason="${reason}"`),
  ]),
  refreshed: (['expired', 'early', 'warmed'] as const).map((reason) => [
    { kind: 'refreshed', key, reason },
    one('cache_background_loads_total', `reason="${reason}"`),
  ]),
  'background-failed': [
    [{ kind: 'background-failed', work: 'warm', message: 'no' }, one('cache_background_failures_total')],
  ],
  shed: [[{ kind: 'shed', running: 8, queued: 64 }, one('cache_shed_total')]],
  'decode-failed': [[{ kind: 'decode-failed', key }, one('cache_decode_failures_total')]],
  'redis-error': [[{ kind: 'redis-error', command: 'ping', message: 'no' }, one('redis_errors_total')]],
  'redis-ready': [
    [
      { kind: 'redis-ready', version: '7.0.0', protocol: 3 },
      { ...one('redis_connections_total'), aggregraph_redis_up: 1, aggregraph_redis_breaker_open: -1 },
    ],
  ],
  'redis-down': [[{ kind: 'redis-down' }, { aggregraph_redis_up: -1 }]],
  'breaker-opened': [
    [
      { kind: 'breaker-opened', forMs: 500 },
      { ...one('redis_breaker_openings_total'), aggregraph_redis_breaker_open: 1 },
    ],
  ],
  'breaker-closed': [[{ kind: 'breaker-closed' }, { aggregraph_redis_breaker_open: -1 }]],
  'register-unknown': (['absent', 'corrupt', 'other-server', 'behind', 'disputed', 'disowned'] as const).map(
    (reason) => [{ kind: 'register-unknown', topic, reason }, one('register_unknown_total', `reason="${reason}"`)],
  ),
  'register-pending': [[{ kind: 'register-pending', topic, version }, one('register_pending_total')]],
  'register-unreachable': [[{ kind: 'register-unreachable' }, one('register_unreachable_total')]],
  'register-repaired': [[{ kind: 'register-repaired', topic, version }, one('register_repaired_total')]],
  prepared: [[{ kind: 'prepared', topic, version }, one('register_writes_total', 'outcome="done",step="prepare"')]],
  'prepare-failed': [
    [{ kind: 'prepare-failed', topic, version }, one('register_writes_total', 'outcome="failed",step="prepare"')],
  ],
  published: [[{ kind: 'published', topic, version }, one('register_writes_total', 'outcome="done",step="publish"')]],
  'publish-failed': [
    [{ kind: 'publish-failed', topic, version }, one('register_writes_total', 'outcome="failed",step="publish"')],
  ],
  announced: [[{ kind: 'announced', topic, version }, one('register_announced_total')]],
  floor: [[{ kind: 'floor', topic, lag: 3 }, { 'aggregraph_version_lag{dataset="flights"}': 3 }]],
  'floor-failed': [[{ kind: 'floor-failed', message: 'no' }, one('floor_failures_total')]],
  sampled: (['same', 'older', 'passed-over'] as const).map((outcome) => [
    { kind: 'sampled', topic, outcome },
    one('samples_total', `outcome="${outcome}"`),
  ]),
}

/** All of them, one after another. */
export const ALL_EVENTS: readonly CacheEvent[] = Object.values(EVERY_EVENT).flatMap((cases) =>
  cases.map(([event]) => event),
)
