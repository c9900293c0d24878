import { entryKey, leaseKey } from '../../src/cache/question'
import type { Loaded } from '../../src/cache/reading'
import { createRedisClient } from '../../src/cache/redis-client'
import { UnavailableError } from '../../src/errors'
import { type Redis, startRedis } from '../support/redis'
import { createFakeDatabase, type FakeDatabase } from './fake-database'
import { ask, defer, loaded, pin, states } from './readings'
import { createProcesses, GROUP, TOPIC } from './register-process'
import { createServices } from './service-process'
import { type follow, versionOf } from './versions'

const [first] = states(1) as [ReturnType<typeof follow>]
const unused = () => Promise.reject(new Error('must not load'))
const key = entryKey(ask(unused).question)
const JANUARY = { from: 0, to: 100 }

let server: Redis
let database: FakeDatabase
const processes = createProcesses(
  () => database,
  () => server.url,
)
const services = createServices(() => server.url)

/** As Redis was before it knew RESP3. */
beforeEach(async () => {
  server = await startRedis({ args: ['--rename-command', 'HELLO', ''] })
  database = createFakeDatabase()
})

afterEach(async () => {
  await Promise.all([processes.stop(), services.stop()])
  await server.kill()
})

describe('over RESP2', () => {
  it('versions are read, prepared and published as ever, but nobody hears of them', async () => {
    const [reader, refresher] = [await processes.start(), await processes.start()]
    expect([reader.redis.server?.protocol, refresher.redis.server?.protocol]).toEqual([2, 2])
    database.commit(TOPIC, 1)
    expect(await reader.see()).toBe('1.u1')
    await refresher.refresh(2, 'u2', [JANUARY])
    expect(await reader.see()).toBe('2.u2')
    expect(database.reads).toHaveLength(1)
    await refresher.register.prepare(GROUP, TOPIC, versionOf(3), [JANUARY])
    expect((await reader.register.current(GROUP, TOPIC)).pending).toEqual([JANUARY])
    expect(await reader.settle()).toBe('2.u2')
    expect((await reader.register.current(GROUP, TOPIC)).pending).toEqual([])
    const kinds = [...reader.log.takeKinds(), ...refresher.log.takeKinds()]
    expect(kinds).toEqual(expect.arrayContaining(['prepared', 'published', 'register-repaired']))
    expect(kinds).not.toContain('announced')
    expect(kinds).not.toContain('redis-error')
  })

  it('who has lost a lease asks again until the entry is there', async () => {
    const [one, other] = [await services.start(), await services.start()]
    const loading = defer<Loaded<string>>()
    const won = one.log.next('lease')
    const read = one.cache.read(ask(loading.begin), pin(first))
    await won
    const lost = other.log.next('lease')
    const waiting = other.cache.read(ask(unused), pin(first))
    expect(await lost).toMatchObject({ outcome: 'lost' })
    loading.resolve(loaded(first, 'rows'))
    expect((await read).outcome).toBe('loaded')
    expect(await waiting).toMatchObject({ value: 'rows', outcome: 'redis' })
    const events = other.log.take()
    expect(events).toContainEqual({ kind: 'waited', key, ms: expect.any(Number), outcome: 'filled' })
    expect(events.filter(({ kind }) => kind === 'redis-error')).toEqual([])
  })

  it('who has lost a lease learns that the load has failed', async () => {
    const [one, other] = [await services.start(), await services.start()]
    const loading = defer<Loaded<string>>()
    const won = one.log.next('lease')
    const read = one.cache.read(ask(loading.begin), pin(first)).catch((error: unknown) => error)
    await won
    const lost = other.log.next('lease')
    const waiting = other.cache.read(ask(unused), pin(first)).catch((error: unknown) => error)
    await lost
    loading.reject(new UnavailableError())
    expect([await read, await waiting]).toEqual([expect.any(UnavailableError), expect.any(UnavailableError)])
  })

  it('a loader that died is waited for, and then done without', async () => {
    const one = await services.start()
    await one.redis.run('test', (connection) => connection.set(leaseKey(key), 'the dead', 'PX', 60_000))
    const lost = one.log.next('lease')
    const read = one.cache.read(
      ask(async () => loaded(first, 'rows')),
      pin(first),
    )
    expect(await lost).toMatchObject({ outcome: 'lost' })
    one.pass(60_000)
    expect((await read).outcome).toBe('loaded')
    await one.background.drain()
    expect(await one.redis.run('test', (connection) => connection.exists(leaseKey(key)))).toBe(0)
  })

  it('a connection that was cut comes back as it was', async () => {
    const [reader, refresher] = [await processes.start(), await processes.start()]
    await refresher.refresh(1)
    const ready = reader.log.next('redis-ready')
    await refresher.redis.run('test', (connection) =>
      connection.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'),
    )
    expect(await ready).toMatchObject({ protocol: 2 })
    expect(await reader.see()).toBe('1.u1')
    expect(database.reads).toHaveLength(0)
  })

  it('a server that wants a password is none without it', async () => {
    const { redis: admin } = await processes.start()
    await admin.run('test', (connection) => connection.config('SET', 'requirepass', 'secret'))
    const client = createRedisClient(server.url, () => undefined)
    expect(await client.connect(300)).toBe(false)
    await client.close()
  })
})
