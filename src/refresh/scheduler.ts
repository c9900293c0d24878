import { setTimeout as wait } from 'node:timers/promises'
import type { LayoutDefinition } from '../dataset/definition'
import { parseInterval } from '../dataset/duration'

export interface SchedulerOptions {
  readonly definition: Pick<LayoutDefinition, 'refresh'>
  /**
   * Refreshes the dataset and gives what `readDataAsOf` says from then on. A rejection is told to `onError` and tried again,
   * each time after a longer pause.
   */
  readonly refresh: () => Promise<number | null>
  /** When the data was last read from its source, by any process, in epoch milliseconds; null: never. */
  readonly readDataAsOf: () => Promise<number | null>
  readonly onError: (error: unknown) => void
  /** Ends the schedule. */
  readonly signal: AbortSignal
  /** Epoch milliseconds. */
  readonly clock: () => number
  /** Gives [0, 1), so that processes that started together do not work together. */
  readonly random: () => number
}

/** A refresh may take at most this part of the time, however short the interval. */
const LARGEST_SHARE = 0.5
/** The longest pause after errors in a row, unless the interval is longer. */
const LONGEST_BACK_OFF_MS = 300_000

/** Milliseconds between two refreshes of a dataset; null for one that waits to be told. */
export function intervalOf({ refresh }: Pick<LayoutDefinition, 'refresh'>): number | null {
  return refresh === 'manual' || refresh.every === undefined ? null : parseInterval(refresh.every)
}

/**
 * Refreshes a dataset on its interval until the signal ends it. Skips a turn when another process has refreshed the
 * dataset meanwhile. Never rejects.
 */
export async function runSchedule(options: SchedulerOptions): Promise<void> {
  const { definition, signal, clock, random } = options
  const interval = intervalOf(definition)
  if (interval === null) return
  let pause = interval
  let errors = 0
  let seen: number | null = null
  let isLater = false
  while (!signal.aborted) {
    try {
      await wait(pause * (1 + random() / 10), undefined, { signal })
    } catch {
      return
    }
    const began = clock()
    const hasTurned = isLater
    isLater = true
    try {
      const asOf = await options.readDataAsOf()
      const isRefreshed = asOf !== null && asOf !== seen
      seen = asOf
      // Somebody else has, since this process looked last. No two clocks are compared.
      if (isRefreshed && hasTurned) continue
      seen = await options.refresh()
      errors = 0
    } catch (error) {
      errors += 1
      options.onError(error)
    }
    const backOff = errors === 0 ? 0 : Math.min(interval * 2 ** errors, LONGEST_BACK_OFF_MS)
    pause = Math.max(interval, backOff, (clock() - began) * (1 / LARGEST_SHARE - 1))
  }
}
