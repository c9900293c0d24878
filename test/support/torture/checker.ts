import type { Begun, Commit, Failure, Reads } from './history'

/** What the checker holds against a run. */
export type AnomalyKind = 'stale' | 'inversion' | 'future' | 'mixed' | 'failed' | 'cut' | 'marked'

export interface Anomaly {
  readonly kind: AnomalyKind
  readonly text: string
}

/** What a run may do beside the promise. All default to nothing. */
export interface Allowance {
  /** Microseconds after a commit for which reads may still show what was before: only where the refresher lost Redis. */
  readonly lag?: number
  /** The moment from which on requests begin that none of the following is allowed for; default: none does. */
  readonly until?: number
  /** Whether answers may be marked stale, and questions be refused: while Postgres is or has just been away. */
  readonly isPostgresAway?: boolean
  /** Servers, by index, that are killed: their connections end, and they refuse questions while they start. */
  readonly killed?: readonly number[]
  /** Servers, by index, that stood still: what they answer at once on waking may be marked stale. */
  readonly paused?: readonly number[]
}

/** Everything that was logged while a fault went on. */
export interface History {
  readonly reads: readonly Reads[]
  readonly failures: readonly Failure[]
  readonly commits: readonly Commit[]
  readonly begun: readonly Begun[]
}

export interface Verdict {
  readonly counts: Readonly<Record<AnomalyKind, number>>
  /** The first of each kind, with what it takes to understand them. */
  readonly anomalies: readonly Anomaly[]
  /** Answers that said they may be old, and questions refused or cut off where that was allowed. */
  readonly marked: number
  readonly refused: number
  /** The longest time after a commit that an unmarked answer still showed what was before, in microseconds. */
  readonly worstLag: number
}

export interface Names {
  readonly questions: readonly string[]
  readonly datasets: readonly string[]
}

const MOST_TOLD = 5

/**
 * Checks what readers and refreshers logged on one monotonic clock. For each dataset:
 *
 * - `stale`: a read that began after COMMIT of a round shows an earlier one, and does not say that it may be old;
 * - `inversion`: a read that began after another had ended shows an earlier round than that one;
 * - `future`: a read shows a round that nobody had begun when it ended;
 * - `mixed`, `failed`, `cut`, `marked`: an answer of several rounds; a refusal; a lost connection; an answer marked stale
 *   where nothing allows it.
 *
 * The first is linearizability of a register with a single order of writes (Herlihy and Wing, 1990) for reads after
 * writes, the second for reads after reads; the order is known from the content, so both are checked by a sweep.
 */
export function check(history: History, names: Names, allowance: Allowance = {}): Verdict {
  const tally = createTally()
  const { lag = 0, until = Number.POSITIVE_INFINITY, isPostgresAway = false, killed = [], paused = [] } = allowance
  let marked = 0
  let refused = 0
  let worstLag = 0
  const describe = (reads: Reads, index: number) => {
    const span = `${reads.startedAt[index]}–${reads.endedAt[index]}`
    const dataset = names.datasets[reads.dataset[index] ?? 0]
    const question = names.questions[reads.question[index] ?? 0]
    return `${question} on server ${reads.server[index]} at ${span} shows round ${reads.round[index]} of ${dataset}`
  }

  for (const reads of history.reads) {
    for (let index = 0; index < reads.length; index += 1) {
      if (reads.isStale[index] !== 1) continue
      marked += 1
      const isOver = (reads.startedAt[index] ?? 0) >= until
      if (!isOver && (isPostgresAway || paused.includes(reads.server[index] ?? -1))) continue
      tally.add('marked', () => `${describe(reads, index)} and is marked stale`)
    }
  }
  for (const dataset of names.datasets.keys()) {
    const all = collect(history.reads, dataset)
    const commits = history.commits.filter((each) => each.dataset === dataset)
    const begun = history.begun.filter((each) => each.dataset === dataset)
    sweepCommits(all, commits, (place, commit, late) => {
      worstLag = Math.max(worstLag, late)
      if (late > lag) {
        tally.add('stale', () => {
          const since = `${(late / 1000).toFixed(1)} ms after COMMIT of round ${commit.round} at ${commit.at}`
          return `${describe(all.readsOf(place), all.indexOf(place))}, begun ${since}`
        })
      }
    })
    sweepReads(all, lag, (place, earlier) => {
      tally.add('inversion', () => {
        const before = describe(all.readsOf(earlier), all.indexOf(earlier))
        return `${describe(all.readsOf(place), all.indexOf(place))} after ${before}`
      })
    })
    sweepBegun(all, begun, (place) => {
      tally.add('future', () => `${describe(all.readsOf(place), all.indexOf(place))}, which nobody had begun`)
    })
  }
  for (const { kind, isStale, question, server, startedAt, endedAt, text } of history.failures) {
    const isAllowed =
      (kind === 'unavailable' && isPostgresAway) ||
      ((kind === 'cut' || kind === 'unavailable') && killed.includes(server)) ||
      (kind === 'mixed' && isStale && isPostgresAway)
    if (isAllowed && startedAt < until) {
      refused += 1
      continue
    }
    const what = kind === 'unavailable' ? 'failed' : kind
    tally.add(what, () => `${names.questions[question]} on server ${server} at ${startedAt}–${endedAt}: ${text}`)
  }
  return { marked, refused, worstLag, counts: tally.counts, anomalies: tally.anomalies }
}

