import type { Definition, RollupDefinition } from '../dataset/definition'
import type { Condition } from './condition'

/** Offset of a zone from UTC, in seconds, from an instant on. */
export interface OffsetFrom {
  readonly at: number
  readonly offsetSeconds: number
}

/** Which rows of which rollup a part reads. Instants are epoch milliseconds. */
export interface Slice {
  readonly definition: Definition
  /** The layout's id. */
  readonly layout: string
  readonly rollup: RollupDefinition
  /** About how many rows the rollup has. */
  readonly rows: number
  /** Half-open; null: unbounded. Both lie on the rollup's bucket boundaries. */
  readonly from: number | null
  readonly to: number | null
  /** Offsets of the report's zone over the slice, for the implied dimensions; the first one holds from the beginning. */
  readonly offsets: readonly OffsetFrom[]
  readonly where: Condition
}

export type KeyValue = string | number | boolean | null

/** One comparison of a measure's value with a number, normalised and two-valued like `Condition`. */
export type Having =
  | { readonly kind: 'all'; readonly of: readonly Having[] }
  | { readonly kind: 'compare'; readonly measure: string; readonly operator: HavingOperator; readonly value: number }
export type HavingOperator = 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte'

export interface SortField {
  readonly kind: 'measure' | 'dimension'
  readonly name: string
  readonly direction: 'asc' | 'desc'
}

/** Where a page ended: the sort values of its last group, as text, and the group's key. */
export interface Position {
  readonly values: readonly (string | null)[]
  readonly key: readonly KeyValue[]
}

export interface BreakdownPart {
  readonly kind: 'breakdown'
  readonly slice: Slice
  readonly by: readonly string[]
  readonly measures: readonly string[]
  readonly having: Having
  /** Complete: every dimension of `by` occurs, so that no two groups share a position. */
  readonly sort: readonly SortField[]
  readonly first: number
  readonly after: Position | null
  /** Measures of `other`; null when it is not asked for. */
  readonly other: readonly string[] | null
}

/** One read of a rollup: one statement. */
export type Part =
  | { readonly kind: 'totals'; readonly slice: Slice; readonly measures: readonly string[] }
  | {
      readonly kind: 'series'
      readonly slice: Slice
      readonly measures: readonly string[]
      /** n + 1 instants bound n buckets. */
      readonly boundaries: readonly number[]
    }
  | BreakdownPart
  | {
      /** The given groups, each as totals (`boundaries` null) or as a series. */
      readonly kind: 'groups'
      readonly slice: Slice
      readonly by: readonly string[]
      readonly keys: readonly (readonly KeyValue[])[]
      readonly measures: readonly string[]
      readonly boundaries: readonly number[] | null
    }
  | {
      /** The series of what a breakdown leaves to `other`. */
      readonly kind: 'otherSeries'
      readonly slice: Slice
      /** Ranked as the page itself was, on the page's own rollup: sums of floats differ between rollups in their last digits. */
      readonly breakdown: BreakdownPart
      readonly measures: readonly string[]
      readonly boundaries: readonly number[]
    }

/** A finalised value. An integer beyond 2⁵³ − 1 stays a string of digits; it is refused where it would be answered. */
export type Value = number | string | null

export interface TotalsRows {
  readonly kind: 'totals'
  readonly values: readonly Value[]
}
export interface SeriesRows {
  readonly kind: 'series'
  /** Bucket index, then values; only buckets that have rows. */
  readonly rows: readonly (readonly [number, readonly Value[]])[]
}
export interface BreakdownRows {
  readonly kind: 'breakdown'
  readonly groups: readonly { readonly position: Position; readonly values: readonly Value[] }[]
  readonly hasNext: boolean
  readonly totalCount: number
  /** Null when nothing is left, or it was not asked for. */
  readonly other: readonly Value[] | null
}
export interface GroupsRows {
  readonly kind: 'groups'
  /** Index into `keys`, bucket index (0 for totals), values. */
  readonly rows: readonly (readonly [number, number, readonly Value[]])[]
}

export type PartRows<P extends Part> = P extends { kind: 'totals' }
  ? TotalsRows
  : P extends { kind: 'series' | 'otherSeries' }
    ? SeriesRows
    : P extends { kind: 'breakdown' }
      ? BreakdownRows
      : GroupsRows
