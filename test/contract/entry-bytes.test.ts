import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { MAX_BODY_BYTES } from '../../src/cache/envelope'
import { entryKey, FORMAT_VERSION } from '../../src/cache/question'
import { type Redis, startRedis } from '../support/redis'
import { type EnvelopeParts, seal } from '../unit/cache/envelope-bytes'
import { ask, loaded, pin, states } from './readings'
import { createServices, type ServiceProcess } from './service-process'
import type { follow } from './versions'

const [, current] = states(2) as [unknown, ReturnType<typeof follow>]
const unused = () => Promise.reject(new Error('must not load'))
let server: Redis
let writer: ServiceProcess
let reader: ServiceProcess
let questions = 0
const services = createServices(() => server.url)

beforeAll(async () => {
  server = await startRedis()
  writer = await services.start()
  reader = await services.start()
})

afterAll(async () => {
  await services.stop()
  await server.kill()
})

/** A question with a good entry in Redis, and the bytes of it. */
async function keep(value: unknown = { rows: [1, 2, 3] }) {
  questions += 1
  const text = `question ${questions}`
  await writer.cache.read(
    ask(async () => loaded(current, value), { text }),
    pin(current),
  )
  await writer.background.drain()
  const key = entryKey(ask(unused, { text }).question)
  const bytes = await writer.redis.run('test', (connection) => connection.hgetBuffer(key, 'b'))
  if (bytes === null) throw new Error('not kept')
  return { text, key, bytes }
}

const put = (key: string, fields: Record<string, string | Buffer>) =>
  writer.redis.run('test', (connection) => connection.hset(key, fields))

/** What is in Redis is no answer: it is loaded, told of, and replaced for all. */
async function expectMiss(text: string, key: string): Promise<void> {
  reader.log.take()
  const answer = await reader.cache.read(
    ask(async () => loaded(current, `good ${text}`), { text }),
    pin(current),
  )
  expect(answer).toEqual({ ...loaded(current, `good ${text}`), outcome: 'loaded' })
  await reader.background.drain()
  expect(reader.log.take()).toContainEqual({ kind: 'stored', store: 'redis', key })
  reader.memory.delete(key)
  const again = await reader.cache.read(ask(unused, { text }), pin(current))
  expect([again.value, again.outcome]).toEqual([`good ${text}`, 'redis'])
  reader.memory.delete(key)
}

const damage = fc.oneof(
  fc.nat().map((at) => ['cut', (bytes: Buffer) => bytes.subarray(0, at % bytes.length)] as const),
  fc.tuple(fc.nat(), fc.nat(7)).map(([at, bit]) => {
    const flip = (bytes: Buffer) => {
      const index = at % bytes.length
      const flipped = Buffer.from(bytes)
      flipped.writeUInt8(flipped.readUInt8(index) ^ (1 << bit), index)
      return flipped
    }
    return ['flip', flip] as const
  }),
  fc
    .uint8Array({ minLength: 1, maxLength: 300 })
    .map((tail) => ['append', (bytes: Buffer) => Buffer.concat([bytes, tail])] as const),
  fc.uint8Array({ maxLength: 300 }).map((any) => ['replace', () => Buffer.from(any)] as const),
)

it('takes damaged bytes for a miss, tells of it, and replaces them', async () => {
  await fc.assert(
    fc.asyncProperty(damage, fc.boolean(), async ([, spoil], isLarge) => {
      const { text, key, bytes } = await keep(isLarge ? 'long '.repeat(1_000) : 1)
      await put(key, { b: spoil(bytes) })
      await expectMiss(text, key)
    }),
    { numRuns: 80, seed: 11 },
  )
})

it('counts bytes that it cannot read', async () => {
  const { text, key } = await keep()
  await put(key, { b: 'AGGR nonsense' })
  reader.log.take()
  await reader.cache.read(
    ask(async () => loaded(current, 1), { text }),
    pin(current),
  )
  expect(reader.log.take()).toContainEqual({ kind: 'decode-failed', key })
})

const versions: readonly [string, string | Buffer][] = [
  ['an older one', '1.u1------'],
  ['a newer one', '7.u7------'],
  ['one of the same number', '2.other---'],
  ['one of the largest number', `${Number.MAX_SAFE_INTEGER}.u`],
  ['one of a larger number than is exact', '9007199254740993.u'],
  ['one too large for any number', `${'9'.repeat(400)}.u`],
  ['one without a name', '99.'],
  ['one with a zero before it', '099.u'],
  ['one that is no text', Buffer.from([0x39, 0x39, 0x2e, 0xff, 0xfe, 0x80])],
  ['none', 'version'],
  ['an empty one', ''],
  ['a negative one', '-1.u'],
]
it.each(versions)('does not believe an entry beside which another version is written: %s', async (_, v) => {
  const { text, key } = await keep()
  await put(key, { v })
  await expectMiss(text, key)
})

