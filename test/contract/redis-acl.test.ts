import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { entryKey, registerKey } from '../../src/cache/question'
import type { Loaded } from '../../src/cache/reading'
import { createRedisClient, type RedisClient } from '../../src/cache/redis-client'
import { checkRedis } from '../../src/cli/check-redis'
import { UnavailableError } from '../../src/errors'
import { type Redis, startRedis } from '../support/redis'
import { createFakeDatabase, type FakeDatabase } from './fake-database'
import { ask, defer, loaded, pin, states } from './readings'
import { createProcesses, GROUP, TOPIC } from './register-process'
import { createServices } from './service-process'
import { type follow, versionOf } from './versions'

const [first] = states(1) as [ReturnType<typeof follow>]
const unused = () => Promise.reject(new Error('must not load'))

let server: Redis
let database: FakeDatabase
let admin: RedisClient
const url = () => server.url.replace('//', '//app:secret@')
const processes = createProcesses(() => database, url)
const services = createServices(url)

/** The user as the documentation says to make it. */
function readCommand(): string[] {
  const text = readFileSync(join(__dirname, '../../docs/redis.md'), 'utf8')
  const [command] = /^ACL SETUSER app [^`]+/m.exec(text) ?? []
  if (command === undefined) throw new Error('The documentation names no user')
  return command.trim().split(/\s+/)
}

beforeEach(async () => {
  server = await startRedis()
  database = createFakeDatabase()
  admin = createRedisClient(server.url, () => undefined)
  await admin.connect()
  const [name = '', ...rest] = readCommand()
  await admin.run('make the user', (redis) => redis.call(name, ...rest))
})

afterEach(async () => {
  await Promise.all([processes.stop(), services.stop(), admin.close()])
  await server.kill()
})

describe('the documented user of Redis', () => {
  it('may keep registers, and hear of what others publish', async () => {
    const [reader, refresher] = [await processes.start(), await processes.start()]
    database.commit(TOPIC, 1)
    expect(await reader.see()).toBe('1.u1')
    const announced = reader.log.next('announced')
    await refresher.refresh(2)
    await announced
    expect(await reader.see()).toBe('2.u2')
    await refresher.register.prepare(GROUP, TOPIC, versionOf(4), [])
    expect(await reader.settle()).toBe('2.u2')
    await admin.run('make it of another type', async (redis) => {
      await redis.del(registerKey(GROUP, TOPIC))
      await redis.set(registerKey(GROUP, TOPIC), 'text')
    })
    expect(await reader.see()).toBe('2.u2')
    expect(database.reads).toHaveLength(3)
    const events = [...reader.log.take(), ...refresher.log.take()]
    expect(events.filter(({ kind }) => kind.endsWith('-error') || kind.endsWith('-failed'))).toEqual([])
  })

  it('may keep entries, and leases that others wait for', async () => {
    const [one, other] = [await services.start(), await services.start()]
    const loading = defer<Loaded<string>>()
    const won = one.log.next('lease')
    const read = one.cache.read(ask(loading.begin), pin(first))
    await won
    const lost = other.log.next('lease')
    const waiting = other.cache.read(ask(unused), pin(first))
    expect(await lost).toMatchObject({ outcome: 'lost' })
    loading.resolve(loaded(first, 'rows'))
    expect([(await read).outcome, (await waiting).outcome]).toEqual(['loaded', 'redis'])
    const { question } = ask(unused)
    const lease = await one.store.lease(question)
    expect([lease === null, await other.store.lease(question)]).toEqual([false, null])
    if (lease !== null) await one.store.fail(question, lease, 1_000)
    const failing = ask(() => Promise.reject(new UnavailableError()), { text: 'another?' })
    await expect(one.cache.read(failing, pin(first))).rejects.toThrow(UnavailableError)
    const events = [...one.log.take(), ...other.log.take()]
    expect(events.filter(({ kind }) => kind === 'redis-error')).toEqual([])
  })

  it('may do what the doctor does, and use another database', async () => {
    const findings = [...(await checkRedis(url())), ...(await checkRedis(`${url()}/2`))]
    expect(findings.filter(({ kind }) => kind === 'fault')).toEqual([])
  })

  const PREFIXED = entryKey(ask(unused).question)
  it.each([
    'GET others',
    'SET others 1',
    'DEL others',
    `EVAL return(redis.call('GET',KEYS[1])) 1 others`,
    `EVAL return(redis.call('GET','others')) 0`,
    `EVAL return(redis.call('FLUSHALL')) 1 ${PREFIXED}`,
    'PUBLISH others 1',
    'SUBSCRIBE others',
    'FLUSHALL',
    'FLUSHDB',
    'KEYS *',
    'SCAN 0',
    'CONFIG GET *',
    'ACL WHOAMI',
    'SHUTDOWN NOSAVE',
    'SCRIPT FLUSH',
  ])('may not: %s', async (words) => {
    const { redis } = await services.start()
    const [command = '', ...rest] = words.split(' ')
    const reply = redis.run('test', (connection) => connection.call(command, ...rest))
    await expect(reply).rejects.toThrow(/NOPERM|ACL failure|executing the script can't/)
  })
})
