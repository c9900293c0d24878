import { setTimeout as wait } from 'node:timers/promises'
import type { Random } from '../oracle/random'
import type { Allowance } from './checker'
import type { Cluster } from './cluster'
import type { Station } from './refresher-process'

/** Something that goes wrong while readers and refreshers are at work, and is right again when `run` resolves. */
export interface Fault {
  readonly name: string
  /** What it happens to: two faults may happen at once when they have nothing in common. */
  readonly touches: readonly ('server' | 'refresher' | 'redis' | 'link' | 'postgres')[]
  readonly allowance: Allowance
  run(cluster: Cluster, random: Random): Promise<void>
}

/** What the protocol promises where the refresher alone has lost Redis, and how late a busy machine may be at that. */
export const FLOOR = { lag: 1_000_000 + 1_000_000 } as const

/** A fault; by default it may do nothing beside the promise. */
export function createFault(
  name: string,
  touches: Fault['touches'],
  run: Fault['run'],
  allowance: Allowance = {},
): Fault {
  return { name, touches, run, allowance }
}

/** Waits for a number of milliseconds between two. */
export function waitBetween(random: Random, least: number, most: number): Promise<void> {
  return wait(least + random.below(most - least))
}

/** Resolves when a refresher stands still at the station. */
export async function hold(cluster: Cluster, index: number, at: Station): Promise<void> {
  const slot = cluster.refreshers[index]
  if (slot === undefined) throw new Error(`There is no refresher ${index}`)
  const held = new Promise<void>((resolve) => {
    slot.onHeld = () => resolve()
  })
  await slot.child.order({ what: 'hold', at })
  await held
}

/** Stops a process for some milliseconds (SIGSTOP, SIGCONT). */
export async function standStill(signal: (name: NodeJS.Signals) => void, milliseconds: number): Promise<void> {
  signal('SIGSTOP')
  await wait(milliseconds)
  signal('SIGCONT')
}

/** Two faults at once. */
export function combine(one: Fault, other: Fault): Fault {
  const lags = [one.allowance.lag ?? 0, other.allowance.lag ?? 0]
  return {
    name: `${one.name} + ${other.name}`,
    touches: [...one.touches, ...other.touches],
    allowance: {
      ...one.allowance,
      ...other.allowance,
      lag: Math.max(...lags),
    },
    run: async (cluster, random) => {
      await Promise.all([one.run(cluster, random), other.run(cluster, random)])
    },
  }
}
