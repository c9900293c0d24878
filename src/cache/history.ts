import type { Stretch } from '../time/stretch'
import { parseVersion, sameVersion, type Version } from './version'

/** A stretch of time, half-open, in epoch milliseconds, and the version that last changed anything in it. */
export interface Change extends Stretch {
  readonly version: Version
}

/** What is known of the versions of a topic before its current one; whoever keeps the topics writes it (see `storage/changes`). */
export interface History {
  /** Oldest stretch first, disjoint; what none of them covers never changed. */
  readonly changes: readonly Change[]
  /**
   * The first eight hexadecimal digits of the uuids of the current version and those before it, newest first. A version of a
   * database that was since restored from a backup is not among them, whatever its `seq`.
   */
  readonly lineage: string
}

const DIGITS = 8

/** Whether a lineage leads to a version. */
export function isLineageOf(lineage: string, { uuid }: Version): boolean {
  return lineage.startsWith(uuid.slice(0, DIGITS))
}

/** Whether the two lists have an instant in common. */
export function overlap(some: readonly Stretch[], others: readonly Stretch[]): boolean {
  return some.some(({ from, to }) => others.some((other) => from < other.to && other.from < to))
}

/** The newest version that changed anything in the stretches; null when none did. */
export function newestChange({ changes }: History, stretches: readonly Stretch[]): Version | null {
  let newest: Version | null = null
  for (const change of changes) {
    if ((newest === null || change.version.seq > newest.seq) && overlap([change], stretches)) newest = change.version
  }
  return newest
}

/** Whether a version is the current one or one that led to it. */
export function isAncestor(
  { version, history }: { readonly version: Version; readonly history: History },
  earlier: Version,
): boolean {
  if (sameVersion(version, earlier)) return true
  if (earlier.seq >= version.seq) return false
  const start = (version.seq - earlier.seq) * DIGITS
  const digits = history.lineage.slice(start, start + DIGITS)
  if (digits.length === DIGITS) return earlier.uuid.startsWith(digits)
  return history.changes.some((change) => sameVersion(change.version, earlier))
}

/** Whether what was read at an earlier version over the stretches is still what the topic says. */
export function isCurrent(
  state: { readonly version: Version; readonly history: History },
  earlier: Version,
  stretches: readonly Stretch[],
): boolean {
  if (!isAncestor(state, earlier)) return false
  const newest = newestChange(state.history, stretches)
  return newest === null || newest.seq <= earlier.seq
}

/** The JSON form of stretches: pairs, with null for an end that is open. */
export type WrittenStretch = readonly [from: number | null, to: number | null]

export function writeStretch({ from, to }: Stretch): WrittenStretch {
  return [Number.isFinite(from) ? from : null, Number.isFinite(to) ? to : null]
}

function readStretch(from: unknown, to: unknown): Stretch | null {
  const isBound = (value: unknown) => value === null || Number.isFinite(value)
  if (!isBound(from) || !isBound(to)) return null
  const stretch = {
    from: from === null ? Number.NEGATIVE_INFINITY : Number(from),
    to: to === null ? Number.POSITIVE_INFINITY : Number(to),
  }
  return stretch.from < stretch.to ? stretch : null
}

/** Reads stretches from their JSON form; null for anything else. */
export function readStretches(written: unknown): Stretch[] | null {
  if (!Array.isArray(written)) return null
  const stretches = written.flatMap((one: unknown) => {
    const stretch = Array.isArray(one) ? readStretch(one[0], one[1]) : null
    return stretch === null ? [] : [stretch]
  })
  return stretches.length === written.length ? stretches : null
}

/** The JSON form of changes: `[from, to, version]`, as a register and the database keep it. */
export function writeChanges(changes: readonly Change[]): readonly unknown[] {
  return changes.map((change) => [...writeStretch(change), `${change.version.seq}.${change.version.uuid}`])
}

/** Reads changes from their JSON form; null for anything else. */
export function readChanges(written: unknown): Change[] | null {
  const stretches = readStretches(written)
  if (stretches === null || !Array.isArray(written)) return null
  const changes = stretches.flatMap((stretch, index) => {
    const version = parseVersion(String(written[index][2]))
    return version === null ? [] : [{ ...stretch, version }]
  })
  return changes.length === stretches.length ? changes : null
}
