import { setTimeout as wait } from 'node:timers/promises'
import type { Definition } from '../dataset/definition'
import { parseInterval } from '../dataset/duration'

export interface SchedulerOptions {
  readonly definition: Definition
  /** Refreshes the dataset; a rejection is told to `onError` and tried again at the next turn. */
  readonly refresh: () => Promise<unknown>
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

/** A refresh reads the whole source, so it may take at most this part of the time, however short the interval. */
const LARGEST_SHARE = 0.1

/** Milliseconds between two refreshes of a dataset; null for one that waits to be told. */
export function intervalOf({ refresh }: Definition): number | null {
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
  while (!signal.aborted) {
    try {
      await wait(pause * (1 + random() / 10), undefined, { signal })
    } catch {
      return
    }
    const began = clock()
    try {
      const asOf = await options.readDataAsOf()
      if (asOf !== null && began - asOf < interval / 2) continue
      await options.refresh()
    } catch (error) {
      options.onError(error)
    }
    pause = Math.max(interval, (clock() - began) / LARGEST_SHARE)
  }
}
