import { setTimeout as wait } from 'node:timers/promises'
import { Background } from '../../src/cache/background'
import { CacheService } from '../../src/cache/cache-service'
import { isCurrent, newestChange, overlap } from '../../src/cache/history'
import { createMemoryStore } from '../../src/cache/memory-store'
import type { Loaded, Reading } from '../../src/cache/reading'
import { createRedisClient, type RedisClient } from '../../src/cache/redis-client'
import { createRedisStore } from '../../src/cache/redis-store'
import { isNewer, sameVersion } from '../../src/cache/version'
import { VersionRegister } from '../../src/cache/version-register'
import type { Stretch } from '../../src/time/stretch'
import { createEventLog } from './event-log'
import { createFakeDatabase } from './fake-database'
import { ask, turn } from './readings'
import { GROUP, TOPIC } from './register-process'
import { versionOf } from './versions'

const JANUARY = { from: 0, to: 100 }
const FEBRUARY = { from: 100, to: 200 }
const STRETCHES = [JANUARY, FEBRUARY, { from: 0, to: 200 }]
const ROUNDS = 3

/** What the readers of a world saw. */
export interface Findings {
  readonly reads: number
  readonly loads: number
  /** Answers older than a commit before the read, or than an answer given before it. */
  readonly wrong: readonly string[]
  /** Answers that said that they may be old. */
  readonly stale: number
}

export interface WorldOptions {
  readonly url: string
  readonly random: () => number
  readonly refreshes: number
  /** Whether refreshers tell nobody of what they commit. */
  readonly isSilent?: boolean
}

/** Processes that read and refresh at once around one database and one Redis, which now and then loses what it holds. */
export async function runWorld({ url, random, refreshes, isSilent = false }: WorldOptions): Promise<Findings> {
  const database = createFakeDatabase()
  let current = database.commit(TOPIC, 1)
  let [reads, loads, stale] = [0, 0, 0]
  let isOver = false
  const wrong: string[] = []
  const seen = new Map<Stretch, number>()
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const dawdle = () => (random() < 0.3 ? wait(random() * 3) : turn())
  const newest = (stretch: Stretch) => newestChange(current.history, [stretch])?.seq ?? 0

  async function load(stretch: Stretch): Promise<Loaded<number>> {
    loads += 1
    await dawdle()
    // The snapshot.
    const answer = { version: current.version, asOf: null, value: newest(stretch) }
    await dawdle()
    return answer
  }

  async function startProcess() {
    const log = createEventLog()
    const clock = () => performance.now()
    const redis = createRedisClient(url, log.listen, { deadlineMs: 2_000 })
    await redis.connect()
    const { readStates, guardStates } = database
    const register = new VersionRegister<string>({ redis, readStates, guardStates, clock, onEvent: log.listen })
    const background = new Background(log.listen)
    const memory = createMemoryStore({ maxBytes: 1_000_000, clock })
    const store = createRedisStore(redis, 10_000, log.listen)
    const cache = new CacheService({ memory, redis: store, background, clock, onEvent: log.listen })
    register.onNewState((_group, topic, state) => cache.warm(topic, state))
    return { redis, register, cache, background, log }
  }

  /** Reads one part as an operation does. */
  async function read(
    { register, cache }: Awaited<ReturnType<typeof startProcess>>,
    stretch: Stretch,
  ): Promise<number> {
    const reading: Reading<number> = ask(() => load(stretch), { text: `${stretch.from} to ${stretch.to}`, stretch })
    let assumed = register.known(TOPIC)
    let confirming = register.current(GROUP, TOPIC)
    for (let round = 0; round < ROUNDS; round++) {
      const state = assumed ?? (await confirming)
      const answer = await cache.read(reading, state, round > 0 && assumed === null)
      const now = await confirming
      const isSame = sameVersion(now.version, state.version) && now.isConfirmed === state.isConfirmed
      assumed = null
      if (!isSame) continue
      if (answer.outcome === 'stale') stale += 1
      if (isCurrent(now, answer.version, [stretch]) && !overlap(now.pending, [stretch])) return answer.value
      if (isNewer(answer.version, now.version)) register.notice(TOPIC, answer.version)
      confirming = register.settle(GROUP, TOPIC)
    }
    return (await load(stretch)).value
  }

  async function keepReading(process: Awaited<ReturnType<typeof startProcess>>): Promise<void> {
    while (!isOver) {
      const stretch = pick(STRETCHES)
      const [committed, before] = [newest(stretch), seen.get(stretch) ?? 0]
      const value = await read(process, stretch)
      reads += 1
      if (value < committed) wrong.push(`${value} after the commit of ${committed}`)
      if (value < before) wrong.push(`${value} after ${before} was seen`)
      seen.set(stretch, Math.max(seen.get(stretch) ?? 0, value))
      await dawdle()
    }
  }

  async function refresh({ register }: Awaited<ReturnType<typeof startProcess>>, seq: number): Promise<void> {
    const changed = [pick([JANUARY, FEBRUARY])]
    const unlock = await database.lockForPublishing(TOPIC)
    if (!isSilent) await register.prepare(GROUP, TOPIC, versionOf(seq, `u${seq}`), changed)
    await dawdle()
    const isRolledBack = random() < 0.1
    if (!isRolledBack) current = database.commit(TOPIC, seq, `u${seq}`, changed)
    unlock()
    const state = current
    await dawdle()
    // Now and then it dies before it has told anybody.
    if (!isSilent && !isRolledBack && random() < 0.8) await register.publish(GROUP, TOPIC, state)
  }

  async function lose(redis: RedisClient): Promise<void> {
    while (!isOver) {
      await wait(random() * 40)
      const pattern = pick(['*register*', '*entry*', '*lease*', '*'])
      await redis.run('test', async (connection) => {
        const keys = await connection.keys(pattern)
        if (keys.length > 0) await connection.del(...keys)
      })
    }
  }

  const processes = [await startProcess(), await startProcess(), await startProcess()]
  const running = processes.flatMap((process) => [1, 2, 3, 4].map(() => keepReading(process)))
  running.push(lose(pick(processes).redis))
  try {
    for (let i = 0; i < refreshes; i++) {
      await refresh(pick(processes), current.version.seq + 1)
      await dawdle()
    }
  } finally {
    isOver = true
    await Promise.all(running)
    await Promise.all(processes.map(({ background }) => background.drain()))
    await Promise.all(processes.map(({ redis }) => redis.close()))
  }
  return { reads, loads, wrong, stale }
}
