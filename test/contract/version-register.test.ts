import { registerKey } from '../../src/cache/question'
import { VersionRegister } from '../../src/cache/version-register'
import { ALWAYS } from '../../src/time/stretch'
import { createEventLog } from './event-log'
import { GROUP, type RegisterProcess, TOPIC } from './register-process'
import { createRegisterWorld, told } from './register-world'
import { nameOf, versionOf } from './versions'

const JANUARY = { from: 0, to: 100 }
const FEBRUARY = { from: 100, to: 200 }
const { world, processes } = createRegisterWorld()

function createLocal() {
  const log = createEventLog()
  const { readStates } = world.database
  return new VersionRegister<string>({ readStates, clock: () => 0, onEvent: log.listen })
}

it('asks Postgres once for a topic that Redis does not know, for all processes', async () => {
  world.database.commit(TOPIC, 1)
  const [first, second] = [await processes.start(), await processes.start()]
  expect(await first.see()).toBe('1.u1')
  expect(await second.see()).toBe('1.u1')
  expect(await first.see()).toBe('1.u1')
  expect(world.database.reads).toEqual([[TOPIC]])
  expect(first.log.take()).toEqual([
    { kind: 'register-unknown', topic: TOPIC, reason: 'absent' },
    { kind: 'register-repaired', ...told(1) },
  ])
  expect(second.log.take()).toEqual([])
})

it('shares one read among all questions of one turn, whatever their topics', async () => {
  world.database.commit('a', 1)
  world.database.commit('b', 2)
  const { register } = await processes.start()
  const topics = ['a', 'b', 'a', 'b', 'a']
  const states = await Promise.all(topics.map((topic) => register.current(GROUP, topic)))
  expect(states.map(({ version }) => version.seq)).toEqual([1, 2, 1, 2, 1])
  expect(world.database.reads).toEqual([['a', 'b']])
})

it('asks Redis once a turn for versions it knows, and for a state only when it is new', async () => {
  const [reader, refresher] = [await processes.start(), await processes.start()]
  await refresher.refresh(1)
  await reader.see()
  const count = async (act: () => Promise<unknown>): Promise<string[]> => {
    await reader.redis.run('test', (connection) => connection.config('RESETSTAT'))
    await act()
    const stats = await reader.redis.run('test', (connection) => connection.info('commandstats'))
    const calls = [...stats.matchAll(/cmdstat_(hmget|hget|hgetall|evalsha|eval):calls=(\d+)/g)]
    return calls.map(([, name, times]) => `${name} ${times}`)
  }
  expect(await count(() => Promise.all([reader.see(), reader.see(), reader.see()]))).toEqual(['hmget 1'])
  await refresher.refresh(2)
  expect(await count(() => reader.see())).toEqual(['hmget 2'])
  expect(await count(() => reader.see())).toEqual(['hmget 1'])
  expect(world.database.reads).toEqual([])
})

it('begins its read after every question of the turn was asked', async () => {
  world.database.commit(TOPIC, 1)
  const register = createLocal()
  const early = register.current(GROUP, TOPIC)
  world.database.commit(TOPIC, 2)
  const late = register.current(GROUP, TOPIC)
  expect((await early).version.seq).toBe(2)
  expect((await late).version.seq).toBe(2)
  expect(world.database.reads).toHaveLength(1)
})

it('asks Postgres each turn without Redis, and has nothing to prepare or publish', async () => {
  world.database.commit(TOPIC, 1)
  const register = createLocal()
  await register.current(GROUP, TOPIC)
  await register.current(GROUP, TOPIC)
  expect(await register.prepare(GROUP, TOPIC, versionOf(2), [ALWAYS])).toBe(true)
  expect(await register.publish(GROUP, TOPIC, world.database.commit(TOPIC, 2))).toBe(true)
  expect((await register.current(GROUP, TOPIC)).version.seq).toBe(2)
  expect(world.database.reads).toHaveLength(3)
})

it('believes what a refresher published, with its history, without asking Postgres', async () => {
  world.database.commit(TOPIC, 1)
  const [reader, refresher] = [await processes.start(), await processes.start()]
  await reader.see()
  const announced = reader.log.next('announced')
  await refresher.refresh(2, 'u2', [JANUARY])
  expect(await announced).toEqual({ kind: 'announced', ...told(2) })
  const state = await reader.register.current(GROUP, TOPIC)
  expect(nameOf(state.version)).toBe('2.u2')
  expect(state.history).toEqual({
    changes: [
      { from: Number.NEGATIVE_INFINITY, to: 0, version: versionOf(1) },
      { ...JANUARY, version: versionOf(2) },
      { from: 100, to: Number.POSITIVE_INFINITY, version: versionOf(1) },
    ],
    lineage: 'u2------u1------',
  })
  expect(world.database.reads).toHaveLength(1)
  expect(refresher.log.takeKinds()).toEqual(expect.arrayContaining(['prepared', 'published']))
})

