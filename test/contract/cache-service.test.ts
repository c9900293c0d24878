import { CacheService } from '../../src/cache/cache-service'
import { createMemoryStore } from '../../src/cache/memory-store'
import { entryKey, type Question } from '../../src/cache/question'
import { createRedisClient, type RedisClient } from '../../src/cache/redis-client'
import { createRedisStore } from '../../src/cache/redis-store'
import { type Redis, startRedis } from '../support/redis'
import { createEventLog } from './event-log'

const question: Question = { group: 'flights', topic: 'layout', scope: 'all', text: 'how many?' }
const key = entryKey(question)
const first = { seq: 1, uuid: 'u1' }
const second = { seq: 2, uuid: 'u2' }
const clients: RedisClient[] = []
let server: Redis

beforeEach(async () => {
  server = await startRedis()
})

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
  await server.kill()
})

async function startProcess() {
  const log = createEventLog()
  const redis = createRedisClient(server.url, log.listen)
  clients.push(redis)
  await redis.connect()
  const memory = createMemoryStore({ maxBytes: 1_000_000, clock: () => performance.now() })
  const cache = new CacheService({ memory, redis: createRedisStore(redis, log.listen), onEvent: log.listen })
  log.take()
  return { log, redis, cache }
}

const load = async () => ({ version: first, value: [{ flights: 3 }] })
const neverLoad = () => Promise.reject(new Error('must not load'))

it('finds in Redis what another process loaded, and then in its own memory', async () => {
  const [one, other] = [await startProcess(), await startProcess()]
  expect(await one.cache.read(question, first, load)).toEqual({ ...(await load()), outcome: 'loaded' })
  expect(one.log.take()).toEqual([
    { kind: 'miss', store: 'memory', key, reason: 'absent' },
    { kind: 'miss', store: 'redis', key, reason: 'absent' },
    { kind: 'loaded', key, version: '1.u1' },
    { kind: 'stored', store: 'memory', key },
    { kind: 'stored', store: 'redis', key },
  ])
  expect(await other.cache.read(question, first, neverLoad)).toEqual({ ...(await load()), outcome: 'redis' })
  expect(await other.cache.read(question, first, neverLoad)).toEqual({ ...(await load()), outcome: 'memory' })
  expect(other.log.take()).toEqual([
    { kind: 'miss', store: 'memory', key, reason: 'absent' },
    { kind: 'hit', store: 'redis', key },
    { kind: 'stored', store: 'memory', key },
    { kind: 'hit', store: 'memory', key },
  ])
})

it('serves no entry of another version, from memory or from Redis', async () => {
  const { log, cache } = await startProcess()
  await cache.read(question, first, load)
  log.take()
  const answer = await cache.read(question, second, async () => ({ version: second, value: [] }))
  expect(answer).toEqual({ version: second, value: [], outcome: 'loaded' })
  expect(log.take().slice(0, 2)).toEqual([
    { kind: 'miss', store: 'memory', key, reason: 'other-version' },
    { kind: 'miss', store: 'redis', key, reason: 'other-version' },
  ])
})

it('loads when Redis is paused, and does not fail', async () => {
  const { log, cache } = await startProcess()
  server.pause()
  expect((await cache.read(question, first, load)).outcome).toBe('loaded')
  const message = 'Redis did not answer within 100 ms.'
  expect(log.take()).toEqual([
    { kind: 'miss', store: 'memory', key, reason: 'absent' },
    { kind: 'redis-error', command: 'get entry', message },
    { kind: 'miss', store: 'redis', key, reason: 'fault' },
    { kind: 'loaded', key, version: '1.u1' },
    { kind: 'stored', store: 'memory', key },
    { kind: 'redis-error', command: 'set entry', message },
    { kind: 'not-stored', store: 'redis', key },
  ])
  expect((await cache.read(question, first, neverLoad)).outcome).toBe('memory')
})

it('replaces an entry that was altered in Redis', async () => {
  const [one, other] = [await startProcess(), await startProcess()]
  await one.cache.read(question, first, load)
  await one.redis.run('test', (connection) => connection.hset(key, 'b', Buffer.from('AGGR\u0001 nonsense')))
  expect((await other.cache.read(question, first, load)).outcome).toBe('loaded')
  expect(other.log.takeKinds()).toEqual(['miss', 'decode-failed', 'miss', 'loaded', 'stored', 'stored'])
  const third = await startProcess()
  expect((await third.cache.read(question, first, neverLoad)).outcome).toBe('redis')
})
