import { registerKey } from '../../src/cache/question'
import { createRedisClient, type RedisClient } from '../../src/cache/redis-client'
import { VersionRegister } from '../../src/cache/version-register'
import { type Redis, startRedis } from '../support/redis'
import { createEventLog, type EventLog } from './event-log'
import { createFakeDatabase, type FakeDatabase } from './fake-database'

const GROUP = 'flights'
const TOPIC = 'layout'
const clock = () => performance.now()
const clients: RedisClient[] = []
let server: Redis
let database: FakeDatabase

interface Process {
  readonly log: EventLog
  readonly redis: RedisClient
  readonly register: VersionRegister<string>
  /** The version the process sees now, as text. */
  see(): Promise<string>
}

beforeEach(async () => {
  server = await startRedis()
  database = createFakeDatabase()
})

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
  await server.kill()
})

async function startProcess(retryMs = 3_000): Promise<Process> {
  const log = createEventLog()
  const redis = createRedisClient(server.url, log.listen)
  clients.push(redis)
  await redis.connect()
  const { readStates } = database
  const register = new VersionRegister<string>({ redis, readStates, clock, onEvent: log.listen, retryMs })
  log.take()
  const see = async () => {
    const { version, data } = await register.current(GROUP, TOPIC)
    expect(data).toBe(`data of ${version.seq}.${version.uuid}`)
    return `${version.seq}.${version.uuid}`
  }
  return { log, redis, register, see }
}

function rawFields(process: Process): Promise<Record<string, string>> {
  return process.redis.run('test', (connection) => connection.hgetall(registerKey(GROUP, TOPIC)))
}

async function refresh(process: Process, seq: number, uuid = `u${seq}`): Promise<void> {
  await process.register.prepare(GROUP, TOPIC, { seq, uuid })
  await process.register.publish(GROUP, TOPIC, database.commit(TOPIC, seq, uuid))
}

it('asks Postgres once for a topic that Redis does not know, for all processes', async () => {
  database.commit(TOPIC, 1)
  const [first, second] = [await startProcess(), await startProcess()]
  expect(await first.see()).toBe('1.u1')
  expect(await second.see()).toBe('1.u1')
  expect(await first.see()).toBe('1.u1')
  expect(database.reads).toEqual([[TOPIC]])
  expect(first.log.take()).toEqual([
    { kind: 'register-unknown', topic: TOPIC, reason: 'absent' },
    { kind: 'register-repaired', topic: TOPIC, version: '1.u1' },
  ])
  expect(second.log.take()).toEqual([])
})

it('shares one read among all questions of one turn, whatever their topics', async () => {
  database.commit('a', 1)
  database.commit('b', 2)
  const { register } = await startProcess()
  const topics = ['a', 'b', 'a', 'b', 'a']
  const states = await Promise.all(topics.map((topic) => register.current(GROUP, topic)))
  expect(states.map(({ version }) => version.seq)).toEqual([1, 2, 1, 2, 1])
  expect(database.reads).toEqual([['a', 'b']])
})

it('begins its read after every question of the turn was asked', async () => {
  database.commit(TOPIC, 1)
  const log = createEventLog()
  const register = new VersionRegister<string>({ readStates: database.readStates, clock, onEvent: log.listen })
  const early = register.current(GROUP, TOPIC)
  database.commit(TOPIC, 2)
  const late = register.current(GROUP, TOPIC)
  expect((await early).version.seq).toBe(2)
  expect((await late).version.seq).toBe(2)
  expect(database.reads).toHaveLength(1)
})

it('asks Postgres each turn without Redis, and has nothing to prepare or publish', async () => {
  database.commit(TOPIC, 1)
  const log = createEventLog()
  const register = new VersionRegister<string>({ readStates: database.readStates, clock, onEvent: log.listen })
  await register.current(GROUP, TOPIC)
  await register.current(GROUP, TOPIC)
  expect(await register.prepare(GROUP, TOPIC, { seq: 2, uuid: 'u2' })).toBe(true)
  expect(await register.publish(GROUP, TOPIC, database.commit(TOPIC, 2))).toBe(true)
  expect((await register.current(GROUP, TOPIC)).version.seq).toBe(2)
  expect(database.reads).toHaveLength(3)
})

