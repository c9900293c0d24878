import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)
const NAMES = ['redis-server', 'valkey-server'] as const
const MISSING = 'missing'

/** Finds the program of a Redis (or Valkey) server, installing it where that can be done without asking; `missing` if not. */
export async function findRedisServer(): Promise<string> {
  return (await findOnPath()) ?? ((await canInstall()) ? await install() : MISSING)
}

/** The program that {@link findRedisServer} found for this run. */
export function redisServer(): string {
  const found = process.env.AGGREGRAPH_TEST_REDIS_SERVER
  if (found === undefined || found === MISSING) {
    throw new Error(
      'These tests need a Redis server: install redis-server or valkey-server (7 or later) so that it is on the PATH.',
    )
  }
  return found
}

async function findOnPath(): Promise<string | null> {
  for (const name of NAMES) {
    const path = await run('/bin/sh', ['-c', `command -v ${name}`]).then(
      ({ stdout }) => stdout.trim(),
      () => '',
    )
    if (path !== '') return path
  }
  return null
}

async function canInstall(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false
  return await run('apt-get', ['--version']).then(
    () => true,
    () => false,
  )
}

async function install(): Promise<string> {
  // RUNLEVEL tells Debian's packages not to start a service.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  try {
    await run('apt-get', ['update'], { env })
    await run('apt-get', ['install', '-y', '--no-install-recommends', 'redis-server'], { env })
  } catch {
    return MISSING
  }
  return (await findOnPath()) ?? MISSING
}
