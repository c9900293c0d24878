import { createMemoryStore } from '../../src/cache/memory-store'
import { entryKey, type Question } from '../../src/cache/question'
import { createRedisClient, type RedisClient } from '../../src/cache/redis-client'
import { createRedisStore } from '../../src/cache/redis-store'
import type { CacheStore } from '../../src/cache/store'
import { type Redis, startRedis } from '../support/redis'
import { createEventLog } from './event-log'

const TTL = 300
const log = createEventLog()
let server: Redis
let redis: RedisClient
let questions = 0

beforeAll(async () => {
  server = await startRedis()
  redis = createRedisClient(server.url, log.listen)
  await redis.connect()
})

afterAll(async () => {
  await redis.close()
  await server.stop()
})

function ask(overrides: Partial<Question> = {}): Question {
  questions += 1
  return { group: 'flights', topic: 'layout', scope: 'all', text: `question ${questions}`, ...overrides }
}

const version = (seq: number, uuid = `u${seq}`) => ({ seq, uuid })

const stores: readonly [string, () => CacheStore][] = [
  ['memory', () => createMemoryStore({ maxBytes: 8_000_000, clock: () => performance.now() })],
  ['redis', () => createRedisStore(redis, log.listen)],
]

describe.each(stores)('the %s store', (name, create) => {
  it('says which it is', () => {
    expect(create().name).toBe(name)
  })

  it('has nothing for a question that was never kept', async () => {
    expect(await create().get(ask())).toBeUndefined()
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
    const [store, question] = [create(), ask()]
    expect(await store.set(question, version(3), value, TTL)).toBe(true)
    expect(await store.get(question)).toEqual({ version: version(3), value })
  })

  const others: readonly [string, Partial<Question>][] = [
    ['group', { group: 'trains' }],
    ['topic', { topic: 'layout 2' }],
    ['scope', { scope: '' }],
    ['text', { text: 'other' }],
  ]
  it.each(others)('keeps a question of another %s apart', async (_, other) => {
    const [store, question] = [create(), ask()]
    await store.set(question, version(1), 'mine', TTL)
    expect(await store.get({ ...question, ...other })).toBeUndefined()
  })

  it('replaces an older entry', async () => {
    const [store, question] = [create(), ask()]
    await store.set(question, version(1), 'old', TTL)
    expect(await store.set(question, version(2), 'new', TTL)).toBe(true)
    expect(await store.get(question)).toEqual({ version: version(2), value: 'new' })
  })

  it('does not let a slow loader bring older data back', async () => {
    const [store, question] = [create(), ask()]
    await store.set(question, version(10), 'new', TTL)
    expect(await store.set(question, version(9), 'old', TTL)).toBe(false)
    expect(await store.get(question)).toEqual({ version: version(10), value: 'new' })
  })

  it('takes the last of two versions with the same number', async () => {
    const [store, question] = [create(), ask()]
    await store.set(question, version(4, 'lost'), 'lost', TTL)
    expect(await store.set(question, version(4, 'kept'), 'kept', TTL)).toBe(true)
    expect(await store.get(question)).toEqual({ version: version(4, 'kept'), value: 'kept' })
  })

  it.each([0, -1, Number.NaN])('keeps nothing for %d seconds', async (ttlSeconds) => {
    const [store, question] = [create(), ask()]
    expect(await store.set(question, version(1), 'late', ttlSeconds)).toBe(false)
    expect(await store.get(question)).toBeUndefined()
  })

  const unfit: readonly [string, unknown][] = [
    ['undefined', undefined],
    ['an undefined member', { a: undefined }],
    ['a date', [new Date(0)]],
    ['NaN', Number.NaN],
    ['a bigint', 1n],
    ['a map', new Map()],
    ['a hole', new Array(1)],
    ['a value of several MB that does not compress', { random: createNoise(3_000_000) }],
  ]
  it.each(unfit)('does not keep %s, and does not fail', async (_, value) => {
    const [store, question] = [create(), ask()]
    expect(await store.set(question, version(1), value, TTL)).toBe(false)
    expect(await store.get(question)).toBeUndefined()
  })

  it('freezes what it keeps', async () => {
    const rows = [{ flights: 1 }]
    await create().set(ask(), version(1), rows, TTL)
    expect(Object.isFrozen(rows[0])).toBe(true)
  })
})

describe('the redis store, of what else lies in Redis,', () => {
  const foreign: readonly [string, (key: string) => Promise<unknown>][] = [
    [
      'bytes that are no envelope',
      (key) => redis.run('test', (connection) => connection.hset(key, { v: '1.u', b: 'no' })),
    ],
    ['a hash without a body', (key) => redis.run('test', (connection) => connection.hset(key, { v: 'not a version' }))],
    ['a key of another type', (key) => redis.run('test', (connection) => connection.set(key, 'text'))],
  ]
  it.each(foreign)('replaces %s', async (_, put) => {
    const [store, question] = [createRedisStore(redis, log.listen), ask()]
    await put(entryKey(question))
    await store.get(question).catch(() => undefined)
    expect(await store.set(question, version(2), 'good', TTL)).toBe(true)
    expect(await store.get(question)).toEqual({ version: version(2), value: 'good' })
  })

  it('tells of bytes that do not decode', async () => {
    const question = ask()
    const key = entryKey(question)
    await redis.run('test', (connection) => connection.hset(key, { v: '1.u', b: 'no' }))
    log.take()
    expect(await createRedisStore(redis, log.listen).get(question)).toBeUndefined()
    expect(log.take()).toEqual([{ kind: 'decode-failed', key }])
  })

  it('gives every key a time to live', async () => {
    const question = ask()
    await createRedisStore(redis, log.listen).set(question, version(1), 'x', 12.5)
    const left = await redis.run('test', (connection) => connection.pttl(entryKey(question)))
    expect(left).toBeGreaterThan(11_000)
    expect(left).toBeLessThanOrEqual(12_500)
  })

  it('keeps entries of two processes in one place', async () => {
    const other = createRedisClient(server.url, log.listen)
    await other.connect()
    const question = ask()
    await createRedisStore(redis, log.listen).set(question, version(1), ['shared'], TTL)
    expect(await createRedisStore(other, log.listen).get(question)).toEqual({ version: version(1), value: ['shared'] })
    await other.close()
  })
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
