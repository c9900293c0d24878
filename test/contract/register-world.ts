import { type Redis, startRedis } from '../support/redis'
import { createFakeDatabase, type FakeDatabase } from './fake-database'
import { createProcesses, TOPIC } from './register-process'
import { versionOf } from './versions'

/** One Redis and one database around which a test starts processes; each test has its own. */
interface RegisterWorld {
  server: Redis
  database: FakeDatabase
}

/** Gives every test of the file a world of its own, and what starts processes in it. */
export function createRegisterWorld() {
  // Filled before each test.
  const world = {} as RegisterWorld
  const processes = createProcesses(
    () => world.database,
    () => world.server.url,
  )

  beforeEach(async () => {
    world.server = await startRedis()
    world.database = createFakeDatabase()
  })

  afterEach(async () => {
    await processes.stop()
    await world.server.kill()
  })

  return { world, processes }
}

/** The topic and a version of it, as events name them. */
export function told(seq: number): { readonly topic: string; readonly version: string } {
  return { topic: TOPIC, version: `${seq}.${versionOf(seq).uuid}` }
}
