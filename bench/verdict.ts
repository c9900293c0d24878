import { median } from './sample'

/** A ratio, and what it is to be. */
export interface Verdict {
  readonly what: string
  readonly ratio: number
  readonly lowest: number
  readonly highest: number
  readonly bar: number
  /** Whether the bar is the least that the ratio may be; else it is the most. */
  readonly isAtLeast: boolean
  readonly isMet: boolean
}

/** Judges the median of a ratio's values, one a round. */
export function judge(
  what: string,
  values: readonly number[],
  bar: { readonly atLeast: number } | { readonly atMost: number },
): Verdict {
  const ratio = median(values)
  const range = { lowest: Math.min(...values), highest: Math.max(...values) }
  return 'atLeast' in bar
    ? { what, ratio, ...range, bar: bar.atLeast, isAtLeast: true, isMet: ratio >= bar.atLeast }
    : { what, ratio, ...range, bar: bar.atMost, isAtLeast: false, isMet: ratio <= bar.atMost }
}
