import { hash } from 'node:crypto'
import { ALWAYS, type Stretch } from '../time/stretch'
import { isLineageOf, readChanges, readStretches, writeChanges, writeStretch } from './history'
import type { TopicState } from './topic-state'
import { formatVersion, parseVersion, type Version } from './version'

/**
 * The small fields of a topic's register, in the order they are read: the version, the epoch of the server it was written
 * under, a digest of the state, and the version of a commit that is about to come with the stretches that it changes.
 */
export const REGISTER_FIELDS = ['v', 'ep', 'sum', 'pend', 'pst'] as const

/** A topic's register as it was read, but for the state itself, which is large and seldom changes. */
export interface RegisterRecord {
  readonly version: Version | null
  readonly epoch: string | null
  /** Is another one whenever the state is. */
  readonly digest: string | null
  /** The text of a version whose commit is about to come, or has just come. */
  readonly pending: string | null
  readonly pendingStretches: readonly Stretch[]
  readonly isCorrupt: boolean
}

/** Makes a record of the fields; an unreadable one is corrupt, never an error. */
export function readRecord(fields: readonly (string | null)[]): RegisterRecord {
  const [versionText, epoch, digest, pending, stretches] = fields
  const version = versionText ? parseVersion(versionText) : null
  return {
    version,
    epoch: epoch ?? null,
    digest: digest ?? null,
    pending: pending ?? null,
    // What cannot be read may be anything.
    pendingStretches: pending == null ? [] : (readStretches(parseJson(stretches ?? '')) ?? [ALWAYS]),
    isCorrupt: versionText != null && version === null,
  }
}

/** The text of the stretches of a preparation. */
export function writeStretches(stretches: readonly Stretch[]): string {
  return JSON.stringify(stretches.map(writeStretch))
}

/** The text of a state, as a register keeps it. */
export function writeState<T>({ version, history, data }: TopicState<T>): string {
  const { changes, lineage } = history
  return JSON.stringify({ version: formatVersion(version), changes: writeChanges(changes), lineage, data })
}

/** The digest of the text of a state. */
export function digestState(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 16)
}

/** The state that a register keeps, with the version and the digest that it names; null when it cannot be read. */
export function readState<T>([versionText, text, digest]: readonly (string | null)[]): TopicState<T> | null {
  if (text == null || digestState(text) !== digest) return null
  const version = parseVersion(versionText ?? '')
  const written = parseJson(text)
  if (version === null || typeof written !== 'object' || written === null) return null
  if (!('version' in written && 'changes' in written && 'lineage' in written && 'data' in written)) return null
  const changes = readChanges(written.changes)
  if (written.version !== versionText || changes === null || changes.length === 0) return null
  if (typeof written.lineage !== 'string' || !isLineageOf(written.lineage, version)) return null
  // A register of this topic was written by a process whose data had this type: see TopicState.
  return { version, history: { changes, lineage: written.lineage }, data: written.data as T }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