it('believes what a refresher published, without asking Postgres', async () => {
  database.commit(TOPIC, 1)
  const [reader, refresher] = [await startProcess(), await startProcess()]
  await reader.see()
  const announced = reader.log.next('announced')
  await refresh(refresher, 2)
  expect(await announced).toEqual({ kind: 'announced', topic: TOPIC, version: '2.u2' })
  expect(await reader.see()).toBe('2.u2')
  expect(database.reads).toHaveLength(1)
  expect(refresher.log.takeKinds()).toEqual(expect.arrayContaining(['prepared', 'published']))
})

it('asks Postgres while a commit may be under way, before and after it', async () => {
  database.commit(TOPIC, 1)
  const [reader, refresher] = [await startProcess(), await startProcess()]
  await reader.see()
  reader.log.take()
  await refresher.register.prepare(GROUP, TOPIC, { seq: 2, uuid: 'u2' })
  expect(await reader.see()).toBe('1.u1')
  expect(await reader.see()).toBe('1.u1')
  expect(database.reads).toHaveLength(3)
  expect(reader.log.takeKinds()).toEqual(['register-pending', 'register-pending'])

  database.commit(TOPIC, 2)
  expect(await reader.see()).toBe('2.u2')
})

it('settles the preparation of a refresher that died after its commit', async () => {
  database.commit(TOPIC, 1)
  const [reader, refresher] = [await startProcess(), await startProcess()]
  await reader.see()
  await refresher.register.prepare(GROUP, TOPIC, { seq: 2, uuid: 'u2' })
  database.commit(TOPIC, 2)
  reader.log.take()
  expect(await reader.see()).toBe('2.u2')
  expect(reader.log.takeKinds()).toEqual(['register-pending', 'register-repaired'])
  expect(await reader.see()).toBe('2.u2')
  expect(reader.log.take()).toEqual([])
})

it('leaves the preparation of the next refresher alone while it settles the last one', async () => {
  database.commit(TOPIC, 1)
  const [reader, refresher] = [await startProcess(), await startProcess()]
  await refresher.register.prepare(GROUP, TOPIC, { seq: 2, uuid: 'u2' })
  database.commit(TOPIC, 2)
  const held = database.holdNext()
  const seen = reader.see()
  await reader.log.next('register-pending')
  await refresher.register.prepare(GROUP, TOPIC, { seq: 3, uuid: 'u3' })
  held.release()
  expect(await seen).toBe('2.u2')
  expect(await rawFields(reader)).toMatchObject({ v: '2.u2', pend: '3.u3' })
})

it('stays right when a refresher died before its commit, and is quick again after the next', async () => {
  database.commit(TOPIC, 1)
  const [reader, refresher] = [await startProcess(), await startProcess()]
  await refresher.register.prepare(GROUP, TOPIC, { seq: 2, uuid: 'died' })
  expect(await reader.see()).toBe('1.u1')
  await refresh(refresher, 2, 'lived')
  const { length } = database.reads
  expect(await reader.see()).toBe('2.lived')
  expect(database.reads).toHaveLength(length)
})

it('does not let a refresher that was slow to publish set an older state or end another preparation', async () => {
  const [slow, quick] = [await startProcess(), await startProcess()]
  const second = database.commit(TOPIC, 2)
  await refresh(quick, 3)
  await quick.register.prepare(GROUP, TOPIC, { seq: 4, uuid: 'u4' })
  expect(await slow.register.publish(GROUP, TOPIC, second)).toBe(true)
  expect(await rawFields(slow)).toMatchObject({ v: '3.u3', pend: '4.u4' })
})

it('repairs a register that was flushed', async () => {
  database.commit(TOPIC, 1)
  const [reader, refresher] = [await startProcess(), await startProcess()]
  await refresh(refresher, 2)
  expect(await reader.see()).toBe('2.u2')
  await reader.redis.run('test', (connection) => connection.flushall())
  reader.log.take()
  expect(await reader.see()).toBe('2.u2')
  expect(reader.log.takeKinds()).toEqual(['register-unknown', 'register-repaired'])
})

const corruptions: readonly [string, Record<string, string>][] = [
  ['a version that is none', { v: 'two' }],
  ['a state that is not JSON', { cur: '{' }],
  ['a state that is null', { cur: 'null' }],
  ['the state of another version', { cur: '{"version":"9.u9","data":"wrong"}' }],
  ['a state without data', { cur: '{"version":"2.u2"}' }],
]
it.each(corruptions)('repairs a register with %s', async (_, fields) => {
  const process = await startProcess()
  await refresh(process, 2)
  await process.redis.run('test', (connection) => connection.hset(registerKey(GROUP, TOPIC), fields))
  process.log.take()
  expect(await process.see()).toBe('2.u2')
  expect(process.log.take()).toEqual([
    { kind: 'register-unknown', topic: TOPIC, reason: 'corrupt' },
    { kind: 'register-repaired', topic: TOPIC, version: '2.u2' },
  ])
  expect(await process.see()).toBe('2.u2')
  expect(process.log.take()).toEqual([])
})

