import { Background } from '../../../src/cache/background'
import { CacheService } from '../../../src/cache/cache-service'
import { createMemoryStore } from '../../../src/cache/memory-store'
import { entryKey } from '../../../src/cache/question'
import type { Loaded } from '../../../src/cache/reading'
import { DeadlineError, OverloadedError, UnavailableError } from '../../../src/errors'
import { createEventLog } from '../../contract/event-log'
import { ask, defer, loaded, pin, states, turn } from '../../contract/readings'
import { follow, versionOf } from '../../contract/versions'

const JANUARY = { from: 0, to: 100 }
const FEBRUARY = { from: 100, to: 200 }
const [first, second, third] = states(3) as [
  ReturnType<typeof follow>,
  ReturnType<typeof follow>,
  ReturnType<typeof follow>,
]
const text = (seq: number) => `${seq}.${versionOf(seq).uuid}`
const unused = () => Promise.reject(new Error('must not load'))
const key = entryKey(ask(unused).question)

function create(options: { ttlSeconds?: number; random?: () => number; hasRoom?: () => boolean } = {}) {
  let now = 0
  const clock = () => now
  const log = createEventLog()
  const background = new Background(log.listen)
  const memory = createMemoryStore({ maxBytes: 1_000_000, clock })
  const cache = new CacheService({ memory, background, clock, random: () => 0, onEvent: log.listen, ...options })
  const pass = (seconds: number) => {
    now += seconds * 1000
  }
  return { cache, log, pass, memory, background }
}

it('loads once for all who ask at the same version at the same time', async () => {
  const { cache, log } = create()
  const load = defer<Loaded<number>>()
  const reads = [cache.read(ask(load.begin), pin(first)), cache.read(ask(load.begin), pin(first))]
  await turn()
  reads.push(cache.read(ask(load.begin), pin(first)))
  await turn()
  load.resolve(loaded(first, 42))
  const answers = await Promise.all(reads)
  expect(load.count()).toBe(1)
  expect(answers).toEqual(['loaded', 'joined', 'joined'].map((outcome) => ({ ...loaded(first, 42), outcome })))
  const miss = { kind: 'miss', store: 'memory', key, reason: 'absent' }
  expect(log.take()).toEqual([
    miss,
    miss,
    { kind: 'joined', key },
    miss,
    { kind: 'joined', key },
    { kind: 'loaded', key, version: text(1), ms: 0 },
    { kind: 'stored', store: 'memory', key },
  ])
})

it('does not let who asks after a commit join a load that began before it', async () => {
  const { cache } = create()
  const [before, after] = [defer<Loaded<string>>(), defer<Loaded<string>>()]
  const early = cache.read(ask(before.begin), pin(first))
  const late = cache.read(ask(after.begin), pin(second))
  await turn()
  expect([before.count(), after.count()]).toEqual([1, 1])
  after.resolve(loaded(second, 'new'))
  expect(await late).toEqual({ ...loaded(second, 'new'), outcome: 'loaded' })
  before.resolve(loaded(first, 'old'))
  expect((await early).value).toBe('old')
  // The slow load did not replace the newer entry.
  expect(await cache.read(ask(unused), pin(second))).toEqual({ ...loaded(second, 'new'), outcome: 'memory' })
})

it('lets who asks after a commit join a load from before it over a stretch that the commit did not change', async () => {
  const { cache } = create()
  const next = follow(first, versionOf(2), [FEBRUARY])
  const load = defer<Loaded<string>>()
  const reading = ask(load.begin, { stretch: JANUARY })
  const reads = [cache.read(reading, pin(first)), cache.read(reading, pin(next))]
  await turn()
  load.resolve(loaded(first, 'January'))
  expect((await Promise.all(reads)).map(({ outcome }) => outcome)).toEqual(['loaded', 'joined'])
  expect(load.count()).toBe(1)
  expect((await cache.read(reading, pin(next))).outcome).toBe('memory')
})

