import { UnavailableError } from '../../src/errors'
import { eventually } from '../support/eventually'
import { GROUP, type RegisterProcess, TOPIC } from './register-process'
import { createRegisterWorld } from './register-world'
import { nameOf } from './versions'

const { world, processes } = createRegisterWorld()

/** Asks for a topic whose read of Postgres gets no answer until it is released. */
async function askInVain({ register }: RegisterProcess, topic: string) {
  const { length } = world.database.reads
  const { release } = world.database.holdNext()
  const outcome = settled(register.current(GROUP, topic))
  await eventually(async () => (world.database.reads.length > length ? true : null))
  return { outcome, release }
}

/** What became of a question, so that nobody has to wait for one that fails. */
async function settled(question: ReturnType<RegisterProcess['register']['current']>): Promise<unknown> {
  try {
    const { version, isConfirmed } = await question
    return [nameOf(version), isConfirmed]
  } catch (error) {
    return error
  }
}

describe('while Postgres leaves it without an answer', () => {
  it('answers at once what Redis confirms, beside a topic that it knows nothing of', async () => {
    const process = await processes.start()
    await process.refresh(1)
    world.database.commit('new', 1, 'new')
    await process.see()
    const silent = world.database.holdNext()
    const [known, unknown] = [TOPIC, 'new'].map((topic) => settled(process.register.current(GROUP, topic)))
    expect(await known).toEqual(['1.u1', true])
    silent.release()
    expect(await unknown).toEqual(['1.new', true])
  })

  it('goes on answering what Redis confirms, however many wait for it', async () => {
    const process = await processes.start()
    await process.refresh(1)
    world.database.commit('new', 1, 'new')
    const silent = [await askInVain(process, 'new'), await askInVain(process, 'new')]
    const waiting = settled(process.register.current(GROUP, 'new'))
    expect(await process.see()).toBe('1.u1')
    for (const { release } of silent) release()
    expect(await Promise.all([...silent.map(({ outcome }) => outcome), waiting])).toEqual([
      ['1.new', true],
      ['1.new', true],
      ['1.new', true],
    ])
  })

  it('gives what it knew of a topic in doubt, each on its own, and refuses one that it knows nothing of', async () => {
    const process = await processes.start({ silenceMs: 50 })
    for (const topic of ['a', 'b']) {
      world.database.commit(topic, 1, topic)
      await process.register.current(GROUP, topic)
    }
    await process.redis.run('test', (connection) => connection.flushall())
    const silent = world.database.holdNext()
    const outcomes = ['a', 'new', 'b'].map((topic) => settled(process.register.current(GROUP, topic)))
    expect(await Promise.all(outcomes)).toEqual([['1.a', false], expect.any(UnavailableError), ['1.b', false]])
    silent.release()
  })

  it('holds back no later question for longer than that', async () => {
    const process = await processes.start({ silenceMs: 50 })
    world.database.commit(TOPIC, 1)
    const silent = [await askInVain(process, 'new'), await askInVain(process, 'new')]
    for (const { outcome } of silent) expect(await outcome).toBeInstanceOf(UnavailableError)
    expect(await process.see()).toBe('1.u1')
    for (const { release } of silent) release()
  })

  it('does not go back to what comes late', async () => {
    const process = await processes.start({ silenceMs: 50 })
    world.database.commit(TOPIC, 1)
    const silent = await askInVain(process, TOPIC)
    expect(await silent.outcome).toBeInstanceOf(UnavailableError)
    world.database.commit(TOPIC, 2)
    expect(await process.see()).toBe('2.u2')
    silent.release()
    expect(await process.see()).toBe('2.u2')
    expect(process.register.known(TOPIC)?.version.seq).toBe(2)
  })
})
