import { ALWAYS, type Stretch, uniteStretches } from '../time/stretch'

/** One refresh of a layout that changed something: `seq` gives the order, `uuid` tells it from others of the same `seq`. */
export interface LayoutVersion {
  readonly seq: number
  readonly uuid: string
}

/** A stretch of time, half-open, in epoch milliseconds, and the version that last changed anything in it. */
export interface Change extends Stretch {
  readonly version: LayoutVersion
}

/** What a layout remembers of the versions before its own. */
export interface History {
  /** Oldest stretch first, disjoint; at most 64. What none of them covers never changed. */
  readonly changes: readonly Change[]
  /** The first eight digits of the uuids of the current version and at most 255 before it, newest first, concatenated. */
  readonly lineage: string
}

const MOST_CHANGES = 64
const DIGITS = 8
const MOST_ANCESTORS = 256

function isSame(a: LayoutVersion, b: LayoutVersion): boolean {
  return a.seq === b.seq && a.uuid === b.uuid
}

/** The history of which nothing is known but that everything is of this version. */
export function beginHistory(version: LayoutVersion): History {
  return { changes: [{ ...ALWAYS, version }], lineage: version.uuid.slice(0, DIGITS) }
}

/** Oldest first, each with the next one of the same version that it touches. */
function joinTouching(changes: readonly Change[]): Change[] {
  const joined: Change[] = []
  for (const change of changes.toSorted((a, b) => a.from - b.from)) {
    const last = joined.at(-1)
    if (last?.to === change.from && isSame(last.version, change.version)) {
      joined.splice(-1, 1, { ...last, to: change.to })
    } else joined.push(change)
  }
  return joined
}

/** Where the two neighbours begin whose joining makes the fewest entries seem too old. */
function cheapestPair(changes: readonly Change[]): number {
  let cheapest = 0
  let least = { seq: Number.POSITIVE_INFINITY, length: Number.POSITIVE_INFINITY }
  for (let index = 0; index + 1 < changes.length; index += 1) {
    const [a, b] = [changes[index], changes[index + 1]]
    if (a === undefined || b === undefined) continue
    const [older, newer] = a.version.seq <= b.version.seq ? [a, b] : [b, a]
    // What was read before the newer one is not current any more in the stretch of the older; the gap seems changed, too.
    const cost = { seq: newer.version.seq, length: older.to - older.from + (b.from - a.to) }
    if (cost.seq < least.seq || (cost.seq === least.seq && cost.length < least.length)) {
      cheapest = index
      least = cost
    }
  }
  return cheapest
}

/**
 * Adds to changes what a new version changed. When there would be more than 64, those two neighbours become one of the newer
 * version whose newer version is the oldest: a stretch may seem changed later than it was, never earlier.
 */
export function foldChanges(
  changes: readonly Change[],
  stretches: readonly Stretch[],
  version: LayoutVersion,
): readonly Change[] {
  const changed = uniteStretches(stretches)
  const kept = changed.reduce<readonly Change[]>(
    (rest, { from, to }) =>
      rest
        .flatMap((change) => [
          { ...change, to: Math.min(change.to, from) },
          { ...change, from: Math.max(change.from, to) },
        ])
        .filter((change) => change.from < change.to),
    changes,
  )
  let folded = joinTouching([...kept, ...changed.map((stretch) => ({ ...stretch, version }))])
  while (folded.length > MOST_CHANGES) {
    const index = cheapestPair(folded)
    const pair = folded.slice(index, index + 2)
    const newest = pair.reduce((a, b) => (b.version.seq > a.version.seq ? b : a))
    const merged = { ...newest, from: pair[0]?.from ?? newest.from, to: pair[1]?.to ?? newest.to }
    folded = joinTouching(folded.toSpliced(index, 2, merged))
  }
  return folded
}

/** Adds a new version to a lineage. */
export function foldLineage(lineage: string, { uuid }: LayoutVersion): string {
  return `${uuid.slice(0, DIGITS)}${lineage}`.slice(0, DIGITS * MOST_ANCESTORS)
}

function readBound(written: unknown, open: number): number {
  return written === null ? open : Number(written)
}

function readChange(written: unknown): Change | null {
  if (!Array.isArray(written)) return null
  const [lower, upper, text]: readonly unknown[] = written
  const from = readBound(lower, ALWAYS.from)
  const to = readBound(upper, ALWAYS.to)
  const [, seq, uuid] = /^(\d+)\.(.+)$/.exec(String(text)) ?? []
  return uuid !== undefined && from < to ? { from, to, version: { seq: Number(seq), uuid } } : null
}

/**
 * Reads the history of a version from its columns. One that does not lead to the version says nothing about it: a release
 * that knows of no history has refreshed since.
 */
export function readHistory(version: LayoutVersion, changes: unknown, lineage: unknown): History {
  const read = Array.isArray(changes) ? changes.map(readChange) : []
  const known = read.filter((change) => change !== null)
  const isWhole = known.length > 0 && known.length === read.length
  if (!isWhole || typeof lineage !== 'string' || !lineage.startsWith(version.uuid.slice(0, DIGITS))) {
    return beginHistory(version)
  }
  return { changes: known, lineage }
}

/** The JSON of changes, as their column keeps it: `[[from, to, "seq.uuid"], …]`, with null for an end that is open. */
export function writeChanges(changes: readonly Change[]): string {
  const bound = (instant: number) => (Number.isFinite(instant) ? instant : null)
  return JSON.stringify(
    changes.map(({ from, to, version }) => [bound(from), bound(to), `${version.seq}.${version.uuid}`]),
  )
}
