import { type MetricSet, tabulate } from './series'

/** What becomes of questions: answered from where, loaded how, kept or not. */
export function countAnswers(set: MetricSet) {
  const hits = set.counter('aggregraph_cache_hits_total', 'Answers found, by the tier that had them.')
  const misses = set.counter('aggregraph_cache_misses_total', 'Answers not found in a tier, by why not.')
  const bypasses = set.counter('aggregraph_cache_bypasses_total', 'Requests that are none of the response cache.')
  const joined = set.counter('aggregraph_cache_joined_total', 'Reads that joined a load under way in this process.')
  const leases = set.counter(
    'aggregraph_cache_leases_total',
    'Who loads, of all processes: this one (`won`), another (`lost`), or Redis cannot say (`unknown`).',
  )
  const waits = set.durations(
    'aggregraph_cache_wait_duration_seconds',
    'Waits for the load of another process, by whether it filled the entry.',
  )
  const loads = set.durations('aggregraph_cache_load_duration_seconds', 'Loads from Postgres that succeeded.')
  const loadFailures = set.counter('aggregraph_cache_load_failures_total', 'Loads from Postgres that failed.')
  const fills = set.counter(
    'aggregraph_cache_fills_total',
    'What became of loaded entries: kept, not kept (too large, or the store failed), or a newer one was there.',
  )
  const stale = set.counter('aggregraph_cache_stale_served_total', 'Answers served marked as stale, by why.')
  const backgroundLoads = set.counter(
    'aggregraph_cache_background_loads_total',
    'Loads that nobody waited for: past their time, ahead of it, or after a new version.',
  )
  const backgroundFailures = set.counter(
    'aggregraph_cache_background_failures_total',
    'Work in the background that failed.',
  )
  const shed = set.counter('aggregraph_cache_shed_total', 'Loads refused because too many were running and waiting.')
  const decodeFailures = set.counter(
    'aggregraph_cache_decode_failures_total',
    'Entries that could not be read, and were taken for absent.',
  )
  const response = tabulate(['absent', 'outdated'], (reason) => misses({ tier: 'response', reason }))
  const hit = tabulate(['response', 'memory', 'redis'], (tier) => hits({ tier }))
  return {
    responses: {
      hit: hit.response,
      'not-modified': hit.response,
      miss: response.absent,
      outdated: response.outdated,
      bypass: bypasses(),
    },
    hits: hit,
    misses: tabulate(['memory', 'redis'], (tier) =>
      tabulate(['absent', 'outdated', 'newer', 'fault'], (reason) => misses({ tier, reason })),
    ),
    joined: joined(),
    leases: tabulate(['won', 'lost', 'unknown'], (outcome) => leases({ outcome })),
    waits: tabulate(['filled', 'gave-up'], (outcome) => waits({ outcome })),
    loads: loads(),
    loadFailures: loadFailures(),
    fills: tabulate(['memory', 'redis'], (tier) =>
      tabulate(['stored', 'not-stored', 'superseded'], (outcome) => fills({ tier, outcome })),
    ),
    stale: tabulate(['unavailable', 'overloaded', 'timeout', 'unconfirmed'], (reason) => stale({ reason })),
    backgroundLoads: tabulate(['expired', 'early', 'warmed'], (reason) => backgroundLoads({ reason })),
    backgroundFailures: backgroundFailures(),
    shed: shed(),
    decodeFailures: decodeFailures(),
  }
}

/** The connection to Redis. Its gauges say nothing until it was tried, so that nobody is called where there is none. */
export function countRedis(set: MetricSet) {
  const up = set.gauge('aggregraph_redis_up', 'Whether Redis is connected (1) or not (0); absent without REDIS_URL.')
  const connections = set.counter('aggregraph_redis_connections_total', 'Connections to Redis made.')
  const errors = set.counter('aggregraph_redis_errors_total', 'Commands and connections to Redis that failed.')
  const breakerOpen = set.gauge(
    'aggregraph_redis_breaker_open',
    'Whether Redis is left alone after failures (1) or not (0).',
  )
  const breakerOpenings = set.counter(
    'aggregraph_redis_breaker_openings_total',
    'Times that Redis began to be left alone.',
  )
  return {
    up: up(),
    connections: connections(),
    errors: errors(),
    breakerOpen: breakerOpen(),
    breakerOpenings: breakerOpenings(),
  }
}

/** The registers of versions in Redis. */
export function countRegister(set: MetricSet) {
  const unknown = set.counter('aggregraph_register_unknown_total', 'Registers of versions not believed, by why not.')
  const pending = set.counter(
    'aggregraph_register_pending_total',
    'Registers read while a refresh was about to commit.',
  )
  const unreachable = set.counter('aggregraph_register_unreachable_total', 'Times that no register could be read.')
  const repaired = set.counter('aggregraph_register_repaired_total', 'Registers set right from Postgres.')
  const writes = set.counter(
    'aggregraph_register_writes_total',
    'What refreshes of this process told Redis, just before and just after they committed.',
  )
  const announced = set.counter('aggregraph_register_announced_total', 'New versions heard of from other processes.')
  const outcomesOf = (step: string) => tabulate(['done', 'failed'], (outcome) => writes({ step, outcome }))
  return {
    unknown: tabulate(['absent', 'corrupt', 'other-server', 'behind', 'disputed', 'disowned'], (reason) =>
      unknown({ reason }),
    ),
    pending: pending(),
    unreachable: unreachable(),
    repaired: repaired(),
    prepare: outcomesOf('prepare'),
    publish: outcomesOf('publish'),
    announced: announced(),
  }
}
