import { entryKey, leaseKey, type Question } from '../../src/cache/question'
import { createRedisClient, type RedisClient } from '../../src/cache/redis-client'
import { createLease, createRedisStore, type RedisStore } from '../../src/cache/redis-store'
import { type Redis, startRedis } from '../support/redis'
import { createEventLog } from './event-log'
import { versionOf } from './versions'

const LONG = { freshSeconds: 300, keepSeconds: 600 }
const LEASE_MS = 10_000
const log = createEventLog()
let server: Redis
let redis: RedisClient
let store: RedisStore
let questions = 0

beforeAll(async () => {
  server = await startRedis()
  redis = createRedisClient(server.url, log.listen)
  store = createRedisStore(redis, LEASE_MS, log.listen)
  await redis.connect()
})

afterAll(async () => {
  await redis.close()
  await server.stop()
})

function ask(): Question {
  questions += 1
  return { group: 'flights', topic: 'layout', scope: 'all', text: `question ${questions}` }
}

const entry = (value: unknown, seq = 1, name?: string) => ({ version: versionOf(seq, name), asOf: 5, loadMs: 1, value })
const raw = <T>(work: Parameters<typeof redis.run<T>>[1]) => redis.run('test', work)
const leftOf = (key: string) => raw((connection) => connection.pttl(key))

it('has nothing for a question that was never kept, and gives its lease to the first who asks', async () => {
  const question = ask()
  expect(await store.readAny(question)).toBeNull()
  const kinds = await Promise.all([1, 2, 3].map(async () => (await store.read(question, 1, createLease())).kind))
  expect(kinds).toEqual(['won', 'lost', 'lost'])
  const left = await leftOf(leaseKey(entryKey(question)))
  expect(left).toBeGreaterThan(LEASE_MS - 5_000)
  expect(left).toBeLessThanOrEqual(LEASE_MS)
})

const values: readonly unknown[] = [
  null,
  0,
  -1.5,
  '',
  false,
  [],
  {},
  '\u0000 ü 😀 \ud800',
  [null, [0, '']],
  { a: null, b: { c: [1, 2.5, 'x'] }, ['__proto__']: 'own' },
  'long '.repeat(2_000),
]
it.each(values.map((value) => [JSON.stringify(value).slice(0, 40), value]))('gives back %s', async (_, value) => {
  const question = ask()
  expect(await store.fill(question, entry(value, 3), LONG, null)).toBe('kept')
  const found = { kind: 'found', entry: entry(value, 3), freshMs: expect.any(Number) }
  expect(await store.read(question, 3, createLease())).toEqual(found)
  expect(await store.readAny(question)).toEqual(found)
})

it('has nothing for who needs a newer entry than is there, but for who takes any', async () => {
  const question = ask()
  await store.fill(question, entry('old', 3), LONG, null)
  expect(await store.read(question, 2, createLease())).toMatchObject({ kind: 'found' })
  expect(await store.read(question, 4, createLease())).toEqual({ kind: 'won' })
  expect(await store.readAny(question)).toMatchObject({ kind: 'found', entry: { value: 'old' } })
})

it.each(['group', 'topic', 'scope', 'text'] as const)('keeps a question of another %s apart', async (part) => {
  const question = ask()
  await store.fill(question, entry('mine'), LONG, null)
  expect(await store.readAny({ ...question, [part]: `${question[part]}2` })).toBeNull()
})

it('replaces an older entry, and does not let a slow loader bring it back', async () => {
  const question = ask()
  await store.fill(question, entry('old', 9), LONG, null)
  expect(await store.fill(question, entry('new', 10), LONG, null)).toBe('kept')
  expect(await store.fill(question, entry('old', 9), LONG, null)).toBe('superseded')
  expect((await store.readAny(question))?.entry.value).toBe('new')
  expect(await store.fill(question, entry('again', 10, 'other'), LONG, null)).toBe('kept')
})

it('takes an older entry in place of the one that it is said to replace, and of no other', async () => {
  const question = ask()
  await store.fill(question, entry('lost', 10), LONG, null)
  expect(await store.fill(question, entry('kept', 9), LONG, null, '11.u11-----')).toBe('superseded')
  expect(await store.fill(question, entry('kept', 9), LONG, null, '10.u10-----')).toBe('kept')
})