it('tells of a commit under way over its stretches, and goes on without Postgres over all others', async () => {
  world.database.commit(TOPIC, 1)
  const [reader, refresher] = [await processes.start(), await processes.start()]
  await reader.see()
  reader.log.take()
  await refresher.register.prepare(GROUP, TOPIC, versionOf(2), [JANUARY])
  const state = await reader.register.current(GROUP, TOPIC)
  expect([nameOf(state.version), state.pending]).toEqual(['1.u1', [JANUARY]])
  const depend = (stretches: readonly (typeof JANUARY)[]) => [
    { group: GROUP, topic: TOPIC, version: versionOf(1), stretches },
  ]
  expect(await reader.register.confirms(depend([FEBRUARY]))).toBe(true)
  expect(await reader.register.confirms(depend([FEBRUARY, JANUARY]))).toBe(false)
  expect(world.database.reads).toHaveLength(1)
  expect(new Set(reader.log.takeKinds())).toEqual(new Set(['register-pending']))
})

it('takes a preparation whose stretches cannot be read for one of all time', async () => {
  const process = await processes.start()
  await process.refresh(1)
  await process.register.prepare(GROUP, TOPIC, versionOf(2), [JANUARY])
  for (const written of ['', '[', '{}', '[[1]]', '[[2,1]]', '[["a","b"]]', '[[0,100],7]']) {
    await process.redis.run('test', (connection) => connection.hset(registerKey(GROUP, TOPIC), 'pst', written))
    expect((await process.register.current(GROUP, TOPIC)).pending).toEqual([ALWAYS])
  }
})

it('asks Postgres while a commit may be under way, before and after it', async () => {
  world.database.commit(TOPIC, 1)
  const [reader, refresher] = [await processes.start(), await processes.start()]
  await reader.see()
  const unlock = await world.database.lockForPublishing(TOPIC)
  await refresher.register.prepare(GROUP, TOPIC, versionOf(2), [JANUARY])
  reader.log.take()
  expect(await reader.settle()).toBe('1.u1')
  expect(await refresher.fields()).toMatchObject({ v: told(1).version, pend: told(2).version })
  expect(reader.log.takeKinds()).toEqual(['register-pending'])

  world.database.commit(TOPIC, 2, 'u2', [JANUARY])
  expect(await reader.settle()).toBe('2.u2')
  // From then on this process believes no register that is older.
  expect(await reader.see()).toBe('2.u2')
  expect(await refresher.fields()).toMatchObject({ v: told(1).version, pend: told(2).version })
  unlock()
})

it.each([
  ['before its commit', false, '1.u1'],
  ['after its commit', true, '2.u2'],
])('settles the preparation of a refresher that died %s', async (_, isCommitted, version) => {
  world.database.commit(TOPIC, 1)
  const [reader, refresher] = [await processes.start(), await processes.start()]
  await reader.see()
  await refresher.register.prepare(GROUP, TOPIC, versionOf(2), [JANUARY])
  if (isCommitted) world.database.commit(TOPIC, 2)
  reader.log.take()
  expect(await reader.settle()).toBe(version)
  expect(reader.log.takeKinds()).toEqual(['register-pending', 'register-repaired'])
  expect(Object.keys(await reader.fields()).sort()).toEqual(['cur', 'ep', 'sum', 'v'])
  const { length } = world.database.reads
  expect(await reader.see()).toBe(version)
  expect(reader.log.take()).toEqual([])
  expect(world.database.reads).toHaveLength(length)
})

it('leaves the preparation of the next refresher alone while it settles the last one', async () => {
  world.database.commit(TOPIC, 1)
  const [reader, refresher] = [await processes.start(), await processes.start()]
  await refresher.register.prepare(GROUP, TOPIC, versionOf(2), [ALWAYS])
  world.database.commit(TOPIC, 2)
  const held = world.database.holdNext()
  const seen = reader.see()
  await reader.log.next('register-pending')
  await refresher.register.prepare(GROUP, TOPIC, versionOf(3), [ALWAYS])
  held.release()
  expect(await seen).toBe('2.u2')
  expect(await reader.fields()).toMatchObject({ v: told(2).version, pend: told(3).version })
})

