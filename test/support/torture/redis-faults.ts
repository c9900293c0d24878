import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Cluster } from './cluster'
import { createFault, type Fault, FLOOR, hold, standStill, waitBetween } from './fault'
import type { Station } from './refresher-process'

const clientsKilled = createFault('connections to Redis cut', ['redis'], async (cluster, random) => {
  for (let round = 0; round < 15; round += 1) {
    await cluster.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await cluster.command('CLIENT', 'KILL', 'TYPE', 'pubsub', 'SKIPME', 'yes')
    await waitBetween(random, 50, 500)
  }
})

/** Killed (SIGKILL) and started again, twice. */
export const redisKilled = createFault('Redis killed, back and empty', ['redis'], async (cluster, random) => {
  for (let round = 0; round < 2; round += 1) {
    await cluster.redis.kill()
    await waitBetween(random, 200, 2_500)
    await cluster.startRedis()
    await waitBetween(random, 1_000, 2_000)
  }
})

/** Of a dump, by the folder of the server. */
const DUMP = 'dump.rdb'

const redisRestored = createFault('Redis back from an old dump', ['redis'], async (cluster, random) => {
  const [dump, kept] = [DUMP, 'kept.rdb'].map((file) => join(cluster.redisDirectory, file)) as [string, string]
  await cluster.command('SAVE')
  await copyFile(dump, kept)
  for (let round = 0; round < 2; round += 1) {
    await waitBetween(random, 1_000, 2_000)
    await cluster.redis.kill()
    await copyFile(kept, dump)
    await waitBetween(random, 0, 500)
    await cluster.startRedis()
    await waitBetween(random, 1_000, 1_500)
  }
  await rm(dump, { force: true })
})

const redisFlushed = createFault('Redis emptied', ['redis'], async (cluster, random) => {
  for (let round = 0; round < 15; round += 1) {
    await cluster.command('FLUSHALL')
    await waitBetween(random, 20, 500)
  }
})

const redisFlushedAt = (at: Station) =>
  createFault(`Redis emptied once a refresher has ${at}`, ['redis', 'refresher'], async (cluster, random) => {
    for (let round = 0; round < 4; round += 1) {
      const index = round % 2
      const child = cluster.refreshers[index]?.child
      await hold(cluster, index, at)
      await cluster.command('FLUSHALL')
      // Readers find nothing, ask Postgres, and may fill the register anew.
      await waitBetween(random, 100, 400)
      if (at === 'prepared') {
        // Now it commits, and publishes nothing for a while.
        const committed = hold(cluster, index, 'committed')
        await child?.order({ what: 'release' })
        await committed
        await waitBetween(random, 200, 500)
      }
      await child?.order({ what: 'release' })
      await waitBetween(random, 100, 300)
    }
  })

const redisPaused = createFault('Redis stands still', ['redis'], async (cluster, random) => {
  await standStill((name) => (name === 'SIGSTOP' ? cluster.redis.pause() : cluster.redis.resume()), 3_000)
  await waitBetween(random, 1_000, 2_000)
  await cluster.command('DEBUG', 'SLEEP', '2')
  await waitBetween(random, 500, 1_000)
})

/** Longer than a refresher waits: it commits, and Redis wakes up with what was before. */
const redisPausedForLong = createFault(
  'Redis stands still for long',
  ['redis'],
  async (cluster, random) => {
    await standStill((name) => (name === 'SIGSTOP' ? cluster.redis.pause() : cluster.redis.resume()), 5_000)
    await waitBetween(random, 1_000, 2_000)
  },
  FLOOR,
)

async function limitMemory(cluster: Cluster, policy: string, bytes: (used: number) => number): Promise<void> {
  const used = Number(/used_memory:(\d+)/.exec(String(await cluster.command('INFO', 'memory')))?.[1])
  await cluster.command('CONFIG', 'SET', 'maxmemory-policy', policy)
  await cluster.command('CONFIG', 'SET', 'maxmemory', String(bytes(used)))
}

const redisFull = createFault(
  'Redis full, and nothing evicted',
  ['redis'],
  async (cluster) => {
    await limitMemory(cluster, 'noeviction', () => 1)
    await wait(6_000)
    await cluster.command('CONFIG', 'SET', 'maxmemory', '0')
  },
  FLOOR,
)

const redisEvicting = createFault('Redis tiny, and all evicted', ['redis'], async (cluster, random) => {
  for (let round = 0; round < 5; round += 1) {
    await limitMemory(cluster, 'allkeys-lru', (used) => used + 20_000 - random.below(40_000))
    await wait(1_000)
  }
  await cluster.command('CONFIG', 'SET', 'maxmemory', '0')
})

/** What happens to Redis itself. */
export const REDIS_FAULTS: readonly Fault[] = [
  clientsKilled,
  redisKilled,
  redisRestored,
  redisFlushed,
  redisFlushedAt('prepared'),
  redisFlushedAt('committed'),
  redisPaused,
  redisPausedForLong,
  redisFull,
  redisEvicting,
]
