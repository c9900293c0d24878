import type { Contestant } from './contestant'
import { type Load, putUnderLoad } from './load'
import { median } from './sample'

export const CONNECTIONS = 32
const LEAD_SECONDS = 0.3
/** The turn that does not count is longer: compilers have their own pace. */
const WARM_TURNS = 2

/** What one contestant did in every round, in their order. */
export interface Series {
  readonly name: string
  readonly loads: readonly Load[]
}

export interface RoundsOptions {
  readonly contestants: readonly Contestant[]
  readonly rounds: number
  readonly seconds: number
  /** Makes what gives a contestant's requests. */
  readonly createNext: (contestant: Contestant) => () => Buffer
  readonly onRound: (round: number) => void
}

/**
 * Puts contestants under load one after another, round by round, after a round that does not count. Whatever slows the
 * machine down for a while slows all of them.
 */
export async function runRounds(options: RoundsOptions): Promise<readonly Series[]> {
  const turns = options.contestants.map((contestant) => {
    const next = options.createNext(contestant)
    const loads: Load[] = []
    const { port, cpuSeconds, name } = contestant
    const take = (seconds: number) =>
      putUnderLoad({ port, cpuSeconds, next, seconds, connections: CONNECTIONS, leadSeconds: LEAD_SECONDS })
    return { name, loads, take }
  })
  for (const { take } of turns) await take(options.seconds * WARM_TURNS)
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const { take, loads } of turns) loads.push(await take(options.seconds))
    options.onRound(round)
  }
  return turns
}

/** Requests a second of one contestant as a multiple of another's, in each round. */
export function ratios(all: readonly Series[], name: string, base: string): readonly number[] {
  const loadsOf = (wanted: string) => all.find((series) => series.name === wanted)?.loads ?? []
  const bases = loadsOf(base)
  return loadsOf(name).map(({ perSecond }, round) => perSecond / (bases[round]?.perSecond ?? Number.NaN))
}

/** The fastest of the contestants that are peers. */
export function bestPeer(all: readonly Series[], isPeer: (name: string) => boolean): string {
  const peers = all.filter(({ name }) => isPeer(name))
  const speed = ({ loads }: Series) => median(loads.map(({ perSecond }) => perSecond))
  const [best] = peers.toSorted((a, b) => speed(b) - speed(a))
  if (best === undefined) throw new Error('There is nobody to compare with')
  return best.name
}
