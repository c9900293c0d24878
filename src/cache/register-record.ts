import { formatVersion, parseVersion, type TopicState, type Version } from './version'

/** The fields of a topic's register, in the order they are read. `ep` is the epoch of the server it was written under. */
export const REGISTER_FIELDS = ['v', 'cur', 'ep', 'pend'] as const

/** A topic's register as it was read. */
export interface RegisterRecord<T> {
  readonly version: Version | null
  /** Null when nothing, or nothing readable, is there. */
  readonly state: TopicState<T> | null
  readonly epoch: string | null
  /** The text of a version whose commit is about to come, or has just come. */
  readonly pending: string | null
  readonly isCorrupt: boolean
}

/** The text of a state, as a register keeps it. */
export function writeState<T>(state: TopicState<T>): string {
  return JSON.stringify({ version: formatVersion(state.version), data: state.data })
}

/** Makes a record of the fields; an unreadable state is corrupt, never an error. */
export function readRecord<T>(fields: readonly (string | null)[]): RegisterRecord<T> {
  const [versionText, stateText, epoch, pending] = fields
  const version = versionText ? parseVersion(versionText) : null
  const state = stateText && version ? readState<T>(stateText, version) : null
  const isEmpty = versionText == null && stateText == null
  return { version, state, epoch: epoch ?? null, pending: pending ?? null, isCorrupt: !isEmpty && state === null }
}

function readState<T>(text: string, version: Version): TopicState<T> | null {
  try {
    const written: unknown = JSON.parse(text)
    if (typeof written !== 'object' || written === null || !('version' in written) || !('data' in written)) return null
    if (written.version !== formatVersion(version)) return null
    // A register of this topic was written by a process whose data had this type: see TopicState.
    return { version, data: written.data as T }
  } catch {
    return null
  }
}
