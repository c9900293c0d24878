import { VersionRegister } from '../../src/cache/version-register'
import { ALWAYS } from '../../src/time/stretch'
import { turn } from './readings'
import { GROUP, TOPIC } from './register-process'
import { createRegisterWorld, told } from './register-world'
import { versionOf } from './versions'

const { world, processes } = createRegisterWorld()

describe('the floor', () => {
  it('overrules a register that a refresher could not reach, and it is repaired for all', async () => {
    const [reader, other] = [await processes.start(), await processes.start()]
    await reader.refresh(2)
    await other.see()
    world.database.commit(TOPIC, 3)
    // Until a floor is read there is nothing to know better by.
    expect(await reader.see()).toBe('2.u2')
    expect(await reader.register.pollFloor()).toBe(true)
    reader.log.take()
    expect(await reader.see()).toBe('3.u3')
    expect(reader.log.take()).toEqual([
      { kind: 'register-unknown', topic: TOPIC, reason: 'behind' },
      { kind: 'register-repaired', ...told(3) },
    ])
    expect(await other.see()).toBe('3.u3')
  })

  it('reads all topics with one statement, and nothing before any was asked for', async () => {
    const { register, log } = await processes.start()
    expect(await register.pollFloor()).toBe(true)
    expect(world.database.reads).toEqual([])
    world.database.commit('a', 1)
    world.database.commit('b', 1)
    await Promise.all([register.current(GROUP, 'a'), register.current(GROUP, 'b')])
    world.database.commit('b', 2)
    world.database.commit('b', 3)
    log.take()
    await Promise.all([register.pollFloor(), register.pollFloor()])
    expect(world.database.reads.slice(1)).toEqual([['a', 'b']])
    expect(log.take()).toEqual([
      { kind: 'floor', topic: 'a', lag: 0 },
      { kind: 'floor', topic: 'b', lag: 2 },
    ])
  })

  it('tells of a Postgres that cannot be read; the register still answers, as not confirmed, until it can', async () => {
    const { register, log, see } = await processes.start()
    world.database.commit(TOPIC, 1)
    await see()
    log.take()
    world.database.fail(new Error('connection refused'))
    expect(await register.pollFloor()).toBe(false)
    expect(log.take()).toEqual([{ kind: 'floor-failed', message: 'connection refused' }])
    expect(await see()).toBe('1.u1')
    expect(await register.current(GROUP, TOPIC)).toMatchObject({ isConfirmed: false })
    const dependency = { group: GROUP, topic: TOPIC, version: versionOf(1), stretches: [ALWAYS] }
    expect(await register.confirms([dependency])).toBe(false)
    world.database.fail(null)
    expect(await register.pollFloor()).toBe(true)
    expect(await register.current(GROUP, TOPIC)).toMatchObject({ isConfirmed: true })
    expect(await register.confirms([dependency])).toBe(true)
  })

  it('confirms nothing while Postgres leaves it without an answer', async () => {
    const { register } = await processes.start({ silenceMs: 50 })
    world.database.commit(TOPIC, 1)
    const isConfirmed = async () => (await register.current(GROUP, TOPIC)).isConfirmed
    expect(await isConfirmed()).toBe(true)
    const silent = world.database.holdNext()
    expect(await register.pollFloor()).toBe(false)
    expect(await isConfirmed()).toBe(false)
    silent.release()
    expect(await register.pollFloor()).toBe(true)
    expect(await isConfirmed()).toBe(true)
  })

  it.each([
    ['an older number', 3, 'u3'],
    ['the same number and another version', 10, 'other'],
  ])('follows a Postgres that was restored to %s, and sets the register right', async (_, seq, name) => {
    const [first, second] = [await processes.start(), await processes.start()]
    await first.refresh(10)
    await second.see()
    world.database.commit(TOPIC, seq, name)
    await first.register.pollFloor()
    expect(await first.see()).toBe(`${seq}.${name}`)
    await second.register.pollFloor()
    expect(await second.see()).toBe(`${seq}.${name}`)
    expect(await first.fields()).toMatchObject({ v: `${seq}.${versionOf(seq, name).uuid}` })
    await first.refresh(seq + 1, 'after')
    expect(await second.see()).toBe(`${seq + 1}.after`)
  })
})

it('publishes over a register that is ahead of the restored Postgres', async () => {
  const [before, after] = [await processes.start(), await processes.start()]
  await before.refresh(10)
  await after.refresh(4)
  expect(await after.see()).toBe('4.u4')
  expect(await before.see()).toBe('4.u4')
})

it('does not go backwards when a slow read of Postgres ends after a quicker, later one', async () => {
  const { readStates } = world.database
  const register = new VersionRegister<string>({ readStates, clock: () => 0, onEvent: () => undefined })
  world.database.commit(TOPIC, 1)
  const held = world.database.holdNext()
  const slow = register.current(GROUP, TOPIC)
  while (world.database.reads.length === 0) await turn()
  world.database.commit(TOPIC, 2)
  expect((await register.current(GROUP, TOPIC)).version.seq).toBe(2)
  held.release()
  expect((await slow).version.seq).toBe(2)
})
