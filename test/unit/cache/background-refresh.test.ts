import { Background } from '../../../src/cache/background'
import { CacheService } from '../../../src/cache/cache-service'
import { createMemoryStore } from '../../../src/cache/memory-store'
import { entryKey } from '../../../src/cache/question'
import type { Loaded } from '../../../src/cache/reading'
import { OverloadedError, UnavailableError } from '../../../src/errors'
import { createEventLog } from '../../contract/event-log'
import { ask, defer, loaded, pin, states } from '../../contract/readings'
import { follow, versionOf } from '../../contract/versions'

const JANUARY = { from: 0, to: 100 }
const FEBRUARY = { from: 100, to: 200 }
const [first] = states(1) as [ReturnType<typeof follow>]

/** A process without Redis whose clock and chance the test decides; its loads take a second unless told otherwise. */
function create() {
  const chance = { value: 0, hasRoom: true, loadSeconds: 1 }
  let now = 0
  const clock = () => now
  const log = createEventLog()
  const background = new Background(log.listen)
  const memory = createMemoryStore({ maxBytes: 1_000_000, clock })
  const cache = new CacheService({
    memory,
    background,
    clock,
    random: () => chance.value,
    hasRoom: () => chance.hasRoom,
    onEvent: log.listen,
  })
  const pass = (seconds: number) => {
    now += seconds * 1000
  }
  const loads: string[] = []
  const load =
    (state = first, text = 'x') =>
    async (): Promise<Loaded<string>> => {
      loads.push(text)
      pass(chance.loadSeconds)
      return loaded(state, text)
    }
  return { cache, log, pass, memory, background, chance, loads, load }
}

it.each([
  ['300 s by default', 0, undefined, 300],
  ['a tenth less at most', 0.999_999, undefined, 270.001],
  ['no longer than ever because a read allows more', 0, 900, 300],
])(
  'takes an entry for fresh for %s, then serves it while it is made anew once',
  async (_, random, ttlSeconds, seconds) => {
    const { cache, log, pass, background, chance, load, loads } = create()
    chance.value = random
    const read = () => cache.read(ask(load(), { ttlSeconds }), pin(first))
    await read()
    Object.assign(chance, { value: 0, loadSeconds: 0.1 })
    pass(seconds - 0.01)
    expect((await read()).outcome).toBe('memory')
    expect(background.size).toBe(0)
    pass(0.02)
    expect((await Promise.all([read(), read(), read()])).map(({ outcome }) => outcome)).toEqual(Array(3).fill('memory'))
    await background.drain()
    expect(loads).toHaveLength(2)
    expect(log.take()).toContainEqual({ kind: 'refreshed', key: entryKey(ask(load()).question), reason: 'expired' })
    expect((await read()).outcome).toBe('memory')
    expect(background.size).toBe(0)
  },
)

it('forgets an entry when the read allows no more time, since nobody will ask it again', async () => {
  const { cache, pass, load } = create()
  const read = () => cache.read(ask(load(), { ttlSeconds: 7.5 }), pin(first))
  await read()
  pass(7.49)
  expect((await read()).outcome).toBe('memory')
  pass(0.02)
  expect((await read()).outcome).toBe('loaded')
})

it('answers without keeping when the read allows no time', async () => {
  const { cache, log, load } = create()
  const read = () => cache.read(ask(load(), { ttlSeconds: 0 }), pin(first))
  expect((await read()).value).toBe('x')
  expect((await read()).outcome).toBe('loaded')
  expect(log.takeKinds()).toContain('not-stored')
})

it.each([
  // -ln(1 - random) seconds before its end, for a load of one second.
  ['long before its end', 290, 0.99, false],
  ['near its end, by chance', 296, 0.99, true],
  ['near its end, by the other chance', 296, 0.5, false],
  ['just before its end', 299.5, 0.5, true],
])('is made anew %s: %d s, chance %d: %s', async (_, seconds, random, isMade) => {
  const { cache, log, pass, background, chance, load, loads } = create()
  await cache.read(ask(load()), pin(first))
  pass(seconds)
  chance.value = random
  await cache.read(ask(load()), pin(first))
  await background.drain()
  expect(loads.length === 2).toBe(isMade)
  expect(log.take().some((event) => event.kind === 'refreshed' && event.reason === 'early')).toBe(isMade)
})

