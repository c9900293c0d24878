import type { Random } from '../oracle/random'
import type { Cluster } from './cluster'
import { createFault, type Fault, hold, standStill, waitBetween } from './fault'
import type { Station } from './refresher-process'

async function killRefresher(cluster: Cluster, index: number, random: Random): Promise<void> {
  const child = cluster.refreshers[index]?.child
  child?.signal('SIGKILL')
  await child?.exited
  await waitBetween(random, 300, 1_000)
  await cluster.startRefresher(index)
  await cluster.beginRefreshing(index, random.below(1e9))
}

const serverKilled = (index: number) =>
  createFault(
    `server ${index} killed`,
    ['server'],
    async (cluster, random) => {
      for (let round = 0; round < 2; round += 1) {
        const child = cluster.servers[index]?.child
        child?.signal('SIGKILL')
        await child?.exited
        await waitBetween(random, 100, 600)
        await cluster.startServer(index)
        await waitBetween(random, 500, 1_000)
      }
    },
    { killed: [index] },
  )

const serverPaused = createFault(
  'servers paused in turn',
  ['server'],
  async (cluster, random) => {
    for (const { child } of cluster.servers) {
      await standStill(child.signal, 500 + random.below(2_000))
      await waitBetween(random, 200, 500)
    }
  },
  { paused: [0, 1, 2] },
)

const refresherKilled = createFault('refreshers killed', ['refresher'], async (cluster, random) => {
  for (let round = 0; round < 2; round += 1) {
    await waitBetween(random, 100, 1_000)
    await killRefresher(cluster, round % 2, random)
  }
})

const refresherKilledAt = (at: Station) =>
  createFault(`refreshers killed once ${at}`, ['refresher'], async (cluster, random) => {
    for (let round = 0; round < 2; round += 1) {
      await hold(cluster, round % 2, at)
      await waitBetween(random, 0, 1_000)
      await killRefresher(cluster, round % 2, random)
    }
  })

const refresherPausedAt = (at: Station) =>
  createFault(`refreshers paused once ${at}`, ['refresher'], async (cluster, random) => {
    for (let round = 0; round < 3; round += 1) {
      const child = cluster.refreshers[round % 2]?.child
      await hold(cluster, round % 2, at)
      if (child !== undefined) await standStill(child.signal, 500 + random.below(1_500))
      await child?.order({ what: 'release' })
      await waitBetween(random, 100, 300)
    }
  })

/** What happens to servers and refreshers. */
export const PROCESS_FAULTS: readonly Fault[] = [
  serverKilled(1),
  serverPaused,
  refresherKilled,
  refresherKilledAt('prepared'),
  refresherKilledAt('committed'),
  refresherPausedAt('prepared'),
  refresherPausedAt('committed'),
]
