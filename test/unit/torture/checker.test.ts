import { type Allowance, type AnomalyKind, check } from '../../support/torture/checker'
import { type Begun, type Commit, type Failure, ReadLog } from '../../support/torture/history'

const NAMES = { questions: ['totals', 'series'], datasets: ['ticks', 'tocks'] }

interface Read {
  readonly at: readonly [start: number, end: number]
  readonly round: number
  readonly dataset?: number
  readonly server?: number
  readonly isStale?: boolean
}

interface Log {
  readonly reads?: readonly Read[]
  readonly commits?: readonly (readonly [round: number, at: number, dataset?: number])[]
  readonly failures?: readonly Failure[]
  readonly begun?: readonly Begun[]
}

/** Rounds 1 to 9 are begun at the outset, unless a log says otherwise. */
const BEGUN: readonly Begun[] = [0, 1].flatMap((dataset) =>
  Array.from({ length: 9 }, (_, index) => ({ dataset, round: index + 1, at: 0 })),
)

function judge({ reads = [], commits = [], failures = [], begun = BEGUN }: Log, allowance: Allowance = {}) {
  const log = new ReadLog(1)
  for (const { at, round, dataset = 0, server = 0, isStale = false } of reads) {
    const [startedAt, endedAt] = at
    log.add({ question: 0, server, startedAt, endedAt, isStale }, dataset, round)
  }
  const committed = commits.map(([round, at, dataset = 0]): Commit => ({ dataset, round, at }))
  return check({ reads: [log.take()], commits: committed, failures, begun }, NAMES, allowance)
}

/** The kinds of anomalies found, with how many there are of each. */
function kinds(log: Log, allowance: Allowance = {}): Partial<Record<AnomalyKind, number>> {
  return Object.fromEntries(Object.entries(judge(log, allowance).counts).filter(([, count]) => count > 0))
}

const failure = (facts: Partial<Failure>): Failure => ({
  ...{ kind: 'failed', question: 1, server: 1, startedAt: 10, endedAt: 20, isStale: false, text: '500' },
  ...facts,
})

describe('reads and commits', () => {
  it.each<readonly [string, Log, Partial<Record<AnomalyKind, number>>]>([
    [
      'a read that began before the commit may show either',
      {
        reads: [
          { at: [5, 30], round: 1 },
          { at: [6, 30], round: 2 },
        ],
        commits: [[2, 10]],
      },
      {},
    ],
    [
      'a read that begins after it may not show less',
      { reads: [{ at: [11, 30], round: 1 }], commits: [[2, 10]] },
      { stale: 1 },
    ],
    ['a read that shows more is none the worse', { reads: [{ at: [11, 30], round: 3 }], commits: [[2, 10]] }, {}],
    [
      'one that skipped several is one anomaly',
      {
        reads: [{ at: [40, 50], round: 1 }],
        commits: [
          [2, 10],
          [3, 20],
          [4, 30],
        ],
      },
      { stale: 1 },
    ],
    [
      'commits logged out of order count by their moment',
      {
        reads: [{ at: [15, 50], round: 2 }],
        commits: [
          [2, 20],
          [3, 10],
        ],
      },
      { stale: 1 },
    ],
    ['a commit of the other dataset says nothing', { reads: [{ at: [11, 30], round: 1 }], commits: [[2, 10, 1]] }, {}],
    ['a read about closed days shows no round', { reads: [{ at: [11, 30], round: 0 }], commits: [[2, 10]] }, {}],
    [
      'marked stale it is no stale read, but a mark that nothing allows',
      { reads: [{ at: [11, 30], round: 1, isStale: true }], commits: [[2, 10]] },
      { marked: 1 },
    ],
  ])('%s', (_, log, expected) => {
    expect(kinds(log)).toEqual(expected)
  })

  it('may be apart for as long as the fault allows, and the longest is told', () => {
    const log: Log = {
      reads: [
        { at: [15, 30], round: 1 },
        { at: [19, 30], round: 1 },
      ],
      commits: [[2, 10]],
    }
    expect(kinds(log, { lag: 9 })).toEqual({})
    expect(kinds(log, { lag: 8 })).toEqual({ stale: 1 })
    expect(judge(log, { lag: 100 }).worstLag).toBe(9)
    expect(judge({ ...log, commits: [[2, 40]] }).worstLag).toBe(0)
  })

  it('are told with question, server, moments and the commit that was missed', () => {
    const { anomalies } = judge({ reads: [{ at: [2_010, 2_030], round: 1, server: 2 }], commits: [[3, 1_510]] })
    expect(anomalies).toEqual([
      {
        kind: 'stale',
        text: 'totals on server 2 at 2010–2030 shows round 1 of ticks, begun 0.5 ms after COMMIT of round 3 at 1510',
      },
    ])
  })
})

