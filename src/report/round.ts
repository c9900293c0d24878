import { isCurrent, overlap } from '../cache/history'
import type { Answer } from '../cache/reading'
import type { Pinned } from '../cache/topic-state'
import { isNewer, type Version } from '../cache/version'
import type { Stretch } from '../time/stretch'

/** What the parts of one operation were, read once through the cache. */
export class Round {
  readonly #seen: { readonly version: Version; readonly stretch: Stretch }[] = []
  hits = 0
  misses = 0
  stale = 0

  take({ outcome, version }: Answer<unknown>, stretch: Stretch): void {
    if (outcome === 'loaded' || outcome === 'joined') this.misses += 1
    else this.hits += 1
    if (outcome === 'stale') this.stale += 1
    else this.#seen.push({ version, stretch })
  }

  /** Whether all parts are what a state says, and no commit is under way that may have changed that. */
  holds(state: Pinned<unknown>): boolean {
    return this.#seen.every(
      ({ version, stretch }) => isCurrent(state, version, [stretch]) && !overlap(state.pending, [stretch]),
    )
  }

  /** The newest version that a part was of, where it is newer than the state. */
  newerThan(state: Pinned<unknown>): Version | null {
    return this.#seen.reduce<Version | null>(
      (newest, { version }) => (isNewer(version, newest ?? state.version) ? version : newest),
      null,
    )
  }
}
