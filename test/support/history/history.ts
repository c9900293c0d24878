import type { Random } from '../oracle/random'
import { createRelease, type Release } from './release'
import { createWriter, type Writer } from './statements'
import { createSource, createWorld, type Flavour, randomOf, type World } from './world'

/** What one call of a refresher is told. */
export interface RefreshPlan {
  /** 0: the old release, 1: the new one, once there is one. */
  readonly release: number
  readonly sliceRows: number
  readonly isFull: boolean
  readonly isRange: boolean
  /** Whether the clock is an hour ahead by then, so that what is rebuilt at most so often is due. */
  readonly isLate: boolean
  /** Whether it is the one at rest: what rollups forget, they forget by then. */
  readonly isLast: boolean
  readonly waits: boolean
  /** Pause before it, in milliseconds. */
  readonly pauseMs: number
}

/** Everything that the actors of a history will do. Which of it comes first is up to the machine. */
export interface History {
  readonly world: World
  readonly source: readonly string[]
  /** The old release, and the new one that comes while writers are at work; often there is only one. */
  readonly releases: readonly Release[]
  /** Whether builds and batches come in several transactions. */
  readonly isSliced: boolean
  /** Whether the old release is built before the first writer begins. */
  readonly isBuilt: boolean
  /** After how many transactions the new release comes. */
  readonly releaseAfter: number
  readonly writers: readonly Writer[]
  readonly refreshers: readonly (readonly RefreshPlan[])[]
  /** Pauses between two ends of a refresher's connection, in milliseconds. */
  readonly kills: readonly number[]
}

/** More than a refresher gets done while the writers are at work; it begins again after the last. */
const PLANS = 12
/** More rows than a source has. */
const UNSLICED = 100_000

function createPlan(world: World, isSliced: boolean, random: Random): RefreshPlan {
  const size = Math.max(world.rows, 40)
  return {
    release: random.below(2),
    sliceRows: isSliced ? random.pick([Math.ceil(size / 3), Math.ceil(size / 2), UNSLICED]) : UNSLICED,
    isFull: random.chance(0.1),
    isRange: random.chance(0.08),
    isLate: random.chance(0.4),
    isLast: false,
    waits: random.chance(0.5),
    pauseMs: random.below(40),
  }
}

/** The history of a seed. The same seed gives the same actions. */
export function createHistory(seed: number, flavour: Flavour, instead: Partial<Pick<World, 'rows'>> = {}): History {
  const world = { ...createWorld(seed, flavour), ...instead }
  const random = randomOf(seed, 1)
  const writers = 2 + random.below(2)
  const hasNew = random.chance(0.4)
  const isSliced = random.chance(0.6)
  return {
    world,
    source: createSource(world, random),
    releases: [createRelease(world, randomOf(seed, 2)), ...(hasNew ? [createRelease(world, randomOf(seed, 3))] : [])],
    isSliced,
    isBuilt: random.chance(0.75),
    releaseAfter: 2 + random.below(12),
    writers: Array.from({ length: writers }, (_, index) =>
      createWriter(world, randomOf(seed, 10 + index), index, writers),
    ),
    refreshers: Array.from({ length: 1 + random.below(2) }, (_, index) => {
      const own = randomOf(seed, 20 + index)
      return Array.from({ length: PLANS }, () => createPlan(world, isSliced, own))
    }),
    kills: random.chance(0.5) ? Array.from({ length: 1 + random.below(4) }, () => 3 + random.below(50)) : [],
  }
}