describe('reads and reads', () => {
  it.each<readonly [string, readonly Read[], Partial<Record<AnomalyKind, number>>]>([
    [
      'the later one may not show less',
      [
        { at: [1, 10], round: 2 },
        { at: [11, 20], round: 1 },
      ],
      { inversion: 1 },
    ],
    [
      'in whatever order they were logged',
      [
        { at: [11, 20], round: 1 },
        { at: [1, 10], round: 2 },
      ],
      { inversion: 1 },
    ],
    [
      'at the same time they may',
      [
        { at: [1, 12], round: 2 },
        { at: [11, 20], round: 1 },
      ],
      {},
    ],
    [
      'a long one in between hides nothing',
      [
        { at: [1, 10], round: 2 },
        { at: [2, 90], round: 1 },
        { at: [11, 20], round: 1 },
      ],
      { inversion: 1 },
    ],
    [
      'of different servers they are the same',
      [
        { at: [1, 10], round: 2, server: 1 },
        { at: [11, 20], round: 1, server: 2 },
      ],
      { inversion: 1 },
    ],
    [
      'of different datasets they have nothing in common',
      [
        { at: [1, 10], round: 2, dataset: 1 },
        { at: [11, 20], round: 1 },
      ],
      {},
    ],
    [
      'a later one marked stale may show less',
      [
        { at: [1, 10], round: 2 },
        { at: [11, 20], round: 1, isStale: true },
      ],
      { marked: 1 },
    ],
    [
      'an earlier one marked stale has shown what it has shown',
      [
        { at: [1, 10], round: 2, isStale: true },
        { at: [11, 20], round: 1 },
      ],
      { marked: 1, inversion: 1 },
    ],
  ])('%s', (_, reads, expected) => {
    expect(kinds({ reads })).toEqual(expected)
  })

  it('of several processes are judged together', () => {
    const logs = [new ReadLog(), new ReadLog()]
    logs[0]?.add({ question: 0, server: 0, startedAt: 1, endedAt: 2, isStale: false }, 0, 2)
    logs[1]?.add({ question: 0, server: 0, startedAt: 3, endedAt: 4, isStale: false }, 0, 1)
    const reads = logs.map((log) => log.take())
    expect(check({ reads, commits: [], failures: [], begun: BEGUN }, NAMES).counts.inversion).toBe(1)
  })

  it('may be apart for as long as the fault allows', () => {
    const reads: Read[] = [
      { at: [1, 10], round: 2 },
      { at: [20, 21], round: 1 },
    ]
    expect([kinds({ reads }, { lag: 10 }), kinds({ reads }, { lag: 9 })]).toEqual([{}, { inversion: 1 }])
  })
})

describe('reads of what was not there', () => {
  it.each<readonly [string, readonly Begun[], Partial<Record<AnomalyKind, number>>]>([
    ['a round that was begun before the read had ended', [{ dataset: 0, round: 2, at: 15 }], {}],
    ['a round that was begun later', [{ dataset: 0, round: 2, at: 25 }], { future: 1 }],
    ['a round of another dataset', [{ dataset: 1, round: 2, at: 5 }], { future: 1 }],
    ['a round that nobody began', [], { future: 1 }],
  ])('%s', (_, begun, expected) => {
    expect(kinds({ reads: [{ at: [10, 20], round: 2 }], begun })).toEqual(expected)
  })
})

