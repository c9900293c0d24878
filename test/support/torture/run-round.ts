import { eventually } from '../eventually'
import { randomOf } from '../history/world'
import { type Anomaly, check, type Verdict } from './checker'
import type { Cluster } from './cluster'
import type { Fault } from './fault'
import { now } from './monotonic'
import { QUESTIONS } from './questions'
import type { ReaderReport } from './reader-process'
import { NAMES } from './ticks'

export interface RoundOptions {
  readonly seed: number
  /** Of readers to each server; default 4. */
  readonly connections?: number
  /** Of a thousand requests, how many were never sent before, half of them only in other words; default 20. */
  readonly uniquePerMille?: number
  /** Commits of each dataset before the fault begins, and again after it is over; default 2. */
  readonly settledCommits?: number
}

/** What came of one fault. */
export interface RoundReport extends Omit<Verdict, 'anomalies'> {
  readonly fault: string
  readonly seed: number
  readonly seconds: number
  /** Answers that were checked, and those of them that were 304. */
  readonly answers: number
  readonly notModified: number
  readonly commits: number
  readonly failedRefreshes: number
  /** Statements that read parts: of closed days alone, and of all others. */
  readonly closedLoads: number
  readonly loads: number
  /**
   * Those others for each part and refresh that could have changed it: 1 when each part is loaded once for each version.
   */
  readonly loadFactor: number
  readonly anomalies: readonly (Anomaly | { readonly kind: 'refresh'; readonly text: string })[]
}

const SETTLE_MS = 60_000
/** How long after the servers say that all is well again a question may still be refused, or an answer marked. */
const RECOVERY_US = 2_000_000

/** Resolves when every dataset has been committed so many times more. */
async function untilCommits(cluster: Cluster, count: number): Promise<void> {
  const before = cluster.commits.length
  await eventually(async () => {
    const later = cluster.commits.slice(before)
    const rounds = NAMES.map((_, dataset) => new Set(later.filter((c) => c.dataset === dataset).map((c) => c.round)))
    return rounds.every((each) => each.size >= count) ? true : null
  }, SETTLE_MS)
}

/** Lets readers and refreshers work while a fault runs, stops them, and checks what they have seen. */
export async function runRound(cluster: Cluster, fault: Fault, options: RoundOptions): Promise<RoundReport> {
  const { seed, connections = 4, uniquePerMille = 20, settledCommits = 2 } = options
  const random = randomOf(seed, 79)
  const began = performance.now()
  const commitsBefore = cluster.commits.length
  await cluster.untilReady()
  await cluster.takePartReads()
  cluster.failedRefreshes.length = 0
  for (const index of cluster.refreshers.keys()) await cluster.beginRefreshing(index, seed + index)
  await cluster.reader.order({
    what: 'start',
    order: {
      ports: cluster.servers.map(({ port }) => port),
      questions: [...QUESTIONS.keys()],
      ...{ connections, seed, uniquePerMille },
    },
  })
  await untilCommits(cluster, settledCommits)
  await fault.run(cluster, random)
  await cluster.untilReady()
  const until = now() + RECOVERY_US
  await untilCommits(cluster, settledCommits)
  for (const { child } of cluster.refreshers) await child.order({ what: 'stop' })
  const { report } = (await cluster.reader.order({ what: 'stop' })) as unknown as { report: ReaderReport }
  const partReads = await cluster.takePartReads()

  const { commits, begun, failedRefreshes } = cluster
  const rounds = new Set(commits.slice(commitsBefore).map(({ dataset, round }) => `${dataset} ${round}`)).size
  const names = { questions: QUESTIONS.map(({ name }) => name), datasets: NAMES }
  const { reads, failures, answers, notModified } = report
  const verdict = check({ reads: [reads], failures, commits, begun }, names, { ...fault.allowance, until })
  // A refresh may fail with its database, and with nothing else.
  const failed = fault.allowance.isPostgresAway === true ? [] : failedRefreshes
  return {
    ...verdict,
    fault: fault.name,
    ...{ seed, answers, notModified },
    seconds: (performance.now() - began) / 1_000,
    commits: rounds,
    failedRefreshes: failedRefreshes.length,
    closedLoads: partReads.closed,
    loads: partReads.others,
    // Half of the parts are about either dataset.
    loadFactor: partReads.others / ((partReads.parts.length / NAMES.length) * (rounds + NAMES.length)),
    anomalies: [...verdict.anomalies, ...failed.map((text) => ({ kind: 'refresh' as const, text }))],
  }
}
