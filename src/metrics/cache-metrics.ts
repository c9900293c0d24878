import type { CacheListener } from '../cache/cache-event'
import { countAnswers, countRedis, countRegister } from './cache-counters'
import { type MetricSet, type Series, tabulate } from './series'

/** More datasets than anybody declares; what is beyond them shares one series. */
const MOST_DATASETS = 500

/**
 * Adds what happens in the cache to the metrics, and gives the listener that counts it: one addition an event.
 *
 * `datasetOf` names the dataset of a topic; null, for a topic that is not served here, is counted under `other`.
 */
export function createCacheMetrics(set: MetricSet, datasetOf: (topic: string) => string | null): CacheListener {
  const answers = countAnswers(set)
  const redis = countRedis(set)
  const register = countRegister(set)
  const lags = createLags(set, datasetOf)
  const floorFailures = set.counter(
    'aggregraph_floor_failures_total',
    'Times that Postgres did not tell the versions.',
  )()
  const samples = set.counter(
    'aggregraph_samples_total',
    'Questions read from Postgres and then through the cache, by what the comparison showed; `older` must stay 0.',
  )
  const sampled = tabulate(['same', 'older', 'passed-over'], (outcome) => samples({ outcome }))

  return (event) => {
    switch (event.kind) {
      case 'response':
        add(answers.responses[event.outcome])
        return
      case 'hit':
        add(answers.hits[event.store])
        return
      case 'miss':
        add(answers.misses[event.store][event.reason])
        return
      case 'joined':
        add(answers.joined)
        return
      case 'lease':
        add(answers.leases[event.outcome])
        return
      case 'waited':
        answers.waits[event.outcome].observe(event.ms)
        return
      case 'loaded':
        answers.loads.observe(event.ms)
        return
      case 'load-failed':
        add(answers.loadFailures)
        return
      case 'stored':
      case 'not-stored':
      case 'superseded':
        add(answers.fills[event.store][event.kind])
        return
      case 'stale-served':
        add(answers.stale[event.reason])
        return
      case 'refreshed':
        add(answers.backgroundLoads[event.reason])
        return
      case 'background-failed':
        add(answers.backgroundFailures)
        return
      case 'shed':
        add(answers.shed)
        return
      case 'decode-failed':
        add(answers.decodeFailures)
        return
      case 'redis-error':
        add(redis.errors)
        return
      case 'redis-ready':
        add(redis.connections)
        redis.up.value = 1
        redis.breakerOpen.value = 0
        return
      case 'redis-down':
        redis.up.value = 0
        return
      case 'breaker-opened':
        add(redis.breakerOpenings)
        redis.breakerOpen.value = 1
        return
      case 'breaker-closed':
        redis.breakerOpen.value = 0
        return
      case 'register-unknown':
        add(register.unknown[event.reason])
        return
      case 'register-pending':
        add(register.pending)
        return
      case 'register-unreachable':
        add(register.unreachable)
        return
      case 'register-repaired':
        add(register.repaired)
        return
      case 'prepared':
        add(register.prepare.done)
        return
      case 'prepare-failed':
        add(register.prepare.failed)
        return
      case 'published':
        add(register.publish.done)
        return
      case 'publish-failed':
        add(register.publish.failed)
        return
      case 'announced':
        add(register.announced)
        return
      case 'floor':
        lags(event.topic).value = event.lag
        return
      case 'floor-failed':
        add(floorFailures)
        return
      case 'sampled':
        add(sampled[event.outcome])
        return
      default:
        // A kind that is not counted yet does not compile.
        event satisfies never
    }
  }
}

function add(series: Series): void {
  series.value += 1
}

/** The version lag of each dataset, found by topic. Layouts of one dataset, of two releases, share its series. */
function createLags(set: MetricSet, datasetOf: (topic: string) => string | null): (topic: string) => Series {
  const lag = set.gauge(
    'aggregraph_version_lag',
    'By how many versions this process was behind Postgres when it last asked, once a second.',
  )
  const series = new Map<string, Series>()
  return (topic) => {
    const named = datasetOf(topic) ?? 'other'
    const dataset = series.has(named) || series.size < MOST_DATASETS ? named : 'other'
    const known = series.get(dataset) ?? lag({ dataset })
    series.set(dataset, known)
    return known
  }
}
