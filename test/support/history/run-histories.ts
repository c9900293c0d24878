import { createHistory } from './history'
import { type Laboratory, openLaboratory } from './laboratory'
import { runHistory } from './run-history'
import type { Flavour } from './world'

/** Seeds of a number of histories; AGGREGRAPH_HISTORIES asks for another number in each file, AGGREGRAPH_HISTORY_SEED for one seed alone. */
export function seedsFrom(first: number, count: number): readonly number[] {
  const { AGGREGRAPH_HISTORIES: number, AGGREGRAPH_HISTORY_SEED: seed } = process.env
  if (seed !== undefined) return [Number(seed)]
  return Array.from({ length: number === undefined ? count : Number(number) }, (_, index) => first + index)
}

/** Runs histories one after another and lists what was wrong in any of them, with what runs that one again. */
export async function runHistories(flavour: Flavour, seeds: readonly number[]): Promise<string[]> {
  const wrong: string[] = []
  let laboratory: Laboratory | null = null
  try {
    for (const seed of seeds) {
      laboratory ??= await openLaboratory()
      const { faults } = await runHistory(laboratory, createHistory(seed, flavour))
      if (faults.length === 0) continue
      wrong.push(`AGGREGRAPH_HISTORY_SEED=${seed} (${flavour}):\n${faults.slice(0, 6).join('\n')}`)
      // What a broken history leaves behind is none of the next one's business.
      await laboratory.close()
      laboratory = null
    }
  } finally {
    await laboratory?.close()
  }
  return wrong
}
