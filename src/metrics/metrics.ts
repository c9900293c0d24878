import { collectDefaultMetrics, Registry } from 'prom-client'
import type { CacheListener } from '../cache/cache-event'
import { createCacheMetrics } from './cache-metrics'
import { type AnsweredRequest, createRequestMetrics } from './request-metrics'
import { createMetricSet } from './series'
import { addStateMetrics, type StateSources } from './state-metrics'

export interface MetricsOptions extends StateSources {
  /** The dataset of a topic of the cache; null for one that is not served here. */
  readonly datasetOf: (topic: string) => string | null
}

/** The metrics of one server: two servers in one process share nothing. */
export interface Metrics {
  /** Counts an event of the cache. It does not throw. */
  readonly listen: CacheListener
  /** Counts an answered request. It does not throw. */
  observeRequest(request: AnsweredRequest): void
  /**
   * Everything, in the text format of Prometheus: what was counted, what is read now, and the process's own (CPU, memory,
   * event loop, garbage collection), which are measured from the first call on, since watching them costs a little.
   */
  text(): Promise<string>
}

/** The media type of what `text` gives. */
export const METRICS_MEDIA_TYPE = Registry.PROMETHEUS_CONTENT_TYPE

/** Makes the metrics of a server, with every series at 0. */
export function createMetrics(options: MetricsOptions): Metrics {
  const set = createMetricSet()
  const observeRequest = createRequestMetrics(set)
  const listen = createCacheMetrics(set, options.datasetOf)
  addStateMetrics(set, options)
  let ofProcess: Registry | null = null

  return {
    listen,
    observeRequest,
    text: async () => {
      ofProcess ??= watchProcess()
      return set.text() + (await ofProcess.metrics())
    },
  }
}

function watchProcess(): Registry {
  const register = new Registry()
  collectDefaultMetrics({ register })
  return register
}
