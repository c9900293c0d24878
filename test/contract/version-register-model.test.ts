import fc from 'fast-check'
import { registerKey } from '../../src/cache/question'
import { createRedisClient, type RedisClient } from '../../src/cache/redis-client'
import { VersionRegister } from '../../src/cache/version-register'
import { type Redis, startRedis } from '../support/redis'
import { createFakeDatabase, type FakeDatabase } from './fake-database'

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

interface Version {
  readonly seq: number
  readonly uuid: string
}

/** Several processes around one database and one Redis. A refresh takes three steps, and may die after each. */
class World {
  readonly database: FakeDatabase = createFakeDatabase()
  readonly registers = clients.map(
    (redis) =>
      new VersionRegister<string>({
        redis,
        readStates: this.database.readStates,
        clock: () => performance.now(),
        onEvent: () => {},
      }),
  )
  #current: Version = { seq: 1, uuid: 'u1' }
  #minted = 1
  #prepared: Version | null = null
  #unpublished: Version[] = []

  constructor() {
    this.database.commit(TOPIC, 1)
  }

  async read(process: number): Promise<void> {
    const { version } = await this.register(process).current(GROUP, TOPIC)
    expect(version).toEqual(this.#current)
  }

  async prepare(process: number): Promise<void> {
    if (this.#prepared) return
    this.#minted += 1
    this.#prepared = { seq: this.#current.seq + 1, uuid: `u${this.#minted}` }
    expect(await this.register(process).prepare(GROUP, TOPIC, this.#prepared)).toBe(true)
  }

  commit(): void {
    if (!this.#prepared) return
    this.#current = this.#prepared
    this.database.commit(TOPIC, this.#current.seq, this.#current.uuid)
    this.#unpublished.push(this.#current)
    this.#prepared = null
  }

  /** Publishes the commit that has waited longest; others may have been published since. */
  async publish(process: number): Promise<void> {
    const version = this.#unpublished.shift()
    if (!version) return
    const state = { version, data: `data of ${version.seq}.${version.uuid}` }
    expect(await this.register(process).publish(GROUP, TOPIC, state)).toBe(true)
  }

  /** The refresher dies: its transaction is rolled back, or its commits are never published. */
  die(): void {
    this.#prepared = null
    this.#unpublished = []
  }

  /** The register is evicted. Between the preparation and the commit only the floor would help. */
  async lose(): Promise<void> {
    if (!this.#prepared) await this.tamper((redis, key) => redis.run('test', (connection) => connection.del(key)))
  }

  async tamper(act: (redis: RedisClient, key: string) => Promise<unknown>): Promise<void> {
    const [redis] = clients
    if (redis) await act(redis, registerKey(GROUP, TOPIC))
  }

  /** Postgres is restored from a backup, at most three versions old, and every process reads its floor. */
  async restore(): Promise<void> {
    for (let process = 0; process < PROCESSES; process++) await this.read(process)
    this.die()
    this.#minted += 1
    this.#current = { seq: Math.max(1, this.#current.seq - 3), uuid: `u${this.#minted}` }
    this.database.commit(TOPIC, this.#current.seq, this.#current.uuid)
    await Promise.all(this.registers.map((register) => register.pollFloor()))
  }

  register(process: number): VersionRegister<string> {
    const register = this.registers[process]
    if (!register) throw new Error(`no process ${process}`)
    return register
  }
}

const process = fc.nat(PROCESSES - 1)
const step = fc.oneof(
  { weight: 8, arbitrary: process.map((one) => ['read', (world: World) => world.read(one)] as const) },
  { weight: 4, arbitrary: process.map((one) => ['prepare', (world: World) => world.prepare(one)] as const) },
  { weight: 4, arbitrary: fc.constant(['commit', async (world: World) => world.commit()] as const) },
  { weight: 3, arbitrary: process.map((one) => ['publish', (world: World) => world.publish(one)] as const) },
  { weight: 1, arbitrary: fc.constant(['die', async (world: World) => world.die()] as const) },
  { weight: 1, arbitrary: fc.constant(['lose', (world: World) => world.lose()] as const) },
  { weight: 1, arbitrary: process.map((one) => ['poll', (world: World) => world.register(one).pollFloor()] as const) },
  { weight: 1, arbitrary: fc.constant(['restore', (world: World) => world.restore()] as const) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('v', 'cur', 'ep').map((field) => {
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
    }),
    { numRuns: 150 },
  )
})