it('serves what an older version left unchanged, and loads what it changed', async () => {
  const { cache, log } = create()
  await cache.read(
    ask(async () => loaded(first, 'January'), { stretch: JANUARY }),
    pin(first),
  )
  const [quiet, loud] = [FEBRUARY, JANUARY].map((changed) => follow(first, versionOf(2), [changed]))
  if (!quiet || !loud) throw new Error('no states')
  expect((await cache.read(ask(unused, { stretch: JANUARY }), pin(quiet))).outcome).toBe('memory')
  log.take()
  const answer = await cache.read(
    ask(async () => loaded(loud, 'new'), { stretch: JANUARY }),
    pin(loud),
  )
  expect(answer).toEqual({ ...loaded(loud, 'new'), outcome: 'loaded' })
  expect(log.take()).toContainEqual({ kind: 'miss', store: 'memory', key, reason: 'outdated' })
})

it('tells two versions of one number apart', async () => {
  const { cache } = create()
  await cache.read(
    ask(async () => loaded(first, 'lost')),
    pin(first),
  )
  const restored = follow(undefined, versionOf(1, 'restored'))
  const answer = await cache.read(
    ask(async () => loaded(restored, 'kept')),
    pin(restored),
  )
  expect(answer).toEqual({ ...loaded(restored, 'kept'), outcome: 'loaded' })
})

it('replaces an entry of a database that is no more, however high its number', async () => {
  const { cache } = create()
  const lost = follow(undefined, versionOf(1_000, 'lost'))
  await cache.read(
    ask(async () => loaded(lost, 'lost')),
    pin(lost),
  )
  const reading = ask(async () => loaded(first, 'kept'))
  expect((await cache.read(reading, pin(first), true)).value).toBe('kept')
  expect(await cache.read(ask(unused), pin(first))).toEqual({ ...loaded(first, 'kept'), outcome: 'memory' })
})

it('keeps a load under the version that it saw, not the one asked for', async () => {
  const { cache, log } = create()
  const load = async () => loaded(second, 'new')
  expect(await cache.read(ask(load), pin(first))).toEqual({ ...loaded(second, 'new'), outcome: 'loaded' })
  expect((await cache.read(ask(unused), pin(second))).outcome).toBe('memory')
  log.take()
  expect((await cache.read(ask(load), pin(first))).outcome).toBe('loaded')
  expect(log.take()).toContainEqual({ kind: 'miss', store: 'memory', key, reason: 'newer' })
})

it('loads once for all who joined a load that they do not accept', async () => {
  const { cache } = create()
  const loads = [defer<Loaded<string>>(), defer<Loaded<string>>()]
  let begun = 0
  const load = () => {
    begun += 1
    return loads[begun - 1]?.begin() ?? unused()
  }
  const reads = Array.from({ length: 20 }, () => cache.read(ask(load), pin(first), true))
  await turn()
  // A commit came in between: newer than the state, which was read before the load began.
  for (const one of loads) one.resolve(loaded(second, 'newer'))
  const answers = await Promise.all(reads)
  expect(answers.every(({ value }) => value === 'newer')).toBe(true)
  expect(begun).toBe(2)
})

it('rejects everyone who joined a load that fails, keeps nothing, and loads again for the next', async () => {
  const { cache, log } = create()
  const load = defer<Loaded<string>>()
  const reads = [cache.read(ask(load.begin), pin(first)), cache.read(ask(load.begin), pin(first))]
  await turn()
  load.reject(new Error('a fault of ours'))
  const outcomes = await Promise.allSettled(reads)
  expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.message)).toEqual(
    Array(2).fill('a fault of ours'),
  )
  expect(log.take()).toContainEqual({ kind: 'load-failed', key, message: 'a fault of ours' })
  expect(
    (
      await cache.read(
        ask(async () => loaded(first, 'ok')),
        pin(first),
      )
    ).outcome,
  ).toBe('loaded')
})

it('takes a loader that throws at once for one that fails', async () => {
  const { cache } = create()
  const load = (): Promise<Loaded<string>> => {
    throw new Error('no connection')
  }
  await expect(cache.read(ask(load), pin(first))).rejects.toThrow('no connection')
  expect(
    (
      await cache.read(
        ask(async () => loaded(first, 'ok')),
        pin(first),
      )
    ).outcome,
  ).toBe('loaded')
})

