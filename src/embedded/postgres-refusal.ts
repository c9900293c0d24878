import { readFile, rm } from 'node:fs/promises'
import { platform } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { EmbeddedPostgresError } from '../errors'

interface Place {
  readonly directory: string
  readonly data: string
  readonly holderFile: string
}

const HOLDER = /Is another postmaster \(PID (\d+)\)/
const SHUTDOWN_MS = 30_000

/** Whether another attempt may succeed: the port was taken meanwhile, or the last holder is on its way out. */
export function isPassing(lines: readonly string[]): boolean {
  return lines.some(
    (line) =>
      line.includes('Address already in use') || line.includes('pre-existing shared memory block') || HOLDER.test(line),
  )
}

/**
 * Sees to it that another attempt makes sense: removes the lock that a killed postmaster left behind when its number now
 * belongs to something else, and waits for one whose own starter is dead. Throws when a living process holds the data.
 */
export async function waitForHolder(lines: readonly string[], place: Place): Promise<void> {
  const postmaster = Number(lines.map((line) => HOLDER.exec(line)?.[1]).find((pid) => pid !== undefined))
  if (Number.isNaN(postmaster)) {
    // Servers of a killed postmaster let go of its memory within moments.
    if (isPassing(lines)) await delay(200)
    return
  }
  if (!(await isPostgresOf(postmaster, place.data))) {
    await rm(join(place.data, 'postmaster.pid'), { force: true })
    return
  }
  const starter = Number(await readFile(place.holderFile, 'utf8').catch(() => ''))
  if (starter > 0 && isAlive(starter)) throw held(place, starter, postmaster)
  const deadline = performance.now() + SHUTDOWN_MS
  while (isAlive(postmaster)) {
    if (performance.now() > deadline) throw held(place, postmaster, postmaster)
    await delay(100)
  }
}

/** Puts why the directory cannot be prepared into one sentence, where the operating system said why. */
export function explainFault(error: unknown, directory: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : null
  if (code === 'ENOSPC') return new EmbeddedPostgresError(fullDisk(directory), error)
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new EmbeddedPostgresError(
      `The embedded PostgreSQL may not write to ${directory}: choose another directory, or set DATABASE_URL.`,
      error,
    )
  }
  return error
}

/** Puts why PostgreSQL did not start into one sentence. */
export function explainRefusal(lines: readonly string[], place: Pick<Place, 'directory'>): EmbeddedPostgresError {
  const log = new Error(lines.join('\n'))
  const has = (words: string) => lines.some((line) => line.includes(words))
  if (has('No space left on device') || has('Check free disk space')) {
    return new EmbeddedPostgresError(fullDisk(place.directory), log)
  }
  if (has('database files are incompatible with server')) {
    return new EmbeddedPostgresError(
      `${place.directory} was made by another version of PostgreSQL: remove it, and it is loaded afresh.`,
      log,
    )
  }
  const reason = lines.find((line) => /FATAL|PANIC|error/i.test(line)) ?? lines.at(-1) ?? 'it said nothing'
  return new EmbeddedPostgresError(
    `The embedded PostgreSQL in ${place.directory} did not start: ${reason.replace(/^.*?(?=FATAL|PANIC)/, '').trim()}. Remove that directory to start afresh, or set DATABASE_URL.`,
    log,
  )
}

function fullDisk(directory: string): string {
  return `The disk that holds ${directory} is full: free some space, or set DATABASE_URL.`
}

function held(place: Place, holder: number, postmaster: number): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `The embedded PostgreSQL in ${place.directory} is in use by process ${holder} (PostgreSQL itself is ${postmaster}): stop that one, or set DATABASE_URL.`,
  )
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** Process numbers start again after a reboot or in a new container, so a living one may be anything. */
async function isPostgresOf(pid: number, data: string): Promise<boolean> {
  if (!isAlive(pid)) return false
  if (platform() !== 'linux') return true
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => data)
  return command.includes(data)
}
