import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import { EmbeddedPostgresError } from '../errors'

const run = promisify(execFile)

/** Who PostgreSQL runs as, when that is not the user of this process. */
export interface PostgresOwner {
  readonly uid: number
  readonly gid: number
}

/** Users that exist on ordinary systems; none is created, so that the machine stays as it was. */
const UNPRIVILEGED = ['postgres', 'nobody'] as const

/**
 * Finds who PostgreSQL runs as: null for an ordinary user (this one); for root, which PostgreSQL refuses, the owner of
 * the existing cluster, else `postgres` or `nobody`.
 */
export async function findPostgresOwner(cluster: string): Promise<PostgresOwner | null> {
  if (process.getuid?.() !== 0) return null
  const existing = await stat(cluster).catch(() => null)
  if (existing !== null && existing.uid !== 0) return { uid: existing.uid, gid: existing.gid }
  for (const name of UNPRIVILEGED) {
    const owner = await lookUp(name)
    if (owner !== null) return owner
  }
  throw new EmbeddedPostgresError(
    'PostgreSQL does not run as root, and this machine has neither a user "postgres" nor "nobody": run as another user, or set DATABASE_URL.',
  )
}

async function lookUp(name: string): Promise<PostgresOwner | null> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])])
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
  } catch {
    return null
  }
}

/**
 * Whether the owner may run this program, or reach what is inside this directory. The kernel answers, so modes and ACLs
 * of all parents count.
 */
export async function isReachable(path: string, owner: PostgresOwner | null): Promise<boolean> {
  if (owner === null) return true
  return await run('test', ['-x', path], { ...owner, cwd: '/' }).then(
    () => true,
    () => false,
  )
}
