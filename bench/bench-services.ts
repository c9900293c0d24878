import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { Client } from 'pg'
import { DEFAULT_FLIGHTS, loadFlights } from '../src/demo/load-flights'
import { startEmbeddedPostgres } from '../src/embedded/embedded-postgres'
import { startRedis } from '../test/support/redis'
import { findRedisServer } from '../test/support/redis-server'
import { loadFlightsDataset, startServer } from './running-server'

const BENCH = join(__dirname, '../../../bench')

/** The flights in Postgres with their rollups built, and a Redis, both of the bench's own. */
export interface BenchServices {
  readonly databaseUrl: string
  readonly redisUrl: string
  /** The rollup by hour, as SQL names it. */
  readonly rollup: string
  readonly versions: readonly (readonly [string, string])[]
  stop(): Promise<void>
}

/** Installs what is compared with, unless it is there. */
export function installPeers(): void {
  const directory = join(BENCH, 'peers')
  if (existsSync(join(directory, 'node_modules'))) return
  execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: directory, stdio: ['ignore', 'ignore', 'inherit'] })
}

async function describeDatabase(databaseUrl: string) {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const server = await client.query<{ version: string }>("SELECT current_setting('server_version') AS version")
    const rollup = await client.query<{ name: string }>(
      `SELECT 'aggregraph.' || table_name AS name FROM aggregraph.rollup JOIN aggregraph.layout ON layout.id = rollup.layout
       WHERE name = 'hour' ORDER BY ready_at DESC NULLS LAST LIMIT 1`,
    )
    const [version, name] = [server.rows[0]?.version, rollup.rows[0]?.name]
    if (version === undefined || name === undefined) throw new Error('There is no rollup of all flights by hour')
    return { version, rollup: name }
  } finally {
    await client.end()
  }
}

async function readRedisVersion(redisUrl: string): Promise<string> {
  const redis = new Redis(redisUrl)
  try {
    return /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? 'unknown'
  } finally {
    redis.disconnect()
  }
}

/** Starts Postgres and Redis, and builds the rollups unless they are there. */
export async function startBenchServices(): Promise<BenchServices> {
  const postgres = await startEmbeddedPostgres({ directory: join(BENCH, '.data'), onLog: () => undefined })
  try {
    await loadFlights({ url: postgres.url, rows: DEFAULT_FLIGHTS })
    await (await startServer(postgres.url, loadFlightsDataset())).stop()
    process.env.AGGREGRAPH_TEST_REDIS_SERVER = await findRedisServer()
    const redis = await startRedis()
    const { version, rollup } = await describeDatabase(postgres.url)
    return {
      databaseUrl: postgres.url,
      redisUrl: redis.url,
      rollup,
      versions: [
        ['PostgreSQL', version],
        ['Redis', await readRedisVersion(redis.url)],
      ],
      stop: async () => {
        await redis.stop()
        await postgres.stop()
      },
    }
  } catch (error) {
    await postgres.stop()
    throw error
  }
}
