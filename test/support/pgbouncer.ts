import { execFile } from 'node:child_process'
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findFreePort } from '../../src/embedded/free-port'
import { type GuardedProcess, spawnGuarded } from '../../src/embedded/guarded-process'

const run = promisify(execFile)

export interface PgBouncer {
  /** The database's address with the pooler in front of it. */
  readonly url: string
  /** Most connections to the server that it keeps. */
  readonly poolSize: number
  /** Ends it. May be called again. */
  stop(): Promise<void>
}

const POOL_SIZE = 5
const ATTEMPTS = 5
/** A user that every Linux has and that owns nothing: PgBouncer does not run as root. */
const NOBODY = 65_534

async function findOnPath(): Promise<string | null> {
  // Debian puts it where only root looks.
  const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin` }
  return run('/bin/sh', ['-c', 'command -v pgbouncer'], { env }).then(
    ({ stdout }) => stdout.trim(),
    () => null,
  )
}

/** The program of PgBouncer, installed where that can be done without asking. */
async function findPgBouncer(): Promise<string> {
  const found = await findOnPath()
  if (found !== null) return found
  if (process.getuid?.() === 0) {
    // RUNLEVEL tells Debian's packages not to start a service.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
    await run('apt-get', ['update'], { env }).catch(() => undefined)
    await run('apt-get', ['install', '-y', '--no-install-recommends', 'pgbouncer'], { env }).catch(() => undefined)
  }
  const installed = await findOnPath()
  if (installed === null) throw new Error('This test needs PgBouncer: install pgbouncer so that it is on the PATH.')
  return installed
}

function writeSettings(server: URL, port: number): string {
  const { hostname, port: serverPort, username, password } = server
  return `[databases]
* = host=${hostname} port=${serverPort || 5432} user=${decodeURIComponent(username)} password='${decodeURIComponent(password)}'
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${POOL_SIZE}
max_client_conn = 200
`
}

async function launch(
  command: string,
  server: URL,
  directory: string,
): Promise<{ process: GuardedProcess; port: number } | string> {
  const isRoot = process.getuid?.() === 0
  const port = await findFreePort()
  const file = join(directory, 'pgbouncer.ini')
  await writeFile(file, writeSettings(server, port), { mode: 0o600 })
  if (isRoot) for (const path of [directory, file]) await chown(path, NOBODY, NOBODY)
  const lines: string[] = []
  let announceReady = () => {}
  const ready = new Promise<true>((resolve) => {
    announceReady = () => resolve(true)
  })
  const started = spawnGuarded({
    command,
    args: [file],
    cwd: directory,
    ...(isRoot && { uid: NOBODY, gid: NOBODY }),
    orphanSignal: 'KILL',
    onLine: (line) => {
      lines.push(line)
      if (line.includes('process up')) announceReady()
    },
  })
  const bouncer = await started
  const isReady = await Promise.race([ready, bouncer.exited.then(() => false)])
  return isReady ? { process: bouncer, port } : lines.join('\n')
}

/** Starts a PgBouncer in front of the database, which hands out a connection to the server for one transaction at a time. */
export async function startPgBouncer(databaseUrl: string): Promise<PgBouncer> {
  const command = await findPgBouncer()
  const directory = await mkdtemp(join(tmpdir(), `aggregraph-test-${process.pid}-pgbouncer-`))
  const server = new URL(databaseUrl)
  let last = ''
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const launched = await launch(command, server, directory)
    if (typeof launched !== 'string') {
      const url = new URL(databaseUrl)
      url.hostname = '127.0.0.1'
      url.port = String(launched.port)
      return {
        url: url.href,
        poolSize: POOL_SIZE,
        stop: async () => {
          launched.process.signal('SIGKILL')
          await launched.process.exited
          await rm(directory, { recursive: true, force: true })
        },
      }
    }
    last = launched
  }
  await rm(directory, { recursive: true, force: true })
  throw new Error(`pgbouncer did not start:\n${last}`)
}
