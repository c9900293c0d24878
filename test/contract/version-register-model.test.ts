import fc from 'fast-check'
import { registerKey } from '../../src/cache/question'
import { createRedisClient, type RedisClient } from '../../src/cache/redis-client'
import type { Pinned, TopicState } from '../../src/cache/topic-state'
import type { Version } from '../../src/cache/version'
import { VersionRegister } from '../../src/cache/version-register'
import { ALWAYS, type Stretch } from '../../src/time/stretch'
import { type Redis, startRedis } from '../support/redis'
import { createFakeDatabase, type FakeDatabase } from './fake-database'
import { nameOf, versionOf } from './versions'

const GROUP = 'flights'
const TOPIC = 'layout'
const PROCESSES = 3
const clients: RedisClient[] = []
let server: Redis

beforeAll(async () => {
  server = await startRedis()
  for (let i = 0; i < PROCESSES; i++) clients.push(createRedisClient(server.url, () => {}))
  await Promise.all(clients.map((client) => client.connect()))
})

afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()))
  await server.kill()
})

/** A refresh between its preparation and its publication. */
interface Refresh {
  readonly version: Version
  readonly changed: readonly Stretch[]
  readonly unlock: () => void
}

/** Several processes around one database and one Redis. A refresh takes three steps, and may die after each. */
class World {
  readonly database: FakeDatabase = createFakeDatabase()
  readonly registers = clients.map(
    (redis) =>
      new VersionRegister<string>({
        redis,
        readStates: this.database.readStates,
        guardStates: this.database.guardStates,
        clock: () => performance.now(),
        onEvent: () => {},
      }),
  )
  #current: TopicState<string> = this.database.commit(TOPIC, 1)
  #minted = 1
  #prepared: Refresh | null = null
  #unpublished: TopicState<string>[] = []
  readonly #backups: TopicState<string>[] = []

  async read(process: number): Promise<void> {
    this.#check(await this.register(process).current(GROUP, TOPIC))
  }

  async settle(process: number): Promise<void> {
    const state = await this.register(process).settle(GROUP, TOPIC)
    expect({ ...state, pending: [] }).toEqual({ ...this.#current, pending: [], isConfirmed: true })
  }

  /** Over what is pending a state may be older; nowhere else. */
  #check(state: Pinned<string>): void {
    if (state.pending.length === 0) expect(nameOf(state.version)).toBe(nameOf(this.#current.version))
    for (const { from, to, version } of this.#current.history.changes) {
      const isPending = state.pending.some((pending) => pending.from <= from && to <= pending.to)
      if (!isPending) expect(version.seq).toBeLessThanOrEqual(state.version.seq)
    }
  }

  async prepare(process: number, changed: readonly Stretch[]): Promise<void> {
    if (this.#prepared) return
    this.#minted += 1
    const version = versionOf(this.#current.version.seq + 1, `u${this.#minted}`)
    const unlock = await this.database.lockForPublishing(TOPIC)
    this.#prepared = { version, changed, unlock }
    expect(await this.register(process).prepare(GROUP, TOPIC, version, changed)).toBe(true)
  }

  commit(): void {
    if (!this.#prepared) return
    const { version, changed, unlock } = this.#prepared
    this.#backups.push(this.#current)
    this.#current = this.database.commit(TOPIC, version.seq, version.uuid, changed)
    this.#unpublished.push(this.#current)
    this.#prepared = null
    unlock()
  }

  /** Publishes the commit that has waited longest; others may have been published since. */
  async publish(process: number): Promise<void> {
    const state = this.#unpublished.shift()
    if (state) expect(await this.register(process).publish(GROUP, TOPIC, state)).toBe(true)
  }

  /** The refresher dies: its transaction is rolled back, or its commits are never published. */
  die(): void {
    this.#prepared?.unlock()
    this.#prepared = null
    this.#unpublished = []
  }

  /** The register is evicted, or flushed, at any moment. */
  lose(): Promise<void> {
    return this.tamper((redis, key) => redis.run('test', (connection) => connection.del(key)))
  }

  async tamper(act: (redis: RedisClient, key: string) => Promise<unknown>): Promise<void> {
    const [redis] = clients
    if (redis) await act(redis, registerKey(GROUP, TOPIC))
  }

  /** Postgres is restored from a backup, at most three versions old, and every process reads its floor. */
  async restore(): Promise<void> {
    for (let process = 0; process < PROCESSES; process++) await this.settle(process)
    this.die()
    const backup = this.#backups.at(-3) ?? this.#backups[0]
    if (!backup) return
    this.#backups.length = Math.max(0, this.#backups.length - 3)
    this.#current = backup
    this.database.restore(TOPIC, backup)
    await Promise.all(this.registers.map((register) => register.pollFloor()))
  }

  register(process: number): VersionRegister<string> {
    const register = this.registers[process]
    if (!register) throw new Error(`no process ${process}`)
    return register
  }
}

const stretches = fc.constantFrom<readonly Stretch[]>([ALWAYS], [{ from: 0, to: 100 }], [{ from: 100, to: 200 }])
const process = fc.nat(PROCESSES - 1)
const step = fc.oneof(
  { weight: 8, arbitrary: process.map((one) => ['read', (world: World) => world.read(one)] as const) },
  { weight: 2, arbitrary: process.map((one) => ['settle', (world: World) => world.settle(one)] as const) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(process, stretches)
      .map(([one, changed]) => [`prepare ${one}`, (world: World) => world.prepare(one, changed)] as const),
  },
  { weight: 4, arbitrary: fc.constant(['commit', async (world: World) => world.commit()] as const) },
  { weight: 3, arbitrary: process.map((one) => ['publish', (world: World) => world.publish(one)] as const) },
  { weight: 1, arbitrary: fc.constant(['die', async (world: World) => world.die()] as const) },
  { weight: 1, arbitrary: fc.constant(['lose', (world: World) => world.lose()] as const) },
  { weight: 1, arbitrary: process.map((one) => ['poll', (world: World) => world.register(one).pollFloor()] as const) },
  { weight: 1, arbitrary: fc.constant(['restore', (world: World) => world.restore()] as const) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('v', 'cur', 'ep', 'pend', 'pst').map((field) => {
      const spoil = (redis: RedisClient, key: string) =>
        redis.run('test', (connection) => connection.hset(key, field, 'spoilt'))
      return [`spoil ${field}`, (world: World) => world.tamper(spoil)] as const
    }),
  },
)

it('never shows a process anything but what Postgres has committed, whoever dies and whatever Redis loses', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const world = new World()
      await world.tamper((redis, key) => redis.run('test', (connection) => connection.del(key)))
      for (const [, act] of steps) await act(world)
      for (let process = 0; process < PROCESSES; process++) await world.read(process)
      for (let process = 0; process < PROCESSES; process++) await world.settle(process)
    }),
    { numRuns: 150 },
  )
})
