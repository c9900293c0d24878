import { registerKey } from '../../src/cache/question'
import { DeadlineError, UnavailableError } from '../../src/errors'
import { ALWAYS } from '../../src/time/stretch'
import { startRedis } from '../support/redis'
import { GROUP, type RegisterProcess, TOPIC } from './register-process'
import { createRegisterWorld, told } from './register-world'
import { nameOf, versionOf } from './versions'

const key = registerKey(GROUP, TOPIC)
const { world, processes } = createRegisterWorld()

function put(process: RegisterProcess, fields: Record<string, string | Buffer>): Promise<unknown> {
  return process.redis.run('test', (connection) => connection.hset(key, fields))
}

it('repairs a register that was flushed', async () => {
  const [reader, refresher] = [await processes.start(), await processes.start()]
  await refresher.refresh(2)
  expect(await reader.see()).toBe('2.u2')
  await reader.redis.run('test', (connection) => connection.flushall())
  reader.log.take()
  expect(await reader.see()).toBe('2.u2')
  expect(reader.log.takeKinds()).toEqual(['register-unknown', 'register-repaired'])
})

const whole = { version: '2.u2------', changes: [[null, null, '2.u2------']], lineage: 'u2------', data: 'wrong' }
const corruptions: readonly [string, Record<string, string | Buffer>][] = [
  ['a version that is none', { v: 'two' }],
  ['a version without a name', { v: '99.' }],
  ['a version with a zero before it', { v: '099.u' }],
  ['a version with a sign in its name', { v: '99.u u' }],
  ['a version larger than numbers are exact', { v: '9007199254740993.u' }],
  ['a version that is not text', { v: Buffer.from([0x39, 0x39, 0x2e, 0xff, 0x80]) }],
  ['an empty version', { v: '' }],
  ['an empty version, and a preparation', { v: '', pend: 'soon', pst: '[]' }],
  ...[
    ['not JSON', '{'],
    ['null', 'null'],
    ['a list', '[]'],
    ['of another version', JSON.stringify({ ...whole, version: '9.u9------' })],
    ['without data', JSON.stringify({ ...whole, data: undefined })],
    ['without changes', JSON.stringify({ ...whole, changes: undefined })],
    ['of changes that are none', JSON.stringify({ ...whole, changes: [[0, 'x', '1.u']] })],
    ['of changes by no version', JSON.stringify({ ...whole, changes: [[null, null, 'x']] })],
    ['of an empty list of changes', JSON.stringify({ ...whole, changes: [] })],
    ['of a lineage that is none', JSON.stringify({ ...whole, lineage: 7 })],
    ['that was altered', JSON.stringify(whole)],
    ['of the lineage of another version', JSON.stringify({ ...whole, lineage: 'u1------' })],
  ].map(([name, cur]): [string, Record<string, string>] => [`a state ${name}`, { cur: String(cur) }]),
]
it.each(corruptions)('repairs a register with %s', async (_, fields) => {
  const [writer, reader] = [await processes.start(), await processes.start()]
  await writer.refresh(2)
  await put(writer, fields)
  expect(await reader.see()).toBe('2.u2')
  expect(reader.log.take()).toEqual(
    expect.arrayContaining([
      { kind: 'register-unknown', topic: TOPIC, reason: 'corrupt' },
      { kind: 'register-repaired', ...told(2) },
    ]),
  )
  expect(await reader.see()).toBe('2.u2')
  expect(reader.log.take()).toEqual([])
})

it('repairs a register that is of another type, or prepared with a version that is none', async () => {
  const process = await processes.start()
  world.database.commit(TOPIC, 2)
  await process.redis.run('test', (connection) => connection.set(key, 'text'))
  expect(await process.see()).toBe('2.u2')
  await put(process, { pend: 'soon' })
  expect(await process.settle()).toBe('2.u2')
  expect(Object.keys(await process.fields()).sort()).toEqual(['cur', 'ep', 'sum', 'v'])
})