it('does not let a refresher that was slow to publish set an older state or end another preparation', async () => {
  const [slow, quick] = [await processes.start(), await processes.start()]
  const second = world.database.commit(TOPIC, 2)
  await quick.refresh(3)
  await quick.register.prepare(GROUP, TOPIC, versionOf(4), [ALWAYS])
  expect(await slow.register.publish(GROUP, TOPIC, second)).toBe(true)
  expect(await slow.fields()).toMatchObject({ v: told(3).version, pend: told(4).version })
})

it('drops a register that a preparation does not follow: it has missed a commit, or is of another database', async () => {
  const [reader, refresher] = [await processes.start(), await processes.start()]
  await refresher.refresh(1)
  await reader.see()
  await refresher.register.prepare(GROUP, TOPIC, versionOf(3), [JANUARY])
  expect(Object.keys(await reader.fields()).sort()).toEqual(['pend', 'pst'])
})

it('keeps the register of a lost one from being filled anew before the commit that was prepared in it', async () => {
  const [reader, other, refresher] = [await processes.start(), await processes.start(), await processes.start()]
  await refresher.refresh(1)
  await reader.see()
  for (const lose of ['flushall', 'del'] as const) {
    const { seq } = (await reader.register.current(GROUP, TOPIC)).version
    const unlock = await world.database.lockForPublishing(TOPIC)
    await refresher.register.prepare(GROUP, TOPIC, versionOf(seq + 1), [JANUARY])
    await reader.redis.run('test', (connection) =>
      lose === 'flushall' ? connection.call('FLUSHALL') : connection.call('DEL', registerKey(GROUP, TOPIC)),
    )
    expect(await reader.see()).toBe(`${seq}.u${seq}`)
    // What was read before the commit must not outlive it here: other readers believe what they find.
    expect(await reader.fields()).toEqual({})
    const state = world.database.commit(TOPIC, seq + 1, undefined, [JANUARY])
    expect(await other.see()).toBe(`${seq + 1}.u${seq + 1}`)
    unlock()
    await refresher.register.publish(GROUP, TOPIC, state)
    expect(await reader.see()).toBe(`${seq + 1}.u${seq + 1}`)
  }
})

it('has a refresher wait for a reader that is repairing, so that what is repaired is older than the preparation', async () => {
  world.database.commit(TOPIC, 1)
  const [reader, refresher] = [await processes.start(), await processes.start()]
  const held = world.database.holdNext()
  const seen = reader.see()
  while (world.database.reads.length === 0) await new Promise((resolve) => setImmediate(resolve))
  const refreshed = refresher.refresh(2)
  held.release()
  expect(await seen).toBe('1.u1')
  await refreshed
  expect(await reader.see()).toBe('2.u2')
})

describe('of newer data of one version', () => {
  const dataOf = async ({ register }: RegisterProcess) => (await register.current(GROUP, TOPIC)).data
  const change = (data: string) => {
    const state = { ...world.database.commit(TOPIC, 1), data }
    world.database.restore(TOPIC, state)
    return state
  }

  it('hears from the register', async () => {
    const [reader, refresher] = [await processes.start(), await processes.start()]
    await refresher.refresh(1)
    expect(await dataOf(reader)).toBe('data of 1.u1')
    await refresher.register.publish(GROUP, TOPIC, change('newer'))
    expect([await dataOf(reader), await dataOf(refresher)]).toEqual(['newer', 'newer'])
  })

  it('hears from the floor, and does not go back to what the register says', async () => {
    const reader = await processes.start()
    world.database.commit(TOPIC, 1)
    // It writes the register, and has never read the state of one.
    await reader.see()
    change('newer')
    await reader.register.pollFloor()
    expect(reader.register.known(TOPIC)?.data).toBe('newer')
    expect(await dataOf(reader)).toBe('newer')
  })
})

it('says which topic the database does not know', async () => {
  const { register } = await processes.start()
  await expect(register.current(GROUP, 'nothing')).rejects.toThrow(
    'The database keeps no version of the topic nothing.',
  )
})

it('tells who listens of every state that takes the place of another, once', async () => {
  const [reader, refresher] = [await processes.start(), await processes.start()]
  const heard: string[] = []
  reader.register.onNewState((group, topic, { version }) => heard.push(`${group} ${topic} ${nameOf(version)}`))
  await refresher.refresh(1)
  await reader.see()
  await reader.see()
  await refresher.refresh(2)
  await Promise.all([reader.see(), reader.see()])
  await reader.settle()
  expect(heard).toEqual(['flights layout 2.u2'])
})