function createTally() {
  const counts: Record<AnomalyKind, number> = {
    ...{ stale: 0, inversion: 0, future: 0, mixed: 0, failed: 0, cut: 0, marked: 0 },
  }
  const anomalies: Anomaly[] = []
  return {
    counts,
    anomalies,
    add(kind: AnomalyKind, tell: () => string): void {
      counts[kind] += 1
      if (counts[kind] <= MOST_TOLD) anomalies.push({ kind, text: tell() })
    },
  }
}

/** The reads of one dataset as places 0, 1, 2 …; those of closed days show no round and are left out. */
function collect(logs: readonly Reads[], dataset: number) {
  const found: { log: number; index: number }[] = []
  for (const [log, reads] of logs.entries()) {
    for (let index = 0; index < reads.length; index += 1) {
      if (reads.dataset[index] === dataset && reads.round[index] !== 0) found.push({ log, index })
    }
  }
  const column = (pick: (reads: Reads) => ArrayLike<number>) =>
    Float64Array.from(found, ({ log, index }) => {
      const reads = logs[log]
      return (reads && pick(reads)[index]) ?? 0
    })
  const empty: Reads = { length: 0, ...({} as Omit<Reads, 'length'>) }
  return {
    startedAt: column((reads) => reads.startedAt),
    endedAt: column((reads) => reads.endedAt),
    round: column((reads) => reads.round),
    isStale: column((reads) => reads.isStale),
    readsOf: (place: number) => logs[found[place]?.log ?? 0] ?? empty,
    indexOf: (place: number) => found[place]?.index ?? 0,
  }
}
type Collected = ReturnType<typeof collect>

function placesBy(moments: Float64Array): Uint32Array {
  return Uint32Array.from(moments.keys()).sort((a, b) => (moments[a] ?? 0) - (moments[b] ?? 0))
}

/** Tells every unmarked read that began after the commit of a later round, with the commit that it missed first. */
function sweepCommits(
  { startedAt, round, isStale }: Collected,
  commits: readonly Commit[],
  tell: (place: number, missed: Commit, late: number) => void,
): void {
  // Of each round, the moment from which on nobody may show less: a later round's commit will do, too.
  const rising: Commit[] = []
  for (const commit of [...commits].sort((a, b) => a.at - b.at)) {
    if (commit.round > (rising.at(-1)?.round ?? 0)) rising.push(commit)
  }
  for (let place = 0; place < round.length; place += 1) {
    if (isStale[place] === 1) continue
    const missed = firstAbove(rising, round[place] ?? 0)
    const late = missed === undefined ? -1 : (startedAt[place] ?? 0) - missed.at
    if (missed !== undefined && late > 0) tell(place, missed, late)
  }
}

/** The first of commits of rising rounds whose round is larger. */
function firstAbove(rising: readonly Commit[], round: number): Commit | undefined {
  let [low, high] = [0, rising.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((rising[middle]?.round ?? 0) > round) high = middle
    else low = middle + 1
  }
  return rising[low]
}

/** Tells every unmarked read that began, `lag` or more, after another had ended that shows a later round. */
function sweepReads(
  { startedAt, endedAt, round, isStale }: Collected,
  lag: number,
  tell: (place: number, earlier: number) => void,
): void {
  const byStart = placesBy(startedAt)
  const byEnd = placesBy(endedAt)
  let ended = 0
  let newest = -1
  for (const place of byStart) {
    while (ended < byEnd.length && (endedAt[byEnd[ended] ?? 0] ?? 0) + lag < (startedAt[place] ?? 0)) {
      const candidate = byEnd[ended] ?? 0
      if (newest < 0 || (round[candidate] ?? 0) > (round[newest] ?? 0)) newest = candidate
      ended += 1
    }
    if (newest >= 0 && isStale[place] !== 1 && (round[place] ?? 0) < (round[newest] ?? 0)) tell(place, newest)
  }
}

/** Tells every read of a round that was begun, if at all, after the read had ended. */
function sweepBegun({ endedAt, round }: Collected, begun: readonly Begun[], tell: (place: number) => void): void {
  const first = new Map<number, number>()
  for (const { round: number, at } of begun) first.set(number, Math.min(at, first.get(number) ?? at))
  for (let place = 0; place < round.length; place += 1) {
    const at = first.get(round[place] ?? 0)
    if (at === undefined || at > (endedAt[place] ?? 0)) tell(place)
  }
}
