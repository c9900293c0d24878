import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRedisClient, type RedisClient } from '../../src/cache/redis-client'
import { createMetrics, METRICS_MEDIA_TYPE, type Metrics } from '../../src/metrics/metrics'
import { eventually } from '../support/eventually'
import { seriesOf } from '../support/exposition'
import { type Redis, startRedis } from '../support/redis'

let redis: Redis
let client: RedisClient
let metrics: Metrics
let server: Server

beforeAll(async () => {
  redis = await startRedis()
  metrics = createMetrics({ datasetOf: () => 'flights' })
  client = createRedisClient(redis.url, metrics.listen)
  server = createServer((_request, response) => {
    void metrics.text().then((text) => response.setHeader('content-type', METRICS_MEDIA_TYPE).end(text))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(async () => {
  await client?.close()
  await redis?.kill()
  server?.close()
})

/** Scrapes as Prometheus does: over HTTP, and strictly. */
async function scrape(): Promise<(name: string) => number | undefined> {
  const { port } = server.address() as AddressInfo
  const response = await fetch(`http://127.0.0.1:${port}/metrics`)
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  const series = seriesOf(await response.text())
  return (name) => series.get(`aggregraph_${name}`)
}

describe('what Prometheus sees of a Redis that comes, goes and comes back', () => {
  it('is nothing before it was tried', async () => {
    const read = await scrape()
    expect([read('redis_up'), read('redis_breaker_open'), read('redis_connections_total')]).toEqual([
      undefined,
      undefined,
      0,
    ])
  })

  it('is that it is up once it is connected', async () => {
    expect(await client.connect()).toBe(true)
    await client.run('ping', (connection) => connection.ping())
    const read = await scrape()
    expect([read('redis_up'), read('redis_breaker_open'), read('redis_connections_total')]).toEqual([1, 0, 1])
    expect(read('redis_errors_total')).toBe(0)
  })

  it('is that it is down once it is killed, and how often it was asked in vain', async () => {
    await redis.kill()
    await eventually(async () => ((await scrape())('redis_up') === 0 ? true : null))
    const errors = (await scrape())('redis_errors_total') ?? 0
    await eventually(async () => (((await scrape())('redis_errors_total') ?? 0) > errors ? true : null))
  })

  it('is that it is up again, by a second connection', async () => {
    redis = await startRedis({ port: redis.port })
    await eventually(async () => ((await scrape())('redis_up') === 1 ? true : null))
    expect((await scrape())('redis_connections_total')).toBe(2)
  })
})

it('is scraped by many at once, each whole', async () => {
  const reads = await Promise.all(Array.from({ length: 8 }, scrape))
  expect(new Set(reads.map((read) => read('redis_connections_total')))).toEqual(new Set([2]))
})
