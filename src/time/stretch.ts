import type { Instant } from './instant'

/** A half-open stretch of time. Either end may be infinite. */
export interface Stretch {
  readonly from: Instant
  readonly to: Instant
}

/** All of time. */
export const ALWAYS: Stretch = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY }

/** The same instants in the fewest stretches, oldest first; empty ones are left out. */
export function uniteStretches(stretches: readonly Stretch[]): Stretch[] {
  const united: { from: Instant; to: Instant }[] = []
  for (const { from, to } of stretches.toSorted((a, b) => a.from - b.from)) {
    const last = united.at(-1)
    if (from >= to) continue
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to)
    else united.push({ from, to })
  }
  return united
}

/** What of the stretches lies within a window. */
export function clipStretches(stretches: readonly Stretch[], window: Stretch): Stretch[] {
  return stretches
    .map(({ from, to }) => ({ from: Math.max(from, window.from), to: Math.min(to, window.to) }))
    .filter(({ from, to }) => from < to)
}

/** At most so many stretches, oldest first, that cover at least the same instants: the smallest gaps are filled. */
export function coverStretches(stretches: readonly Stretch[], most: number): Stretch[] {
  const united = uniteStretches(stretches)
  if (united.length <= most) return united
  const gaps = united.slice(1).map(({ from }, index) => from - (united[index]?.to ?? from))
  const smallest = gaps.toSorted((a, b) => a - b)
  const widest = smallest[united.length - most - 1] ?? 0
  return uniteStretches([
    ...united,
    ...gaps.flatMap((gap, index) =>
      gap <= widest ? { from: united[index]?.to ?? 0, to: united[index + 1]?.from ?? 0 } : [],
    ),
  ])
}
