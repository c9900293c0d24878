import { writeFile } from 'node:fs/promises'
import { EmbeddedPostgresError } from '../errors'
import { findFreePort } from './free-port'
import { type GuardedProcess, spawnGuarded } from './guarded-process'
import { openPostgresHome, type PostgresHome } from './postgres-home'
import { explainFault, explainRefusal, isPassing, waitForHolder } from './postgres-refusal'

export interface EmbeddedPostgresOptions {
  /** Where the data is kept, for example `.aggregraph/postgres`; created when it does not exist. */
  readonly directory: string
  /** Called with every line that PostgreSQL or this function has to say. */
  readonly onLog: (line: string) => void
  /** Settings of PostgreSQL, over those chosen here. */
  readonly settings?: Readonly<Record<string, string>>
}

export interface EmbeddedPostgres {
  /** `postgres://…@127.0.0.1:port/postgres`; the user may do everything. */
  readonly url: string
  /** Where its data is: the one asked for, or under the temporary folder when root's own folders are closed to it. */
  readonly directory: string
  /** Process id of the postmaster. */
  readonly pid: number
  /** Resolves when it has ended, by `stop` or by accident. */
  readonly exited: Promise<unknown>
  /** Disconnects everybody and resolves when the data is safe on disk. May be called again. */
  stop(): Promise<void>
}

export const EMBEDDED_USER = 'aggregraph'
const ATTEMPTS = 5

/** For one application on a small machine, whose source data can be loaded again. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  // Logs are read by this process.
  lc_messages: 'C',
  logging_collector: 'off',
  log_destination: 'stderr',
  log_timezone: 'UTC',
  timezone: 'UTC',
  shared_buffers: '256MB',
  work_mem: '32MB',
  maintenance_work_mem: '128MB',
  // A container's /dev/shm is often too small for parallel queries.
  dynamic_shared_memory_type: 'mmap',
  jit: 'off',
  random_page_cost: '1.1',
  // Loading into a new table then writes no log, which halves the time of the first start.
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '2GB',
}

/**
 * Starts the PostgreSQL that npm installed, on a free port of 127.0.0.1 with a password of its own, and resolves when it
 * accepts connections. It ends with this process, also after a kill -9. Throws {@link EmbeddedPostgresError} with one
 * sentence when the platform has none, the disk is full, or another process holds the directory.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const home = await openPostgresHome(options.directory, EMBEDDED_USER, options.onLog).catch((error: unknown) => {
    throw explainFault(error, options.directory)
  })
  let refusal: readonly string[] = []
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = await findFreePort()
    const launched = await launch(home, port, options)
    if (launched.kind === 'running') {
      await writeFile(home.holderFile, String(process.pid))
      return running(
        launched.process,
        home.directory,
        `postgres://${EMBEDDED_USER}:${home.password}@127.0.0.1:${port}/postgres`,
      )
    }
    refusal = launched.lines
    await waitForHolder(refusal, home)
    if (!isPassing(refusal)) break
  }
  throw explainRefusal(refusal, home)
}

type Launch =
  | { readonly kind: 'running'; readonly process: GuardedProcess }
  | { readonly kind: 'refused'; readonly lines: readonly string[] }

async function launch(home: PostgresHome, port: number, options: EmbeddedPostgresOptions): Promise<Launch> {
  const lines: string[] = []
  let announceReady = () => {}
  const ready = new Promise<'ready'>((resolve) => {
    announceReady = () => resolve('ready')
  })
  const settings = Object.entries({ ...SETTINGS, port: String(port), ...options.settings })
  const postgres = await spawnGuarded({
    command: home.binaries.postgres,
    args: ['-D', home.data, ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    cwd: home.data,
    // PostgreSQL reads PG* variables, which may be meant for another server.
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    ...home.owner,
    orphanSignal: 'INT',
    onLine(line) {
      if (lines.length < 50) lines.push(line)
      options.onLog(line)
      if (line.includes('database system is ready to accept connections')) announceReady()
    },
  })
  const outcome = await Promise.race([ready, postgres.exited])
  return outcome === 'ready' ? { kind: 'running', process: postgres } : { kind: 'refused', lines }
}

function running(postgres: GuardedProcess, directory: string, url: string): EmbeddedPostgres {
  return {
    url,
    directory,
    pid: postgres.pid,
    exited: postgres.exited,
    async stop() {
      // SIGINT is PostgreSQL's fast shutdown: it does not wait for clients to leave.
      postgres.signal('SIGINT')
      await postgres.exited
    },
  }
}
