import type { UnknownReason } from './cache-event'
import type { TopicState } from './topic-state'
import { formatVersion, isNewer, sameVersion, type Version } from './version'

/** A moment in this process's own order of events: a later one is larger. */
export type Moment = number

interface Known<T> {
  readonly state: TopicState<T>
  readonly since: Moment
}

/**
 * What this process has seen of one topic: what a register must live up to before it is believed.
 *
 * States come from registers, which may be wrong, and from Postgres, which is right about the moment it was read. So a
 * read of Postgres that began after a state became known overrules it, even downwards (a restored backup); one that
 * overlapped can only add to it, for it may have looked before the newer commit.
 */
export class TopicKnowledge<T> {
  #known: Known<T> | null = null
  #disowned: Version | null = null
  /** The digest of the last state that was read from a register. */
  digest: string | null = null
  #announced: { readonly version: Version; readonly since: Moment } | null = null

  /** The newest state seen; null when none has been. */
  get state(): TopicState<T> | null {
    return this.#known?.state ?? null
  }

  /** Why a register with this version is not to be believed; null when it is. */
  doubt(version: Version): UnknownReason | null {
    if (this.#disowned && sameVersion(this.#disowned, version)) return 'disowned'
    if (this.#announced && isNewer(this.#announced.version, version)) return 'behind'
    const known = this.#known?.state.version
    if (!known || isNewer(version, known) || sameVersion(version, known)) return null
    return isNewer(known, version) ? 'behind' : 'disputed'
  }

  /** Takes in the state of a register that is not in doubt, of a newer version or with newer data. */
  adoptRegister(state: TopicState<T>, now: Moment): void {
    const known = this.#known
    if (known === null || isNewer(state.version, known.state.version)) this.#known = { state, since: now }
    else if (sameVersion(state.version, known.state.version)) {
      this.#known = { state: keepSame(known.state, state), since: known.since }
    }
  }

  /**
   * Takes in what Postgres said and returns what holds now. `began` is when the read did. `seen` is the version that a
   * register showed before; Postgres denies it when it has nothing as new.
   */
  adoptPostgres(state: TopicState<T>, began: Moment, now: Moment, seen: Version | null): TopicState<T> {
    const known = this.#known
    if (this.#announced !== null && this.#announced.since < began) this.#announced = null
    if (known && began < known.since && !isNewer(state.version, known.state.version)) return known.state
    for (const version of [seen, known?.state.version]) {
      if (version && !isNewer(state.version, version) && !sameVersion(state.version, version)) this.#disowned = version
    }
    if (this.#disowned && sameVersion(this.#disowned, state.version)) this.#disowned = null
    this.#known = { state: keepSame(known?.state, state), since: now }
    return this.#known.state
  }

  /** Takes in that some process says it published a version: until Postgres was asked, an older register is in doubt. */
  announce(version: Version, now: Moment): void {
    if (!this.#announced || isNewer(version, this.#announced.version)) this.#announced = { version, since: now }
  }

  /** The version that Postgres denied, as text; empty when there is none. */
  get disowned(): string {
    return this.#disowned ? formatVersion(this.#disowned) : ''
  }
}

/** The state as it was known, if nothing of it is new: who keeps its data can tell by identity. */
function keepSame<T>(known: TopicState<T> | undefined, state: TopicState<T>): TopicState<T> {
  const isSame = known && sameVersion(known.version, state.version) && JSON.stringify(known) === JSON.stringify(state)
  return isSame ? known : state
}