describe('requests without a right answer', () => {
  it.each<readonly [string, Partial<Failure>, Allowance, Partial<Record<AnomalyKind, number>>]>([
    ['an error is never right', {}, { isPostgresAway: true, killed: [1] }, { failed: 1 }],
    ['a refusal is an error', { kind: 'unavailable' }, {}, { failed: 1 }],
    ['unless Postgres is away', { kind: 'unavailable' }, { isPostgresAway: true }, {}],
    ['an answer of two rounds is never right', { kind: 'mixed' }, { isPostgresAway: true }, { mixed: 1 }],
    ['unless it says that it is old, and may be', { kind: 'mixed', isStale: true }, { isPostgresAway: true }, {}],
    ['and has just been', { kind: 'unavailable' }, { isPostgresAway: true, until: 11 }, {}],
    ['but not for ever', { kind: 'unavailable' }, { isPostgresAway: true, until: 10 }, { failed: 1 }],
    ['a connection ends', { kind: 'cut' }, { killed: [0, 2] }, { cut: 1 }],
    ['unless its server is killed', { kind: 'cut' }, { killed: [1] }, {}],
    ['or begins again, and refuses until it is ready', { kind: 'unavailable' }, { killed: [1] }, {}],
  ])('%s', (_, facts, allowance, expected) => {
    expect(kinds({ failures: [failure(facts)] }, allowance)).toEqual(expected)
  })

  it('are counted all, and told but a few of', () => {
    const verdict = judge({ failures: Array.from({ length: 100 }, () => failure({})) })
    expect([verdict.counts.failed, verdict.anomalies.length]).toEqual([100, 5])
    expect(verdict.anomalies[0]).toEqual({ kind: 'failed', text: 'series on server 1 at 10–20: 500' })
  })
})

describe('marks', () => {
  const reads: Read[] = [{ at: [1, 2], round: 1, server: 1, isStale: true }]
  it.each<readonly [string, Allowance, number]>([
    ['are wrong where nothing is', {}, 1],
    ['are right while Postgres is away', { isPostgresAway: true }, 0],
    ['are right of a server that stood still', { paused: [1] }, 0],
    ['and of no other', { paused: [0] }, 1],
    ['until it is over', { isPostgresAway: true, until: 1 }, 1],
    ['and no shorter', { isPostgresAway: true, until: 2 }, 0],
  ])('%s', (_, allowance, expected) => {
    const { counts, marked } = judge({ reads }, allowance)
    expect([counts.marked, marked]).toEqual([expected, 1])
  })
})

it('a random history that a single register gave has no anomaly, and one read set back is found', () => {
  // The register takes round n at 100 n; reads take 30 and see what it held at their middle.
  const commits = Array.from({ length: 50 }, (_, index) => [index + 1, 100 * (index + 1) + 10] as const)
  const begun = commits.map(([round]) => ({ dataset: 0, round, at: 100 * round - 50 }))
  const reads = Array.from({ length: 2_000 }, (_, index): Read => {
    const start = 120 + ((index * 7_919) % 4_800)
    return { at: [start, start + 30], round: Math.floor((start + 15) / 100) }
  })
  expect(kinds({ reads, commits, begun })).toEqual({})
  // Of those that began clear of a commit: beside one, both rounds are right.
  const clear = [...reads.keys()].filter(
    (index) => (reads[index]?.at[0] ?? 0) % 100 > 20 && (reads[index]?.at[0] ?? 0) % 100 < 80,
  )
  for (const place of [clear.at(0), clear.at(500), clear.at(-1)]) {
    const spoilt = reads.map((read, index) => (index === place ? { ...read, round: read.round - 1 } : read))
    expect(kinds({ reads: spoilt, commits, begun })).toMatchObject({ stale: 1 })
  }
})
