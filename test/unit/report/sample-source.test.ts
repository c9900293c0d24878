import { Background } from '../../../src/cache/background'
import type { CacheEvent } from '../../../src/cache/cache-event'
import { CacheService } from '../../../src/cache/cache-service'
import { createMemoryStore } from '../../../src/cache/memory-store'
import type { Loaded, Reading } from '../../../src/cache/reading'
import type { TopicState } from '../../../src/cache/topic-state'
import { VersionRegister } from '../../../src/cache/version-register'
import { UnavailableError } from '../../../src/errors'
import { createSampleSource } from '../../../src/report/sample-source'
import { runSampler } from '../../../src/report/sampler'
import { beginHistory } from '../../../src/storage/changes'

const TOPIC = 'flights:1a2b'
const JANUARY = { from: Date.UTC(2001, 0), to: Date.UTC(2001, 1) }
const versionOf = (seq: number) => ({ seq, uuid: `0000000${seq}-uuid` })

/** A cache over a database that is two numbers and a switch. */
function createWorld() {
  const events: CacheEvent[] = []
  const onEvent = (event: CacheEvent) => events.push(event)
  const database = { seq: 1, value: 10, isAway: false }
  const clock = () => 0
  const check = () => {
    if (database.isAway) throw new UnavailableError()
  }
  const stateOf = (seq: number): TopicState<null> => ({
    version: versionOf(seq),
    history: beginHistory(versionOf(seq)),
    data: null,
  })
  const register = new VersionRegister<null>({
    readStates: async () => {
      check()
      return new Map([[TOPIC, stateOf(database.seq)]])
    },
    clock,
    onEvent,
  })
  const memory = createMemoryStore({ maxBytes: 1_000_000, clock })
  const cache = new CacheService({ memory, background: new Background(onEvent), clock, random: () => 0.5, onEvent })
  const reading: Reading = {
    question: { group: 'flights', topic: TOPIC, scope: '{}', text: JSON.stringify({ part: 'totals' }) },
    stretch: JANUARY,
    load: async (): Promise<Loaded<unknown>> => {
      check()
      return { version: versionOf(database.seq), asOf: null, value: { values: [database.value] } }
    },
  }
  const ask = async () => cache.read(reading, await register.current('flights', TOPIC))
  return { events, database, register, cache, ask, recent: createSampleSource({ cache, register }) }
}

/** Takes one sample; tells its outcome, and what was said of it. */
async function sample(world: ReturnType<typeof createWorld>) {
  const errors: object[] = []
  let turns = 0
  const stop = new AbortController()
  await runSampler({
    recent: world.recent,
    isCalm: () => true,
    onEvent: (event) => world.events.push(event),
    log: { error: (facts) => errors.push(facts) },
    signal: stop.signal,
    wait: async () => {
      turns += 1
      if (turns > 1) throw new Error('One is enough')
    },
  })
  const outcomes = world.events.flatMap((event) => (event.kind === 'sampled' ? [event.outcome] : []))
  return { outcomes, errors }
}

it('has nothing to sample before anything was asked', async () => {
  const world = createWorld()
  expect(world.recent()).toBeNull()
  expect(await sample(world)).toEqual({ outcomes: [], errors: [] })
})

it('samples what was answered from the cache', async () => {
  const world = createWorld()
  await world.ask()
  expect(await sample(world)).toEqual({ outcomes: ['same'], errors: [] })
})

it('passes over what a refresh has changed, since it has to be loaded', async () => {
  const world = createWorld()
  await world.ask()
  Object.assign(world.database, { seq: 2, value: 20 })
  expect(await sample(world)).toEqual({ outcomes: ['passed-over'], errors: [] })
})

it('finds rows that were changed without a new version', async () => {
  const world = createWorld()
  await world.ask()
  world.database.value = 20
  const version = '1.00000001-uuid'
  expect(await sample(world)).toEqual({
    outcomes: ['older'],
    errors: [{ dataset: 'flights', part: 'totals', cached: version, loaded: version }],
  })
})

it('passes over everything while Postgres is away', async () => {
  const world = createWorld()
  await world.ask()
  world.database.isAway = true
  expect(await sample(world)).toEqual({ outcomes: ['passed-over'], errors: [] })
})

it('reads nothing as cached while Postgres does not confirm it', async () => {
  const world = createWorld()
  await world.ask()
  const recent = world.recent()
  world.database.isAway = true
  await world.register.pollFloor()
  expect(await recent?.readCached()).toBeNull()
})