it('repairs a register that is of another type, or prepared with a version that is none', async () => {
  const process = await startProcess()
  const key = registerKey(GROUP, TOPIC)
  database.commit(TOPIC, 2)
  await process.redis.run('test', (connection) => connection.set(key, 'text'))
  expect(await process.see()).toBe('2.u2')
  await process.redis.run('test', (connection) => connection.hset(key, 'pend', 'soon'))
  expect(await process.see()).toBe('2.u2')
  expect(await rawFields(process)).toEqual({ v: '2.u2', cur: expect.any(String), ep: process.redis.server?.epoch })
})

it('does not believe a register that was written under another server', async () => {
  const process = await startProcess()
  await refresh(process, 2)
  await process.redis.run('test', (connection) => connection.hset(registerKey(GROUP, TOPIC), 'ep', 'before'))
  process.log.take()
  expect(await process.see()).toBe('2.u2')
  expect(process.log.take()).toEqual([
    { kind: 'register-unknown', topic: TOPIC, reason: 'other-server' },
    { kind: 'register-repaired', topic: TOPIC, version: '2.u2' },
  ])
})

describe('the floor', () => {
  it('overrules a register that a refresher could not reach, and it is repaired for all', async () => {
    const [reader, other] = [await startProcess(), await startProcess()]
    await refresh(reader, 2)
    await other.see()
    database.commit(TOPIC, 3)
    // Until a floor is read there is nothing to know better by.
    expect(await reader.see()).toBe('2.u2')
    await reader.register.pollFloor()
    reader.log.take()
    expect(await reader.see()).toBe('3.u3')
    expect(reader.log.take()).toEqual([
      { kind: 'register-unknown', topic: TOPIC, reason: 'behind' },
      { kind: 'register-repaired', topic: TOPIC, version: '3.u3' },
    ])
    expect(await other.see()).toBe('3.u3')
  })

  it('reads all topics with one statement, and nothing before any was asked for', async () => {
    const { register } = await startProcess()
    await register.pollFloor()
    expect(database.reads).toEqual([])
    database.commit('a', 1)
    database.commit('b', 1)
    await Promise.all([register.current(GROUP, 'a'), register.current(GROUP, 'b')])
    await Promise.all([register.pollFloor(), register.pollFloor()])
    expect(database.reads).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ])
  })

  it('tells of a Postgres that cannot be read, and does not reject', async () => {
    const { register, log, see } = await startProcess()
    database.commit(TOPIC, 1)
    await see()
    log.take()
    database.fail(new Error('connection refused'))
    await register.pollFloor()
    expect(log.take()).toEqual([{ kind: 'floor-failed', message: 'connection refused' }])
    // The register alone still answers.
    expect(await see()).toBe('1.u1')
  })

  it.each([
    ['an older number', 3, 'u3'],
    ['the same number and another version', 10, 'other'],
  ])('follows a Postgres that was restored to %s, and sets the register right', async (_, seq, uuid) => {
    const [first, second] = [await startProcess(), await startProcess()]
    await refresh(first, 10)
    await second.see()
    database.commit(TOPIC, seq, uuid)
    await first.register.pollFloor()
    expect(await first.see()).toBe(`${seq}.${uuid}`)
    await second.register.pollFloor()
    expect(await second.see()).toBe(`${seq}.${uuid}`)
    expect(await rawFields(first)).toMatchObject({ v: `${seq}.${uuid}` })
    await refresh(first, seq + 1, 'after')
    expect(await second.see()).toBe(`${seq + 1}.after`)
  })
})

it('publishes over a register that is ahead of the restored Postgres', async () => {
  const [before, after] = [await startProcess(), await startProcess()]
  await refresh(before, 10)
  await refresh(after, 4)
  expect(await after.see()).toBe('4.u4')
})

