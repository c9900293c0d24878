import type { MetricSet } from './series'

/** What is asked for whenever the metrics are read. Each may be left out where there is no such thing. */
export interface StateSources {
  /** Loads that run, wait for a place, and may run at once. */
  readonly loads?: () => { readonly running: number; readonly queued: number; readonly limit: number }
  /** The store of entries in the memory of this process; bytes are estimated. */
  readonly memory?: () => { readonly bytes: number; readonly entries: number }
  /** The store of whole answers; bytes are estimated. */
  readonly responses?: () => { readonly bytes: number }
  /** Connections to Postgres that are open, those of them that are idle, and who waits for one; null before the first. */
  readonly postgres?: () => { readonly open: number; readonly idle: number; readonly waiting: number } | null
  /** The moment of its source that each served dataset shows, in epoch milliseconds; null before the first build. */
  readonly dataAsOf?: () => ReadonlyMap<string, number | null>
  /** Epoch milliseconds; default Date.now. */
  readonly clock?: () => number
}

/** Adds the gauges that are read whenever the metrics are. */
export function addStateMetrics(set: MetricSet, sources: StateSources): void {
  const { loads, memory, responses, postgres, dataAsOf, clock = Date.now } = sources
  const single = (name: string, help: string, read: () => number | null | undefined) =>
    set.read(name, help, () => [[{}, read() ?? null]])

  single('aggregraph_loads_running', 'Loads from Postgres that run now.', () => loads?.().running)
  single('aggregraph_loads_queued', 'Loads from Postgres that wait for a place.', () => loads?.().queued)
  single('aggregraph_loads_limit', 'Loads from Postgres that may run at once.', () => loads?.().limit)
  single('aggregraph_memory_store_bytes', 'Estimated size of the entries in memory.', () => memory?.().bytes)
  single('aggregraph_memory_store_entries', 'Entries in memory.', () => memory?.().entries)
  single('aggregraph_response_store_bytes', 'Estimated size of the whole answers in memory.', () => responses?.().bytes)
  set.read('aggregraph_postgres_connections', 'Open connections to Postgres, by whether they are at work.', () => {
    const pool = postgres?.() ?? null
    if (pool === null) return []
    return [
      [{ state: 'busy' }, pool.open - pool.idle],
      [{ state: 'idle' }, pool.idle],
    ]
  })
  single('aggregraph_postgres_waiting', 'Statements that wait for a connection.', () => postgres?.()?.waiting)
  set.read('aggregraph_data_age_seconds', 'Time since the moment of its source that a dataset shows.', () =>
    [...(dataAsOf?.() ?? [])].map(([dataset, asOf]) => [
      { dataset },
      // The two clocks are those of two machines.
      asOf === null ? null : Math.max(0, (clock() - asOf) / 1000),
    ]),
  )
}