it('does not believe a register that was written under another server', async () => {
  const process = await processes.start()
  await process.refresh(2)
  await put(process, { ep: 'before' })
  process.log.take()
  expect(await process.see()).toBe('2.u2')
  expect(process.log.take()).toEqual([
    { kind: 'register-unknown', topic: TOPIC, reason: 'other-server' },
    { kind: 'register-repaired', ...told(2) },
  ])
})

it('does not believe a register of an old dump under a new server, however plausible', async () => {
  const [reader, fresh] = [await processes.start(), await processes.start()]
  await reader.refresh(1)
  const old = await reader.fields()
  await reader.refresh(2)
  const down = [reader.log.next('redis-down'), fresh.log.next('redis-down')]
  await world.server.kill()
  await Promise.all(down)
  const ready = [reader.log.next('redis-ready'), fresh.log.next('redis-ready')]
  world.server = await startRedis({ port: world.server.port })
  await Promise.all(ready)
  await put(reader, old)
  expect(await fresh.see()).toBe('2.u2')
  expect(await reader.see()).toBe('2.u2')
})

it('falls back to Postgres when Redis is killed, and comes back to it when it is started again', async () => {
  const process = await processes.start()
  await process.refresh(2)
  const down = process.log.next('redis-down')
  await world.server.kill()
  await down
  process.log.take()
  world.database.commit(TOPIC, 3)
  expect(await process.see()).toBe('3.u3')
  expect(process.log.takeKinds().filter((kind) => kind !== 'redis-error')).toEqual(['register-unreachable'])

  const ready = process.log.next('redis-ready')
  world.server = await startRedis({ port: world.server.port })
  await ready
  expect(await process.see()).toBe('3.u3')
  const { length } = world.database.reads
  expect(await process.see()).toBe('3.u3')
  expect(world.database.reads).toHaveLength(length)
})

it('falls back to Postgres at the deadline when Redis is paused', async () => {
  const process = await processes.start()
  await process.refresh(2)
  process.log.take()
  world.server.pause()
  world.database.commit(TOPIC, 3)
  expect(await process.see()).toBe('3.u3')
  expect(process.log.take()).toEqual([
    { kind: 'redis-error', command: 'read registers', message: 'Redis did not answer within 100 ms.' },
    { kind: 'register-unreachable' },
  ])
})

it('says so when it cannot prepare or publish in time, and still believes nothing older', async () => {
  const process = await processes.start({ retryMs: 60 })
  await process.refresh(2)
  process.log.take()
  world.server.pause()
  expect(await process.register.prepare(GROUP, TOPIC, versionOf(3), [ALWAYS])).toBe(false)
  expect(await process.register.publish(GROUP, TOPIC, world.database.commit(TOPIC, 3))).toBe(false)
  expect(process.log.takeKinds().filter((kind) => kind.endsWith('failed'))).toEqual([
    'prepare-failed',
    'publish-failed',
  ])
  world.server.resume()
  expect(await process.see()).toBe('3.u3')
})

it('publishes when Redis comes back in time, and leaves it to readers to fill a register that was lost', async () => {
  const process = await processes.start()
  await process.refresh(2)
  const down = process.log.next('redis-down')
  await world.server.kill()
  await down
  const published = process.register.publish(GROUP, TOPIC, world.database.commit(TOPIC, 3))
  world.server = await startRedis({ port: world.server.port })
  expect(await published).toBe(true)
  expect(await process.fields()).not.toHaveProperty('v')
  expect(await process.see()).toBe('3.u3')
  expect(await process.fields()).toMatchObject({ v: told(3).version })
})