it('does not go backwards when a slow read of Postgres ends after a quicker, later one', async () => {
  const log = createEventLog()
  const register = new VersionRegister<string>({ readStates: database.readStates, clock, onEvent: log.listen })
  database.commit(TOPIC, 1)
  const held = database.holdNext()
  const slow = register.current(GROUP, TOPIC)
  await new Promise((resolve) => setImmediate(resolve))
  expect(database.reads).toHaveLength(1)
  database.commit(TOPIC, 2)
  expect((await register.current(GROUP, TOPIC)).version.seq).toBe(2)
  held.release()
  expect((await slow).version.seq).toBe(2)
})

it('falls back to Postgres when Redis is killed, and comes back to it when it is started again', async () => {
  const process = await startProcess()
  await refresh(process, 2)
  const down = process.log.next('redis-down')
  await server.kill()
  await down
  process.log.take()
  database.commit(TOPIC, 3)
  expect(await process.see()).toBe('3.u3')
  expect(process.log.takeKinds().filter((kind) => kind !== 'redis-error')).toEqual(['register-unreachable'])

  const ready = process.log.next('redis-ready')
  server = await startRedis({ port: server.port })
  await ready
  expect(await process.see()).toBe('3.u3')
  const { length } = database.reads
  expect(await process.see()).toBe('3.u3')
  expect(database.reads).toHaveLength(length)
})

it('falls back to Postgres at the deadline when Redis is paused', async () => {
  const process = await startProcess()
  await refresh(process, 2)
  process.log.take()
  server.pause()
  database.commit(TOPIC, 3)
  expect(await process.see()).toBe('3.u3')
  expect(process.log.take()).toEqual([
    { kind: 'redis-error', command: 'read registers', message: 'Redis did not answer within 100 ms.' },
    { kind: 'register-unreachable' },
  ])
})

it('says so when it cannot prepare or publish in time, and still believes nothing older', async () => {
  const process = await startProcess(60)
  await refresh(process, 2)
  process.log.take()
  server.pause()
  expect(await process.register.prepare(GROUP, TOPIC, { seq: 3, uuid: 'u3' })).toBe(false)
  expect(await process.register.publish(GROUP, TOPIC, database.commit(TOPIC, 3))).toBe(false)
  expect(process.log.takeKinds().filter((kind) => kind.endsWith('failed'))).toEqual([
    'prepare-failed',
    'publish-failed',
  ])
  server.resume()
  expect(await process.see()).toBe('3.u3')
})

it('publishes when Redis comes back in time', async () => {
  const process = await startProcess()
  await refresh(process, 2)
  const down = process.log.next('redis-down')
  await server.kill()
  await down
  const published = process.register.publish(GROUP, TOPIC, database.commit(TOPIC, 3))
  server = await startRedis({ port: server.port })
  expect(await published).toBe(true)
  expect(await rawFields(process)).toMatchObject({ v: '3.u3' })
})

it('rejects with the error of Postgres when it is needed and down, for that topic alone', async () => {
  const { register, see } = await startProcess()
  database.commit(TOPIC, 1)
  await see()
  database.fail(new Error('connection refused'))
  const [known, unknown] = await Promise.allSettled([see(), register.current(GROUP, 'new')])
  expect(known).toEqual({ status: 'fulfilled', value: '1.u1' })
  expect(unknown).toMatchObject({ status: 'rejected', reason: { message: 'connection refused' } })
})

it('says which topic the database does not know', async () => {
  const { register } = await startProcess()
  await expect(register.current(GROUP, 'nothing')).rejects.toThrow(
    'The database keeps no version of the topic nothing.',
  )
})

it('asks Postgres once after a message about a version that the register does not have', async () => {
  const process = await startProcess()
  await refresh(process, 2)
  const announced = process.log.next('announced')
  await process.redis.run('test', (connection) =>
    connection.publish('aggregraph:versions', JSON.stringify([TOPIC, '7.u7'])),
  )
  await announced
  process.log.take()
  expect(await process.see()).toBe('2.u2')
  expect(await process.see()).toBe('2.u2')
  expect(database.reads).toHaveLength(1)
})

it.each(['', 'null', '[]', '["layout"]', '["layout","x"]', '[1,"2.u2"]'])('ignores the message %p', async (message) => {
  const process = await startProcess()
  const heard = new Promise<void>((resolve) => process.redis.subscribe('marker', () => resolve()))
  await process.redis.run('test', (connection) => connection.publish('aggregraph:versions', message))
  await process.redis.run('test', (connection) => connection.publish('marker', ''))
  await heard
  expect(process.log.take()).toEqual([])
})
