import { createHash, randomBytes } from 'node:crypto'
import { chmod, chown, lstat, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { EmbeddedPostgresError } from '../errors'
import { spawnGuarded } from './guarded-process'
import { findPostgresBinaries, type PostgresBinaries } from './postgres-binaries'
import { findPostgresOwner, isReachable, type PostgresOwner } from './postgres-owner'
import { explainRefusal } from './postgres-refusal'

/** A directory that holds a complete cluster, and what is needed to run it. */
export interface PostgresHome {
  readonly directory: string
  readonly data: string
  /** Names the process that started it last. */
  readonly holderFile: string
  readonly password: string
  /** Null: this process's own user. */
  readonly owner: PostgresOwner | null
  readonly binaries: PostgresBinaries
}

/** Opens the cluster kept in a directory, creating it first where there is none. */
export async function openPostgresHome(
  wanted: string,
  user: string,
  onLog: (line: string) => void,
): Promise<PostgresHome> {
  const owner = await findPostgresOwner(join(wanted, 'cluster'))
  const directory = await makeDirectory(resolve(wanted), owner, onLog)
  const binaries = await findPostgresBinaries(directory, owner)
  const cluster = join(directory, 'cluster')
  const password = (await readPassword(cluster)) ?? (await create(cluster, user, { directory, owner, binaries, onLog }))
  return { directory, data: join(cluster, 'data'), holderFile: join(directory, 'holder'), password, owner, binaries }
}

async function makeDirectory(
  wanted: string,
  owner: PostgresOwner | null,
  onLog: (line: string) => void,
): Promise<string> {
  await own(wanted, owner)
  if (await isReachable(wanted, owner)) return wanted
  // Root's own folders are closed to everybody else, PostgreSQL's user included.
  const name = createHash('sha256').update(wanted).digest('hex').slice(0, 12)
  const substitute = join(tmpdir(), `aggregraph-postgres-${name}`)
  await own(substitute, owner)
  if (!(await isReachable(substitute, owner))) {
    throw new EmbeddedPostgresError(
      `PostgreSQL does not run as root, and its user can enter neither ${wanted} nor ${substitute}: run as an ordinary user, or set DATABASE_URL.`,
    )
  }
  onLog(`PostgreSQL does not run as root, and its user cannot enter ${wanted}: its data is kept in ${substitute}.`)
  return substitute
}

async function own(directory: string, owner: PostgresOwner | null): Promise<void> {
  // Only the innermost is closed: the mode would go to every folder made on the way.
  await mkdir(dirname(directory), { recursive: true })
  await mkdir(directory, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  if (owner === null) return
  const found = await lstat(directory)
  if (!found.isDirectory() || (found.uid !== 0 && found.uid !== owner.uid)) {
    throw new EmbeddedPostgresError(`${directory} belongs to another user: remove it, or choose another directory.`)
  }
  await chown(directory, owner.uid, owner.gid)
  await chmod(directory, 0o700)
}

async function readPassword(cluster: string): Promise<string | null> {
  return await readFile(join(cluster, 'password'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw new EmbeddedPostgresError(`${cluster} cannot be read: it belongs to another user.`, error)
  })
}

/** Creates the cluster aside and renames it when it is complete: one that was killed half-way is never taken for one. */
async function create(
  cluster: string,
  user: string,
  place: Pick<PostgresHome, 'directory' | 'owner' | 'binaries'> & { readonly onLog: (line: string) => void },
): Promise<string> {
  const draft = await mkdtemp(join(place.directory, 'new-'))
  const passwordFile = join(draft, 'password')
  const password = randomBytes(24).toString('hex')
  await writeFile(passwordFile, password, { mode: 0o600 })
  if (place.owner !== null) {
    await chown(draft, place.owner.uid, place.owner.gid)
    await chown(passwordFile, place.owner.uid, place.owner.gid)
  }
  const lines: string[] = []
  const initdb = await spawnGuarded({
    command: place.binaries.initdb,
    args: [
      `--pgdata=${join(draft, 'data')}`,
      `--username=${user}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // Sorts by code point and changes the case of every alphabet, the same on every platform.
      '--no-locale',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-instructions',
      '--no-sync',
    ],
    cwd: draft,
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    ...place.owner,
    orphanSignal: 'KILL',
    onLine: (line) => lines.push(line),
  })
  if ((await initdb.exited) !== 0) {
    await rm(draft, { recursive: true, force: true })
    throw explainRefusal(lines, place)
  }
  try {
    await rename(draft, cluster)
    return password
  } catch (cause) {
    await rm(draft, { recursive: true, force: true })
    const other = await readPassword(cluster)
    if (other === null) throw cause
    place.onLog('Another process has created the cluster meanwhile.')
    return other
  }
}
