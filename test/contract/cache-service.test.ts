import { entryKey, leaseKey } from '../../src/cache/question'
import type { Loaded } from '../../src/cache/reading'
import { OverloadedError, UnavailableError } from '../../src/errors'
import { type Redis, startRedis } from '../support/redis'
import { ask, defer, loaded, pin, states } from './readings'
import { createServices, type ServiceProcess } from './service-process'
import { follow, versionOf } from './versions'

type State = ReturnType<typeof follow>
const [first, second] = states(2) as [State, State]
const unused = () => Promise.reject(new Error('must not load'))
const question = ask(unused).question
const key = entryKey(question)
const text = `1.${versionOf(1).uuid}`
let server: Redis
const services = createServices(() => server.url)

beforeEach(async () => {
  server = await startRedis()
})

afterEach(async () => {
  await services.stop()
  await server.kill()
})

const load = async () => loaded(first, 'rows')
const waits = async ({ log }: ServiceProcess) => {
  for (;;) {
    const event = await log.next('lease')
    if (event.kind === 'lease' && event.outcome === 'lost') return
  }
}

it('finds in Redis what another process loaded, and then in its own memory', async () => {
  const [one, other] = [await services.start(), await services.start()]
  expect(await one.cache.read(ask(load), pin(first))).toEqual({ ...(await load()), outcome: 'loaded' })
  await one.background.drain()
  expect(one.log.take()).toEqual([
    { kind: 'miss', store: 'memory', key, reason: 'absent' },
    { kind: 'miss', store: 'redis', key, reason: 'absent' },
    { kind: 'lease', outcome: 'won', key },
    { kind: 'loaded', key, version: text, ms: expect.any(Number) },
    { kind: 'stored', store: 'memory', key },
    { kind: 'stored', store: 'redis', key },
  ])
  expect(await other.cache.read(ask(unused), pin(first))).toEqual({ ...(await load()), outcome: 'redis' })
  expect(await other.cache.read(ask(unused), pin(first))).toEqual({ ...(await load()), outcome: 'memory' })
  expect(other.log.take()).toEqual([
    { kind: 'miss', store: 'memory', key, reason: 'absent' },
    { kind: 'hit', store: 'redis', key },
    { kind: 'hit', store: 'memory', key },
  ])
})

it('serves no outdated entry, from memory or from Redis', async () => {
  const [one, other] = [await services.start(), await services.start()]
  await one.cache.read(ask(load), pin(first))
  for (const { cache } of [other, one]) {
    const answer = await cache.read(
      ask(async () => loaded(second, 'new')),
      pin(second),
    )
    expect(answer.value).toBe('new')
  }
  expect(other.log.take()).toContainEqual({ kind: 'miss', store: 'redis', key, reason: 'absent' })
})

it('loads once for all processes: one has the lease, the others get what it fills', async () => {
  const all = await Promise.all([services.start(), services.start(), services.start()])
  const loading = defer<Loaded<string>>()
  const reads = all.flatMap(({ cache }) => [1, 2, 3].map(() => cache.read(ask(loading.begin), pin(first))))
  await new Promise<void>((resolve) => {
    let losers = 0
    const count = () => {
      losers += 1
      if (losers === 2) resolve()
    }
    for (const process of all) void waits(process).then(count)
  })
  // The one that won may hear of it last.
  while (loading.count() === 0) await new Promise((resolve) => setImmediate(resolve))
  loading.resolve(loaded(first, 'rows'))
  const answers = await Promise.all(reads)
  expect(answers.map(({ value }) => value)).toEqual(Array(9).fill('rows'))
  expect(answers.map(({ outcome }) => outcome).sort()).toEqual([...Array(6).fill('joined'), 'loaded', 'redis', 'redis'])
  expect(loading.count()).toBe(1)
  const events = all.flatMap(({ log }) => log.take())
  const outcomes = events.flatMap((event) => (event.kind === 'lease' ? [event.outcome] : []))
  expect(outcomes.filter((outcome) => outcome === 'won')).toHaveLength(1)
  expect(events.filter(({ kind }) => kind === 'waited')).toHaveLength(2)
  expect(await all[0].redis.run('test', (connection) => connection.exists(leaseKey(key)))).toBe(0)
})

