import type { Allowance } from './checker'
import { createFault, type Fault, FLOOR, waitBetween } from './fault'
import type { LinkState } from './proxy'

const linkOf = (end: 'server' | 'refresher', state: LinkState, allowance: Allowance = {}) =>
  createFault(
    `the link of a ${end} to Redis: ${state}`,
    ['link'],
    async (cluster, random) => {
      for (let round = 0; round < 2; round += 1) {
        cluster.links[end].set(state)
        await waitBetween(random, 1_000, 4_000)
        cluster.links[end].set('pass')
        await waitBetween(random, 500, 1_000)
      }
    },
    allowance,
  )

const STATES = ['delay', 'mute', 'lose', 'refuse'] as const

/** What happens to the way of one server, or of one refresher, to Redis. */
export const LINK_FAULTS: readonly Fault[] = [
  ...STATES.map((state) => linkOf('server', state)),
  ...STATES.map((state) => linkOf('refresher', state, FLOOR)),
]
