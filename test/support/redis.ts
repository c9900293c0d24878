import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findFreePort } from '../../src/embedded/free-port'
import { type GuardedProcess, spawnGuarded } from '../../src/embedded/guarded-process'
import { redisServer } from './redis-server'

export interface RedisOptions {
  /** Further arguments of redis-server. */
  readonly args?: readonly string[]
  /** Default: a free one. Given to start a killed server again at its address. */
  readonly port?: number
  /** Where it keeps its files. Default: a directory of its own, removed when it ends. */
  readonly directory?: string
}

export interface Redis {
  /** `redis://127.0.0.1:port` */
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Ends it in order. May be called again. */
  stop(): Promise<void>
  /** kill -9 */
  kill(): Promise<void>
  /** Freezes it (SIGSTOP): connections stay open and nothing answers. */
  pause(): void
  resume(): void
}

const ATTEMPTS = 10

/** Starts a Redis server of the test's own, without persistence, and resolves when it accepts commands. */
export async function startRedis(options: RedisOptions = {}): Promise<Redis> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), `aggregraph-test-${process.pid}-redis-`)))
  const cleanUp = async () => {
    if (options.directory === undefined) await rm(directory, { recursive: true, force: true })
  }
  let lines: readonly string[] = []
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = options.port ?? (await findFreePort())
    const launched = await launch(port, directory, options.args ?? [])
    if (launched.isReady) return running(launched.process, port, cleanUp)
    lines = launched.lines
    if (!lines.some((line) => line.includes('Address already in use'))) break
  }
  await cleanUp()
  throw new Error(`redis-server did not start:\n${lines.join('\n')}`)
}

interface Launch {
  readonly process: GuardedProcess
  readonly isReady: boolean
  readonly lines: readonly string[]
}

async function launch(port: number, directory: string, args: readonly string[]): Promise<Launch> {
  const lines: string[] = []
  let announceReady = () => {}
  // Its own word, not an answer at the port, which might be another server's.
  const ready = new Promise<'ready'>((resolve) => {
    announceReady = () => resolve('ready')
  })
  const settings = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    directory,
    '--save',
    '',
    '--appendonly',
    'no',
  ]
  const redis = await spawnGuarded({
    command: redisServer(),
    args: [...settings, ...args],
    cwd: directory,
    env: process.env,
    orphanSignal: 'KILL',
    onLine(line) {
      if (lines.length < 50) lines.push(line)
      if (line.includes('Ready to accept connections')) announceReady()
    },
  })
  const outcome = await Promise.race([ready, redis.exited])
  return { process: redis, isReady: outcome === 'ready', lines }
}

function running(redis: GuardedProcess, port: number, cleanUp: () => Promise<void>): Redis {
  const end = async (signal: NodeJS.Signals) => {
    redis.signal('SIGCONT')
    redis.signal(signal)
    await redis.exited
    await cleanUp()
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid: redis.pid,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    pause: () => redis.signal('SIGSTOP'),
    resume: () => redis.signal('SIGCONT'),
  }
}
