import type { HavingOperator } from '../storage/part'
import type { Comparison } from '../time/comparison'
import type { Granularity } from '../time/granularity'
import type { Period } from '../time/range'

/** The `range` argument as GraphQL coerced it: exactly one member is set. */
export interface RangeArgument {
  readonly between?: { readonly from: string; readonly to: string } | null
  readonly last?: { readonly count: number; readonly unit: Granularity } | null
  readonly period?: Period | null
}

/** The operators of one filter; which exist depends on the dimension's type. */
export type FilterArgument = Readonly<Record<string, unknown>>
/** The `where` argument as GraphQL coerced it: a filter a dimension, and `and`, `or`, `not`. */
export type WhereArgument = Readonly<Record<string, unknown>>
export type HavingArgument = Readonly<Record<string, Partial<Record<HavingOperator, number | null>> | null>>

export interface OrderArgument {
  /** Name of a measure or a dimension. */
  readonly field: string
  readonly direction: 'asc' | 'desc'
}

export interface SeriesRequest {
  readonly granularity: Granularity
  readonly fill: boolean
  readonly measures: readonly string[]
  /** How often the answer writes it out: aliases read it once and answer it each time. */
  readonly occurrences: number
}

export interface CompareRequest {
  readonly to: Comparison
  /** Null: not asked for. */
  readonly totals: readonly string[] | null
  readonly series: readonly SeriesRequest[]
}

export interface BreakdownArguments {
  readonly by: readonly string[]
  readonly orderBy: readonly OrderArgument[]
  readonly having: HavingArgument
  readonly first: number
  readonly after: string | null
}

export interface BreakdownRequest extends BreakdownArguments {
  readonly measures: readonly string[]
  readonly series: readonly SeriesRequest[]
  readonly compares: readonly { readonly to: Comparison; readonly measures: readonly string[] }[]
  readonly other: { readonly measures: readonly string[]; readonly series: readonly SeriesRequest[] } | null
}

/** One question to one dataset: which rows, and which parts of the answer, each with the measures it needs. */
export interface ReportRequest {
  readonly range: RangeArgument | null
  readonly where: WhereArgument
  readonly timezone: string
  /** Null: not asked for. */
  readonly totals: readonly string[] | null
  readonly series: readonly SeriesRequest[]
  readonly breakdowns: readonly BreakdownRequest[]
  readonly compares: readonly CompareRequest[]
  /** Whether it asks for the moment that the answer shows, which moves with every refresh. */
  readonly showsMoment: boolean
}