it('has one load of an entry in the background at a time, however slow', async () => {
  const { cache, pass, background, load } = create()
  await cache.read(ask(load()), pin(first))
  pass(400)
  const slow = defer<Loaded<string>>()
  for (let i = 0; i < 3; i++) {
    expect((await cache.read(ask(slow.begin), pin(first))).outcome).toBe('memory')
    pass(2)
  }
  expect(slow.count()).toBe(1)
  slow.resolve(loaded(first, 'x'))
  await background.drain()
})

it('makes nothing anew while there is no room, or at a state that is not confirmed', async () => {
  const { cache, pass, background, chance, load, loads } = create()
  await cache.read(ask(load()), pin(first))
  pass(400)
  chance.hasRoom = false
  expect((await cache.read(ask(load()), pin(first))).outcome).toBe('memory')
  chance.hasRoom = true
  expect((await cache.read(ask(load()), pin(first, { isConfirmed: false }))).outcome).toBe('stale')
  expect(background.size).toBe(0)
  expect(loads).toHaveLength(1)
  // Once there is room again, it is.
  await cache.read(ask(load()), pin(first))
  await background.drain()
  expect(loads).toHaveLength(2)
})

it('tells of a load in the background that fails, serves what it has, and tries again a second later', async () => {
  const { cache, log, pass, background, load } = create()
  await cache.read(ask(load()), pin(first))
  pass(400)
  log.take()
  const failing = ask(() => Promise.reject(new Error('a fault of ours')))
  const failures = () => log.take().filter(({ kind }) => kind === 'background-failed')
  for (let i = 0; i < 3; i++) expect((await cache.read(failing, pin(first))).outcome).toBe('memory')
  await background.drain()
  expect(failures()).toEqual([{ kind: 'background-failed', work: 'refresh an entry', message: 'a fault of ours' }])
  pass(1)
  await cache.read(failing, pin(first))
  await background.drain()
  expect(failures()).toHaveLength(1)
})

describe('after a new version', () => {
  it('warms what was asked more than once and what the version changed, and nothing else', async () => {
    const { cache, log, background, load, loads } = create()
    const read = (text: string, stretch = FEBRUARY) => cache.read(ask(load(first, text), { text, stretch }), pin(first))
    for (const text of ['busy', 'busy', 'busy', 'seldom', 'closed'])
      await read(text, text === 'closed' ? JANUARY : FEBRUARY)
    await read('closed', JANUARY)
    loads.length = 0
    log.take()
    cache.warm('another layout', pin(first))
    expect(background.size).toBe(0)
    cache.warm('layout', pin(follow(first, versionOf(2), [FEBRUARY])))
    await background.drain()
    expect(loads).toEqual(['busy'])
    const key = entryKey(ask(load(), { text: 'busy' }).question)
    expect(log.take()).toContainEqual({ kind: 'refreshed', key, reason: 'warmed' })
  })

  it('serves what it has warmed from memory', async () => {
    const { cache, background, load } = create()
    const second = follow(first, versionOf(2))
    let current = first
    const reading = ask(() => load(current, current.data)())
    await cache.read(reading, pin(first))
    await cache.read(reading, pin(first))
    current = second
    cache.warm('layout', pin(second))
    await background.drain()
    expect(await cache.read(reading, pin(second))).toEqual({ ...loaded(second, 'data of 2.u2'), outcome: 'memory' })
  })

  it('warms nothing while there is no room', async () => {
    const { cache, background, chance, load } = create()
    const reading = ask(load())
    await cache.read(reading, pin(first))
    await cache.read(reading, pin(first))
    chance.hasRoom = false
    cache.warm('layout', pin(follow(first, versionOf(2))))
    expect(background.size).toBe(0)
  })
})

it('remembers as busy what it has answered, and nothing that nobody could answer', async () => {
  const { cache } = create()
  const away = { ...pin(first), isConfirmed: false }
  const refused = ask(() => Promise.reject(new OverloadedError()))
  await expect(cache.read(refused, away)).rejects.toThrow(UnavailableError)
  await expect(cache.read(refused, pin(first))).rejects.toThrow(OverloadedError)
  expect(cache.pickRecent()).toBeNull()
  const answered = ask(async () => loaded(first, 1))
  await cache.read(answered, pin(first))
  expect(cache.pickRecent()).toBe(answered)
})