it('says how long an entry is fresh, and keeps it for longer', async () => {
  const question = ask()
  await store.fill(question, entry('x'), { freshSeconds: 10, keepSeconds: 30 }, null)
  const found = await store.readAny(question)
  expect(found?.freshMs).toBeGreaterThan(5_000)
  expect(found?.freshMs).toBeLessThanOrEqual(10_000)
  const left = await leftOf(entryKey(question))
  expect(left).toBeGreaterThan(25_000)
  expect(left).toBeLessThanOrEqual(30_000)
  await raw((connection) => connection.pexpire(entryKey(question), 15_000))
  expect((await store.readAny(question))?.freshMs).toBeLessThan(0)
})

const unfit: readonly [string, unknown, number][] = [
  ['undefined', undefined, 600],
  ['a date', [new Date(0)], 600],
  ['NaN', Number.NaN, 600],
  ['a bigint', 1n, 600],
  ['a hole', new Array(1), 600],
  ['a value of several MB that does not compress', { random: createNoise(3_000_000) }, 600],
  ['what has no time left', 'late', 0],
  ['what has less than no time left', 'late', -1],
  ['what has no time that is one', 'late', Number.NaN],
]
it.each(unfit)('does not keep %s, and gives the lease back', async (_, value, keepSeconds) => {
  const question = ask()
  const lease = createLease()
  await store.read(question, 1, lease)
  expect(await store.fill(question, entry(value), { freshSeconds: keepSeconds, keepSeconds }, lease)).toBe('unfit')
  expect(await store.read(question, 1, createLease())).toEqual({ kind: 'won' })
})

it('gives a lease back for the next, or for nobody for a while', async () => {
  const question = ask()
  const [one, other] = [createLease(), createLease()]
  await store.read(question, 1, one)
  await store.fail(question, other, 0)
  expect(await store.read(question, 1, other)).toEqual({ kind: 'lost' })
  await store.fail(question, one, 0)
  expect(await store.read(question, 1, other)).toEqual({ kind: 'won' })
  await store.fail(question, other, 5_000)
  expect(await store.read(question, 1, one)).toEqual({ kind: 'failed' })
  expect(await store.lease(question)).toBeNull()
  expect(await leftOf(leaseKey(entryKey(question)))).toBeLessThanOrEqual(5_000)
  // Whoever has loaded all the same ends that.
  await store.fill(question, entry('x'), LONG, null)
  expect(await store.lease(question)).not.toBeNull()
})

it('leaves the lease of another alone when a fill is superseded', async () => {
  const question = ask()
  await store.fill(question, entry('new', 2), LONG, null)
  const lease = await store.lease(question)
  expect(await store.fill(question, entry('old', 1), LONG, createLease())).toBe('superseded')
  expect(await store.lease(question)).toBeNull()
  expect(await store.fill(question, entry('old', 1), LONG, lease)).toBe('superseded')
  expect(await store.lease(question)).not.toBeNull()
})

it('tells who listens of a fill and of a failure, in any process, until they have heard enough', async () => {
  const question = ask()
  const other = createRedisClient(server.url, log.listen)
  await other.connect()
  const far = createRedisStore(other, LEASE_MS, log.listen)
  const next = () => {
    let end = () => {}
    const heard = new Promise<void>((resolve) => {
      end = far.onFilled(question, resolve)
    })
    return heard.then(end)
  }
  let late = 0
  const endLate = far.onFilled(question, () => {
    late += 1
  })
  const lease = createLease()
  await store.read(question, 1, lease)
  const failed = next()
  await store.fail(question, lease, 0)
  await failed
  expect(late).toBe(1)
  endLate()
  const filled = next()
  await store.fill(ask(), entry('other'), LONG, null)
  await store.fill(question, entry('x'), LONG, null)
  await filled
  expect(late).toBe(1)
  await other.close()
})

const foreignLeases: readonly [string, (key: string) => Promise<unknown>][] = [
  ['holds a failure without an end', (key) => raw((connection) => connection.set(key, 'failed'))],
  ['holds a token without an end', (key) => raw((connection) => connection.set(key, 'somebody'))],
  ['is a list', (key) => raw((connection) => connection.rpush(key, 'failed'))],
]
it.each(foreignLeases)('does not wait for ever for a lease that %s', async (_, put) => {
  const question = ask()
  await put(leaseKey(entryKey(question)))
  expect(await store.read(question, 1, createLease())).toEqual({ kind: 'won' })
  await put(leaseKey(entryKey(ask())))
  await store.fill(question, entry('x'), LONG, null)
  await put(leaseKey(entryKey(question)))
  expect(await store.lease(question)).not.toBeNull()
})

/** Text that gzip cannot make smaller than about three quarters. */
function createNoise(length: number): string {
  let state = 42
  let text = ''
  while (text.length < length) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    text += String.fromCharCode(33 + ((state >>> 16) % 90))
  }
  return text
}