it.each([[null], [0], [''], [false], [[]]])('keeps %j', async (value) => {
  const { cache } = create()
  await cache.read(
    ask(async () => loaded(first, value)),
    pin(first),
  )
  expect(await cache.read(ask(unused), pin(first))).toEqual({ ...loaded(first, value), outcome: 'memory' })
})

describe('when Postgres cannot answer', () => {
  const outages: readonly [string, Error, string][] = [
    ['is away', new UnavailableError(), 'unavailable'],
    ['is busy', new OverloadedError(), 'overloaded'],
    ['is too slow', new DeadlineError(), 'timeout'],
  ]
  it.each(outages)('serves an older entry as stale while it %s, and nothing else fails', async (_, error, reason) => {
    const { cache, log, memory } = create()
    await cache.read(
      ask(async () => loaded(first, 'old')),
      pin(first),
    )
    log.take()
    const answer = await cache.read(
      ask(() => Promise.reject(error)),
      pin(second),
    )
    expect(answer).toEqual({ ...loaded(first, 'old'), outcome: 'stale' })
    expect(log.take()).toContainEqual({ kind: 'stale-served', key, reason })
    // It is not written back as fresh.
    expect(memory.get(key)?.version).toEqual(first.version)
    await expect(
      cache.read(
        ask(() => Promise.reject(error), { text: 'other' }),
        pin(second),
      ),
    ).rejects.toBe(error)
  })

  it('hides no other error behind an older entry', async () => {
    const { cache } = create()
    await cache.read(
      ask(async () => loaded(first, 'old')),
      pin(first),
    )
    const load = () => Promise.reject(new Error('column does not exist'))
    await expect(cache.read(ask(load), pin(second))).rejects.toThrow('column does not exist')
  })

  it.each([
    ['away', new UnavailableError(), 1],
    ['too slow', new DeadlineError(), 1],
    ['busy', new OverloadedError(), 3],
  ])('asks a Postgres that was %s for a second no more than %#', async (_, error, loads) => {
    const { cache, pass } = create()
    let begun = 0
    const load = () => {
      begun += 1
      return Promise.reject(error)
    }
    for (let i = 0; i < 3; i++) await expect(cache.read(ask(load), pin(first))).rejects.toBe(error)
    expect(begun).toBe(loads)
    pass(1)
    await expect(cache.read(ask(load), pin(first))).rejects.toBe(error)
    expect(begun).toBe(loads + 1)
  })

  it('loads nothing at a state that is not confirmed, and says of what it serves that it may be old', async () => {
    const { cache, log } = create()
    await cache.read(
      ask(async () => loaded(first, 'old')),
      pin(first),
    )
    log.take()
    const stale = { ...loaded(first, 'old'), outcome: 'stale' }
    for (const state of [first, second]) {
      expect(await cache.read(ask(unused), pin(state, { isConfirmed: false }))).toEqual(stale)
      expect(log.take()).toContainEqual({ kind: 'stale-served', key, reason: 'unconfirmed' })
    }
    const other = ask(unused, { text: 'other' })
    await expect(cache.read(other, pin(first, { isConfirmed: false }))).rejects.toThrow(UnavailableError)
  })
})

it('never serves an outdated entry while Postgres answers', async () => {
  const { cache } = create()
  for (const state of [first, second, third]) {
    const answer = await cache.read(
      ask(async () => loaded(state, state.data)),
      pin(state),
    )
    expect(answer).toEqual({ ...loaded(state, state.data), outcome: 'loaded' })
  }
})

it('gives everyone the same frozen value', async () => {
  const { cache } = create()
  const value = { rows: [{ flights: 1 }] }
  await cache.read(
    ask(async () => loaded(first, value)),
    pin(first),
  )
  expect((await cache.read(ask(unused), pin(first))).value).toBe(value)
  expect([value, value.rows, value.rows[0]].every(Object.isFrozen)).toBe(true)
})
