import { DeadlineError, UnavailableError } from '../errors'
import type { KeyValue, Value } from '../storage/part'
import type { Basis } from './basis'

/** A part, or why it could not be answered: a part that fails leaves the others alone. */
export type Settled<T> = { readonly isOk: true; readonly value: T } | { readonly isOk: false; readonly error: unknown }

export async function settle<T>(work: () => Promise<T>): Promise<Settled<T>> {
  try {
    return { isOk: true, value: await work() }
  } catch (error) {
    return { isOk: false, error }
  }
}

export function unwrap<T>(settled: Settled<T>): T {
  if (settled.isOk) return settled.value
  throw settled.error
}

/** Values by measure name. */
export type Measures = Readonly<Record<string, Value>>

export interface Point {
  /** RFC 3339 with the offset of the report's zone. */
  readonly start: string
  readonly end: string
  /** The local date of a bucket of a day or longer. */
  readonly date: string | null
  /** Whether the bucket is not wholly inside the range, or not over yet. */
  readonly partial: boolean
  readonly measures: Measures
}

export interface Group {
  readonly key: string
  readonly cursor: string
  readonly dimensions: Readonly<Record<string, KeyValue>>
  readonly measures: Measures
  /** In the order of the request's `series`. */
  readonly series: readonly Settled<readonly Point[]>[]
  /** In the order of the request's `compares`. */
  readonly compares: readonly Settled<Measures>[]
}

export interface Breakdown {
  readonly groups: readonly Group[]
  readonly hasNext: boolean
  readonly hasPrevious: boolean
  readonly totalCount: number
  readonly other: { readonly measures: Measures; readonly series: readonly Settled<readonly Point[]>[] } | null
}

export interface Meta {
  readonly from: string
  readonly to: string
  readonly timezone: string
  readonly version: string
  readonly dataAsOf: string | null
  readonly stale: boolean
}

export interface ComparisonAnswer {
  readonly meta: Meta
  readonly totals: Settled<Measures> | null
  readonly series: readonly Settled<readonly Point[]>[]
}

/** The answer to a report request, its lists in the order of the request's. */
export interface ReportAnswer {
  /** Gives the `id`, which most operations do not ask for. */
  identify(): string
  readonly meta: Meta
  readonly totals: Settled<Measures> | null
  readonly series: readonly Settled<readonly Point[]>[]
  readonly breakdowns: readonly Settled<Breakdown>[]
  readonly compares: readonly Settled<ComparisonAnswer>[]
  readonly basis: Basis
}

/**
 * The fault that left nothing of a report to answer: every part failed because the database was away or too slow. Null
 * when anything was answered, or failed for a reason of its own.
 */
export function faultOfAll(answer: ReportAnswer): unknown {
  const { totals, series, breakdowns, compares } = answer
  const parts: Settled<unknown>[] = [...(totals === null ? [] : [totals]), ...series, ...breakdowns, ...compares]
  const faults = parts.map((part) => (part.isOk ? null : part.error))
  const isFault = (fault: unknown) => fault instanceof UnavailableError || fault instanceof DeadlineError
  return parts.length > 0 && faults.every(isFault) ? faults[0] : null
}
