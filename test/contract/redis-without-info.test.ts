import { registerKey } from '../../src/cache/question'
import { checkRedis } from '../../src/cli/check-redis'
import { ALWAYS } from '../../src/time/stretch'
import { type Redis, startRedis } from '../support/redis'
import { createFakeDatabase, type FakeDatabase } from './fake-database'
import { ask, loaded, pin, states } from './readings'
import { createProcesses, GROUP, TOPIC } from './register-process'
import { createServices } from './service-process'
import { type follow, versionOf } from './versions'

const [first] = states(1) as [ReturnType<typeof follow>]
const unused = () => Promise.reject(new Error('must not load'))

describe.each([
  ['has no INFO', ['--rename-command', 'INFO', ''], '//'],
  [
    'does not let this user ask for INFO',
    ['--user', 'app', 'on', '>secret', '~*', '&*', '+@all', '-info'],
    '//app:secret@',
  ],
])('a Redis that %s', (_, args, user) => {
  let server: Redis
  let database: FakeDatabase
  const url = () => server.url.replace('//', user)
  const processes = createProcesses(() => database, url)
  const services = createServices(url)

  beforeEach(async () => {
    server = await startRedis({ args })
    database = createFakeDatabase()
  })

  afterEach(async () => {
    await Promise.all([processes.stop(), services.stop()])
    await server.kill()
  })

  it('is used, and says nothing of itself', async () => {
    const warnings = jest.spyOn(console, 'warn')
    const { redis, log } = await processes.start()
    expect(redis.server).toEqual({
      version: 'unknown',
      runId: null,
      protocol: 3,
      maxmemoryPolicy: null,
      epoch: null,
    })
    await expect(redis.ping()).resolves.toMatchObject({ version: 'unknown' })
    expect(log.take()).toEqual([])
    expect(warnings).not.toHaveBeenCalled()
    const advised = (await checkRedis(url())).filter(({ kind }) => kind !== 'ok')
    expect(advised).toMatchObject([{ kind: 'advice', sentence: expect.stringContaining('+info') }])
    warnings.mockRestore()
  })

  it('keeps entries and leases for all processes', async () => {
    const [one, other] = [await services.start(), await services.start()]
    await one.cache.read(
      ask(async () => loaded(first, 'rows')),
      pin(first),
    )
    await one.background.drain()
    expect(await other.cache.read(ask(unused), pin(first))).toMatchObject({ value: 'rows', outcome: 'redis' })
    const { question } = ask(unused)
    expect([(await one.store.lease(question)) === null, await other.store.lease(question)]).toEqual([false, null])
  })

  it('is not asked for versions: Postgres is, by everybody and each time', async () => {
    const [reader, refresher] = [await processes.start(), await processes.start()]
    await refresher.refresh(1)
    expect(await reader.see()).toBe('1.u1')
    await refresher.refresh(2)
    expect([await reader.see(), await refresher.see(), await reader.see()]).toEqual(['2.u2', '2.u2', '2.u2'])
    expect(database.reads).toHaveLength(4)
    expect(reader.log.takeKinds().filter((kind) => kind !== 'announced')).toEqual([])
    const confirms = (seq: number) =>
      reader.register.confirms([{ group: GROUP, topic: TOPIC, version: versionOf(seq), stretches: [ALWAYS] }])
    expect([await confirms(1), await confirms(2)]).toEqual([false, true])
  })

  it('is not believed by a process that knows nothing yet when it is back from an old dump', async () => {
    const [reader, fresh] = [await processes.start(), await processes.start()]
    await reader.refresh(1)
    const old = await reader.fields()
    await reader.refresh(2)
    const down = [reader.log.next('redis-down'), fresh.log.next('redis-down')]
    await server.kill()
    await Promise.all(down)
    const ready = [reader.log.next('redis-ready'), fresh.log.next('redis-ready')]
    server = await startRedis({ port: server.port, args })
    await Promise.all(ready)
    await reader.redis.run('test', (connection) => connection.hset(registerKey(GROUP, TOPIC), old))
    expect([await fresh.see(), await reader.see()]).toEqual(['2.u2', '2.u2'])
  })
})
