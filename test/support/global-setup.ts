import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '../../src/embedded/embedded-postgres'
import { findRedisServer } from './redis-server'
import { keepServices } from './services'

const PREFIX = 'aggregraph-test-'

/** Starts the one PostgreSQL that all tests share, and finds Redis; every test starts Redis servers of its own. */
// biome-ignore lint/style/noDefaultExport: Jest calls the default export.
export default async function globalSetup(): Promise<void> {
  await removeLeftovers()
  const directory = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`))
  keepServices({ directory, postgres: await startPostgres(directory) })
  process.env.AGGREGRAPH_TEST_REDIS_SERVER = await findRedisServer()
}

async function startPostgres(directory: string) {
  const given = process.env.AGGREGRAPH_TEST_DATABASE_URL
  if (given !== undefined) {
    process.env.AGGREGRAPH_TEST_POSTGRES_URL = given
    return null
  }
  const postgres = await startEmbeddedPostgres({
    directory,
    onLog() {},
    settings: { max_connections: '200', shared_buffers: '128MB', fsync: 'off', full_page_writes: 'off' },
  })
  process.env.AGGREGRAPH_TEST_POSTGRES_URL = postgres.url
  return postgres
}

/** The servers of an interrupted run end with it; its directory stays, and is removed by the next run. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(name.slice(PREFIX.length).split('-')[0])
    if (name.startsWith(PREFIX) && !isAlive(pid)) {
      await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => {})
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