it('gives no question the answer to another, wherever it lies', async () => {
  const [mine, other] = [await keep('mine'), await keep('other')]
  await put(mine.key, { b: other.bytes })
  await expectMiss(mine.text, mine.key)
  const { question } = ask(unused, { text: 'scoped' })
  await writer.store.fill(
    { ...question, scope: 'tenant=2' },
    { ...loaded(current, 'secret'), loadMs: 1 },
    { freshSeconds: 60, keepSeconds: 60 },
    null,
  )
  await writer.redis.run('test', (connection) =>
    connection.copy(entryKey({ ...question, scope: 'tenant=2' }), entryKey(question)),
  )
  await expectMiss('scoped', entryKey(question))
})

const version = `2.${current.version.uuid}`
const good = (text: string): EnvelopeParts => {
  const body = Buffer.from('"by hand"')
  const head = JSON.stringify(['flights', 'layout', 'all', text, version, null, 1])
  return { format: FORMAT_VERSION, compression: 0, head, length: body.length, body }
}
const bomb = gzipSync(Buffer.alloc(MAX_BODY_BYTES * 4, 32))
const sealed: readonly [string, (text: string) => Buffer][] = [
  [
    'the format before',
    (text) => seal({ ...good(text), format: 1, head: JSON.stringify(['flights', 'layout', 'all', text, version]) }),
  ],
  ['the format after', (text) => seal({ ...good(text), format: 3 })],
  [
    'another head',
    (text) => seal({ ...good(text), head: JSON.stringify(['flights', 'layout', 'none', text, version, null, 1]) }),
  ],
  [
    'a version that is not the one beside it',
    (text) => seal({ ...good(text), head: good(text).head.replace(version, '1.u1------') }),
  ],
  ['a body that is not JSON', (text) => seal({ ...good(text), length: 2, body: Buffer.from('"b') })],
  [
    'a gzip bomb that says what it is',
    (text) => seal({ ...good(text), compression: 1, length: MAX_BODY_BYTES * 4, body: bomb }),
  ],
  ['a gzip bomb that says it is small', (text) => seal({ ...good(text), compression: 1, length: 64, body: bomb })],
  ['ten megabytes', (text) => seal({ ...good(text), length: 10_000_000, body: Buffer.alloc(10_000_000, '1') })],
  ['ten megabytes of nothing', () => Buffer.alloc(10_000_000)],
]
it.each(sealed)('takes well sealed bytes of %s for a miss', async (_, write) => {
  const { text, key } = await keep()
  await put(key, { b: write(text) })
  await expectMiss(text, key)
})

it('takes well sealed bytes that say what they should', async () => {
  const { text, key } = await keep()
  await put(key, { b: seal(good(text)) })
  expect((await reader.cache.read(ask(unused, { text }), pin(current))).value).toBe('by hand')
})

const shapes: readonly [string, (key: string) => Promise<unknown>][] = [
  ['a text', (key) => writer.redis.run('test', (connection) => connection.set(key, 'text'))],
  ['a list', (key) => writer.redis.run('test', (connection) => connection.rpush(key, 'v', 'b'))],
  ['a hash without anything known', (key) => put(key, { other: 'x' })],
  ['a hash without a body', (key) => put(key, { v: version })],
  ['a hash without a version', async (key) => writer.redis.run('test', (connection) => connection.hset(key, 'b', 'x'))],
]
it.each(shapes)('replaces %s under its key', async (_, write) => {
  const { text, key } = await keep()
  await writer.redis.run('test', (connection) => connection.del(key))
  await write(key)
  await expectMiss(text, key)
})

it.each(['', 'x', 'nan', 'inf', '-inf', '1e300', '-1e300', '-1e15', '0x10'])(
  'serves a good entry whose grace is %j, and does not fail',
  async (g) => {
    const { text, key } = await keep('good')
    await put(key, { g })
    const load = async () => loaded(current, 'good')
    expect((await reader.cache.read(ask(load, { text }), pin(current))).value).toBe('good')
    await reader.background.drain()
    expect(reader.log.takeKinds()).not.toContain('background-failed')
    expect(reader.memory.get(key)?.staleAt).not.toBeNaN()
  },
)
