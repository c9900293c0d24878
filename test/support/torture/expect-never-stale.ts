import { type Cluster, openCluster } from './cluster'
import type { Fault } from './fault'
import { runRound } from './run-round'

/** Any will do, as long as it stays: a fault that failed is met again. */
const SEED = 4

/** The least that a round has to see before it says anything: the commits before and after the fault, and reads of them. */
const LEAST = { answers: 40, commits: 8 } as const

/** Declares a test for each of the faults: whatever happens, nobody reads anything old, mixed, or nothing. */
export function expectNeverStale(faults: readonly Fault[]): void {
  let cluster: Cluster

  beforeAll(async () => {
    cluster = await openCluster()
  }, 120_000)
  afterAll(async () => {
    await cluster?.close()
  }, 60_000)

  it.each(faults.map((fault) => [fault.name, fault] as const))(
    'fault: %s',
    async (_, fault) => {
      const { anomalies, answers, commits, ...rest } = await runRound(cluster, fault, { seed: SEED })
      process.stdout.write(`${JSON.stringify({ ...rest, answers, commits })}\n`)
      expect(anomalies).toEqual([])
      expect(answers).toBeGreaterThanOrEqual(LEAST.answers)
      expect(commits).toBeGreaterThanOrEqual(LEAST.commits)
    },
    180_000,
  )
}