it('is believed by nobody after a preparation that a full Redis has no room for', async () => {
  const [reader, refresher] = [await processes.start({ retryMs: 60 }), await processes.start({ retryMs: 60 })]
  await refresher.refresh(1)
  await reader.see()
  await refresher.redis.run('test', (connection) => connection.config('SET', 'maxmemory', '1'))
  await refresher.refresh(2)
  expect(await reader.see()).toBe('2.u2')
  await refresher.redis.run('test', (connection) => connection.config('SET', 'maxmemory', '0'))
  expect(await reader.see()).toBe('2.u2')
  expect(await reader.fields()).toMatchObject({ v: told(2).version })
})

it.each([
  ['away', new UnavailableError()],
  ['too slow', new DeadlineError()],
])('gives what it knew, as not confirmed, while Redis is gone and Postgres is %s', async (_, error) => {
  const process = await processes.start()
  await process.refresh(2)
  await process.see()
  const down = process.log.next('redis-down')
  await world.server.kill()
  await down
  world.database.fail(error)
  const state = await process.register.current(GROUP, TOPIC)
  expect([nameOf(state.version), state.isConfirmed]).toEqual(['2.u2', false])
  await expect(process.register.current(GROUP, 'new')).rejects.toBe(error)
  world.database.fail(null)
  expect(await process.register.pollFloor()).toBe(true)
  expect(await process.register.current(GROUP, TOPIC)).toMatchObject({ isConfirmed: true })
})

it('asks a Postgres that is away every second, and not for each question of what it knows', async () => {
  let now = 0
  const process = await processes.start({ clock: () => now })
  await process.refresh(2)
  await process.see()
  await process.redis.run('test', (connection) => connection.flushall())
  const held = world.database.holdNext()
  world.database.fail(new UnavailableError())
  const first = process.see()
  held.release()
  expect(await first).toBe('2.u2')
  const { length } = world.database.reads
  const polling = world.database.holdNext()
  for (let i = 0; i < 5; i++) expect(await process.see()).toBe('2.u2')
  expect(world.database.reads.length - length).toBe(1)
  polling.release()
  now = 1_000
  world.database.fail(null)
  await process.register.pollFloor()
  await process.register.pollFloor()
  expect(await process.register.current(GROUP, TOPIC)).toMatchObject({ isConfirmed: true })
})

it('does not hide a fault of ours behind what it knew', async () => {
  const process = await processes.start()
  await process.refresh(2)
  const down = process.log.next('redis-down')
  await world.server.kill()
  await down
  world.database.fail(new Error('column does not exist'))
  await expect(process.see()).rejects.toThrow('column does not exist')
})

it('rejects with the error of Postgres when it is needed and down, for that topic alone', async () => {
  const { register, see } = await processes.start()
  world.database.commit(TOPIC, 1)
  await see()
  const error = new UnavailableError()
  world.database.fail(error)
  const [known, unknown] = await Promise.allSettled([see(), register.current(GROUP, 'new')])
  expect(known).toEqual({ status: 'fulfilled', value: '1.u1' })
  expect(unknown).toMatchObject({ status: 'rejected', reason: error })
})

it('asks Postgres once after a message about a version that the register does not have', async () => {
  const process = await processes.start()
  await process.refresh(2)
  const announced = process.log.next('announced')
  await process.redis.run('test', (connection) =>
    connection.publish('aggregraph:versions', JSON.stringify([TOPIC, '7.u7'])),
  )
  await announced
  process.log.take()
  expect(await process.see()).toBe('2.u2')
  expect(await process.see()).toBe('2.u2')
  expect(world.database.reads).toHaveLength(1)
})

it.each(['', 'null', '[]', '["layout"]', '["layout","x"]', '[1,"2.u2"]'])('ignores the message %p', async (message) => {
  const process = await processes.start()
  const heard = new Promise<void>((resolve) => process.redis.subscribe('marker', () => resolve()))
  await process.redis.run('test', (connection) => connection.publish('aggregraph:versions', message))
  await process.redis.run('test', (connection) => connection.publish('marker', ''))
  await heard
  expect(process.log.take()).toEqual([])
})
