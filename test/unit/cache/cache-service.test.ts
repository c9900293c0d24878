import { CacheService, type Loaded } from '../../../src/cache/cache-service'
import { createMemoryStore } from '../../../src/cache/memory-store'
import { entryKey, type Question } from '../../../src/cache/question'
import type { CacheStore } from '../../../src/cache/store'
import { createEventLog } from '../../contract/event-log'

const question: Question = { group: 'flights', topic: 'layout', scope: 'all', text: 'how many?' }
const key = entryKey(question)
const v1 = { seq: 1, uuid: 'u1' }
const v2 = { seq: 2, uuid: 'u2' }

function create(options: { redis?: CacheStore; ttlSeconds?: number; random?: number } = {}) {
  let now = 0
  const log = createEventLog()
  const memory = createMemoryStore({ maxBytes: 1_000_000, clock: () => now })
  const { redis, ttlSeconds, random = 0 } = options
  const cache = new CacheService({ memory, redis, ttlSeconds, random: () => random, onEvent: log.listen })
  const pass = (seconds: number) => {
    now += seconds * 1000
  }
  return { cache, log, pass }
}

/** A load that ends when the test says so. */
function defer<T>() {
  let resolve: (loaded: Loaded<T>) => void = () => {}
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<Loaded<T>>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  let loads = 0
  const load = () => {
    loads += 1
    return promise
  }
  return { load, resolve, reject, count: () => loads }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

it('loads once for all who ask at the same version at the same time', async () => {
  const { cache, log } = create()
  const load = defer<number>()
  const reads = [cache.read(question, v1, load.load), cache.read(question, v1, load.load)]
  await turn()
  reads.push(cache.read(question, v1, load.load))
  await turn()
  load.resolve({ version: v1, value: 42 })
  const answers = await Promise.all(reads)
  expect(load.count()).toBe(1)
  expect(answers).toEqual(['loaded', 'joined', 'joined'].map((outcome) => ({ version: v1, value: 42, outcome })))
  const miss = { kind: 'miss', store: 'memory', key, reason: 'absent' }
  expect(log.take()).toEqual([
    miss,
    miss,
    { kind: 'joined', key },
    miss,
    { kind: 'joined', key },
    { kind: 'loaded', key, version: '1.u1' },
    { kind: 'stored', store: 'memory', key },
  ])
})

it('does not let who asks after a commit join a load that began before it', async () => {
  const { cache } = create()
  const [before, after] = [defer<string>(), defer<string>()]
  const early = cache.read(question, v1, before.load)
  const late = cache.read(question, v2, after.load)
  await turn()
  expect([before.count(), after.count()]).toEqual([1, 1])
  after.resolve({ version: v2, value: 'new' })
  expect(await late).toEqual({ version: v2, value: 'new', outcome: 'loaded' })
  before.resolve({ version: v1, value: 'old' })
  expect((await early).value).toBe('old')
  // The slow load did not replace the newer entry.
  expect(await cache.read(question, v2, after.load)).toEqual({ version: v2, value: 'new', outcome: 'memory' })
})

it('tells two versions of one number apart', async () => {
  const { cache } = create()
  await cache.read(question, v1, async () => ({ version: v1, value: 'lost' }))
  const restored = { seq: 1, uuid: 'restored' }
  const answer = await cache.read(question, restored, async () => ({ version: restored, value: 'kept' }))
  expect(answer).toEqual({ version: restored, value: 'kept', outcome: 'loaded' })
})

it('keeps a load under the version that it saw, not the one asked for', async () => {
  const { cache } = create()
  const load = async () => ({ version: v2, value: 'new' })
  expect(await cache.read(question, v1, load)).toEqual({ version: v2, value: 'new', outcome: 'loaded' })
  expect((await cache.read(question, v2, load)).outcome).toBe('memory')
  expect((await cache.read(question, v1, load)).outcome).toBe('loaded')
})

it('rejects everyone who joined a load that fails, keeps nothing, and loads again for the next', async () => {
  const { cache, log } = create()
  const load = defer<string>()
  const reads = [cache.read(question, v1, load.load), cache.read(question, v1, load.load)]
  await turn()
  load.reject(new Error('connection lost'))
  const outcomes = await Promise.allSettled(reads)
  expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.message)).toEqual([
    'connection lost',
    'connection lost',
  ])
  expect(log.take()).toContainEqual({ kind: 'load-failed', key, message: 'connection lost' })
  expect((await cache.read(question, v1, async () => ({ version: v1, value: 'ok' }))).outcome).toBe('loaded')
})

it('takes a loader that throws at once for one that fails', async () => {
  const { cache } = create()
  const load = (): Promise<Loaded<string>> => {
    throw new Error('no connection')
  }
  await expect(cache.read(question, v1, load)).rejects.toThrow('no connection')
  expect((await cache.read(question, v1, async () => ({ version: v1, value: 'ok' }))).outcome).toBe('loaded')
})

it.each([[null], [0], [''], [false], [[]]])('keeps %j', async (value) => {
  const { cache } = create()
  await cache.read(question, v1, async () => ({ version: v1, value }))
  const answer = await cache.read(question, v1, () => Promise.reject(new Error('must not load')))
  expect(answer).toEqual({ version: v1, value, outcome: 'memory' })
})

it.each([
  ['300 s by default', {}, undefined, 300],
  ['a tenth less at most', { random: 0.999_999 }, undefined, 270.001],
  ['as long as it is told', { ttlSeconds: 60 }, undefined, 60],
  ['no longer than the read allows', {}, 7.5, 7.5],
  ['no longer than ever because a read allows more', {}, 900, 300],
])('keeps an entry %s', async (_, options, limit, seconds) => {
  const { cache, pass } = create(options)
  const read = () => cache.read(question, v1, async () => ({ version: v1, value: 1 }), { ttlSeconds: limit })
  await read()
  pass(seconds - 0.01)
  expect((await read()).outcome).toBe('memory')
  pass(0.02)
  expect((await read()).outcome).toBe('loaded')
})

it('answers without keeping when the read allows no time', async () => {
  const { cache, log } = create()
  const read = () => cache.read(question, v1, async () => ({ version: v1, value: 1 }), { ttlSeconds: 0 })
  expect((await read()).value).toBe(1)
  expect((await read()).outcome).toBe('loaded')
  expect(log.takeKinds()).toContain('not-stored')
})

it('loads when a store fails to read and to write, and says so', async () => {
  const broken: CacheStore = {
    name: 'redis',
    get: () => Promise.reject(new Error('broken')),
    set: () => Promise.reject(new Error('broken')),
  }
  const { cache, log } = create({ redis: broken })
  const answer = await cache.read(question, v1, async () => ({ version: v1, value: 1 }))
  expect(answer).toEqual({ version: v1, value: 1, outcome: 'loaded' })
  expect(log.take()).toEqual([
    { kind: 'miss', store: 'memory', key, reason: 'absent' },
    { kind: 'miss', store: 'redis', key, reason: 'fault' },
    { kind: 'loaded', key, version: '1.u1' },
    { kind: 'stored', store: 'memory', key },
    { kind: 'not-stored', store: 'redis', key },
  ])
})

it('has kept a load everywhere before anyone gets it', async () => {
  const order: string[] = []
  const redis: CacheStore = {
    name: 'redis',
    get: async () => undefined,
    set: async () => {
      await turn()
      order.push('kept')
      return true
    },
  }
  const { cache } = create({ redis })
  await cache.read(question, v1, async () => ({ version: v1, value: 1 }))
  order.push('answered')
  expect(order).toEqual(['kept', 'answered'])
})