it('finds what another process fills without any message, too', async () => {
  const [one, deaf] = [await services.start(), await services.start({ isDeaf: true })]
  const loading = defer<Loaded<string>>()
  const waited = waits(deaf)
  const won = one.log.next('lease')
  const read = one.cache.read(ask(loading.begin), pin(first))
  await won
  const other = deaf.cache.read(ask(unused), pin(first))
  await waited
  loading.resolve(loaded(first, 'rows'))
  await read
  expect(await other).toEqual({ ...(await load()), outcome: 'redis' })
  expect(deaf.log.take()).toContainEqual({ kind: 'waited', key, ms: expect.any(Number), outcome: 'filled' })
})

it('takes the place of a loader that died, once it has waited long enough', async () => {
  const one = await services.start()
  await one.redis.run('test', (connection) => connection.set(leaseKey(key), 'the dead', 'PX', 60_000))
  const waited = waits(one)
  const read = one.cache.read(ask(load), pin(first))
  await waited
  one.pass(60_000)
  expect((await read).outcome).toBe('loaded')
  expect(one.log.take()).toContainEqual({ kind: 'waited', key, ms: expect.any(Number), outcome: 'gave-up' })
  // What it filled is there for all, and nobody waits for the dead one.
  await one.background.drain()
  expect(await one.redis.run('test', (connection) => connection.exists(leaseKey(key)))).toBe(0)
})

it('tells everyone who waits at once that a load has failed, and lets nobody try again for a second', async () => {
  const [one, other] = [await services.start(), await services.start()]
  const loading = defer<Loaded<string>>()
  const won = one.log.next('lease')
  const read = one.cache.read(ask(loading.begin), pin(first)).catch((error: unknown) => error)
  await won
  const waited = waits(other)
  const joined = other.cache.read(ask(unused), pin(first)).catch((error: unknown) => error)
  await waited
  loading.reject(new UnavailableError())
  expect([await read, await joined]).toEqual([expect.any(UnavailableError), expect.any(UnavailableError)])
  await expect(other.cache.read(ask(unused), pin(first))).rejects.toThrow(UnavailableError)
  await expect(one.cache.read(ask(unused), pin(first))).rejects.toThrow(UnavailableError)
  const left = await one.redis.run('test', (connection) => connection.pttl(leaseKey(key)))
  expect(left).toBeGreaterThan(0)
  expect(left).toBeLessThanOrEqual(1_000)
})

it.each([
  ['an overloaded Postgres', new OverloadedError()],
  ['a fault of ours', new Error('a fault of ours')],
])('gives the lease back at once after %s', async (_, error) => {
  const [one, other] = [await services.start(), await services.start()]
  await expect(
    one.cache.read(
      ask(() => Promise.reject(error)),
      pin(first),
    ),
  ).rejects.toBe(error)
  expect((await other.cache.read(ask(load), pin(first))).outcome).toBe('loaded')
})

it('serves what Redis kept, of any version, while Postgres is away', async () => {
  const [one, other] = [await services.start(), await services.start()]
  await one.cache.read(ask(load), pin(first))
  const away = () => Promise.reject(new UnavailableError())
  const stale = { ...(await load()), outcome: 'stale' }
  expect(await other.cache.read(ask(away), pin(second))).toEqual(stale)
  expect(await other.cache.read(ask(unused), pin(second, { isConfirmed: false }))).toEqual(stale)
  // Neither has made it look fresh, or newer.
  expect(other.memory.get(key)).toBeUndefined()
  expect((await other.store.readAny(question))?.entry.version).toEqual(first.version)
})

it('replaces an entry of a database that is no more, in Redis and in memory', async () => {
  const [one, other] = [await services.start(), await services.start()]
  const gone = follow(undefined, versionOf(1_000, 'lost'))
  await one.cache.read(
    ask(async () => loaded(gone, 'lost')),
    pin(gone),
  )
  // At first it may be a version that this process has not heard of.
  expect((await other.cache.read(ask(unused), pin(first))).value).toBe('lost')
  expect((await other.cache.read(ask(load), pin(first), true)).value).toBe('rows')
  expect(await other.cache.read(ask(unused), pin(first))).toEqual({ ...(await load()), outcome: 'memory' })
  const third = await services.start()
  expect((await third.cache.read(ask(unused), pin(first), true)).outcome).toBe('redis')
})

