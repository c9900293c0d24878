import { createMetrics, METRICS_MEDIA_TYPE } from '../../../src/metrics/metrics'
import { parseExposition, seriesOf } from '../../support/exposition'

const HOUR_MS = 3_600_000
const datasetOf = () => 'flights'

it('of two servers in one process are their own', async () => {
  const [one, other] = [createMetrics({ datasetOf }), createMetrics({ datasetOf })]
  one.listen({ kind: 'hit', store: 'memory', key: 'a' })
  one.observeRequest({ status: 200, codes: [], ms: 1 })
  other.listen({ kind: 'hit', store: 'redis', key: 'a' })
  const [ofOne, ofOther] = await Promise.all([one.text(), other.text()].map(async (text) => seriesOf(await text)))
  const counts = ['aggregraph_cache_hits_total{tier="memory"}', 'aggregraph_cache_hits_total{tier="redis"}'].concat(
    'aggregraph_http_request_duration_seconds_count{status="2xx"}',
  )
  expect(counts.map((name) => [ofOne?.get(name), ofOther?.get(name)])).toEqual([
    [1, 0],
    [0, 1],
    [1, 0],
  ])
})

it('tell of the process as well: its memory, its event loop, its garbage', async () => {
  const families = parseExposition(await createMetrics({ datasetOf }).text())
  const names = ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'nodejs_eventloop_lag_p99_seconds']
  names.push('nodejs_heap_size_used_bytes', 'nodejs_gc_duration_seconds')
  expect(names.filter((name) => !families.has(name))).toEqual([])
})

it('are read again and again, and never go back', async () => {
  const metrics = createMetrics({ datasetOf })
  const texts = [await metrics.text(), ...(await Promise.all([metrics.text(), metrics.text()]))]
  const cpu = texts.map((text) => seriesOf(text).get('process_cpu_seconds_total') ?? -1)
  expect(cpu).toEqual([...cpu].sort((a, b) => a - b))
  expect(METRICS_MEDIA_TYPE).toBe('text/plain; version=0.0.4; charset=utf-8')
})

it('ask for what is only known when it is asked for', async () => {
  let running = 1
  const metrics = createMetrics({
    datasetOf,
    loads: () => ({ running, queued: 5, limit: 8 }),
    memory: () => ({ bytes: 1024, entries: 3 }),
    responses: () => ({ bytes: 2048 }),
    postgres: () => ({ open: 10, idle: 4, waiting: 2 }),
    dataAsOf: () =>
      new Map([
        ['flights', HOUR_MS],
        ['airports', null],
        ['orders', 3 * HOUR_MS],
      ]),
    clock: () => 2 * HOUR_MS,
  })
  await metrics.text()
  running = 2
  const read = [...seriesOf(await metrics.text())].filter(([name]) =>
    /^aggregraph_(loads|memory_store|response_store|postgres|data_age)/.test(name),
  )
  expect(Object.fromEntries(read)).toEqual({
    aggregraph_loads_running: 2,
    aggregraph_loads_queued: 5,
    aggregraph_loads_limit: 8,
    aggregraph_memory_store_bytes: 1024,
    aggregraph_memory_store_entries: 3,
    aggregraph_response_store_bytes: 2048,
    'aggregraph_postgres_connections{state="busy"}': 6,
    'aggregraph_postgres_connections{state="idle"}': 4,
    aggregraph_postgres_waiting: 2,
    'aggregraph_data_age_seconds{dataset="flights"}': 3600,
    // The database's clock is ahead of this machine's.
    'aggregraph_data_age_seconds{dataset="orders"}': 0,
  })
})

it('leave out what there is not', async () => {
  const families = parseExposition(await createMetrics({ datasetOf, postgres: () => null }).text())
  for (const name of [
    'loads_running',
    'memory_store_bytes',
    'response_store_bytes',
    'postgres_waiting',
    'data_age_seconds',
  ]) {
    expect(families.get(`aggregraph_${name}`)?.samples).toEqual([])
  }
})