it('does not let a slow fill replace what is newer, and says so', async () => {
  const [slow, quick] = [await services.start(), await services.start()]
  const loading = defer<Loaded<string>>()
  const won = slow.log.next('lease')
  const read = slow.cache.read(ask(loading.begin), pin(first))
  await won
  await slow.redis.run('test', (connection) => connection.del(leaseKey(key)))
  await quick.cache.read(
    ask(async () => loaded(second, 'new')),
    pin(second),
  )
  loading.resolve(loaded(first, 'old'))
  await read
  await slow.background.drain()
  expect(slow.log.take()).toContainEqual({ kind: 'superseded', store: 'redis', key })
  const third = await services.start()
  expect((await third.cache.read(ask(unused), pin(second))).value).toBe('new')
})

it('loads when Redis is paused, and does not fail', async () => {
  const { log, cache, redis, background } = await services.start({ deadlineMs: 100 })
  server.pause()
  expect((await cache.read(ask(load), pin(first))).outcome).toBe('loaded')
  await background.drain()
  expect(log.takeKinds()).toEqual([
    'miss',
    'redis-error',
    'miss',
    'lease',
    'redis-error',
    'miss',
    'lease',
    'loaded',
    'stored',
    'redis-error',
    'not-stored',
  ])
  expect((await cache.read(ask(unused), pin(first))).outcome).toBe('memory')
  server.resume()
  expect((await redis.ping()).protocol).toBe(3)
})

describe('past its time', () => {
  const expire = (process: ServiceProcess) =>
    process.redis.run('test', (connection) => connection.hset(key, 'g', 10 * 24 * 3_600_000))

  it('is served and made anew in the background, by one process of all', async () => {
    const all = await Promise.all([services.start(), services.start(), services.start()])
    await all[0].cache.read(ask(load), pin(first))
    await all[0].background.drain()
    await expire(all[0])
    const loading = defer<Loaded<string>>()
    for (const { cache } of all.slice(1)) {
      const reads = await Promise.all([1, 2, 3].map(() => cache.read(ask(loading.begin), pin(first))))
      expect(reads.map(({ value }) => value)).toEqual(Array(3).fill('rows'))
    }
    while (loading.count() === 0) await new Promise((resolve) => setImmediate(resolve))
    expect(loading.count()).toBe(1)
    loading.resolve(loaded(first, 'anew'))
    await Promise.all(all.map(({ background }) => background.drain()))
    const refreshed = all.flatMap(({ log }) => log.take()).filter(({ kind }) => kind === 'refreshed')
    expect(refreshed).toEqual([{ kind: 'refreshed', key, reason: 'expired' }])
    const late = await services.start()
    expect((await late.cache.read(ask(unused), pin(first))).value).toBe('anew')
  })

  it('is taken from Redis when another process has made it anew', async () => {
    const [one, other] = [await services.start(), await services.start()]
    await one.cache.read(ask(load), pin(first))
    await one.background.drain()
    await other.cache.read(ask(load), pin(first))
    one.pass(400_000)
    await other.store.fill(
      question,
      { ...loaded(first, 'anew'), loadMs: 1 },
      { freshSeconds: 300, keepSeconds: 600 },
      null,
    )
    expect((await one.cache.read(ask(unused), pin(first))).value).toBe('rows')
    await one.background.drain()
    expect((await one.cache.read(ask(unused), pin(first))).value).toBe('anew')
    expect(one.log.takeKinds()).not.toContain('refreshed')
  })

  it('is made anew without Redis, too', async () => {
    const { cache, background, pass, log } = await services.start()
    await cache.read(ask(load), pin(first))
    pass(400_000)
    const down = log.next('redis-down')
    await server.kill()
    await down
    expect(
      (
        await cache.read(
          ask(async () => loaded(first, 'anew')),
          pin(first),
        )
      ).value,
    ).toBe('rows')
    await background.drain()
    expect((await cache.read(ask(unused), pin(first))).value).toBe('anew')
  })
})
