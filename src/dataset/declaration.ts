import type { BaseGranularity, Granularity } from '../time/granularity'

/** A column of the source by name, or any SQL expression over its row. */
export type SourceExpression = string | { readonly sql: string }

export interface RollupOptions {
  /** Names of the dimensions this rollup keeps. Scope dimensions must be among them. */
  readonly by: readonly string[]
  readonly granularity: Granularity
  /** Zone of the buckets of a rollup of a day or coarser. Default: the dataset's. */
  readonly timezone?: string
  /** ISO 8601 duration: older buckets of this rollup are deleted. Default: all are kept. */
  readonly keep?: string
}

export type RefreshOptions =
  | 'manual'
  | {
      /** How often the server looks for changes: `10s`, `5m`, `1h`. */
      readonly every?: string
      readonly capture?: 'trigger'
      /** With `capture`: how long a change of a table without the time may wait for its rebuild. Default `1h`. */
      readonly rebuildAtMost?: string
      readonly updatedAt?: string
      /** ISO 8601 duration: the window recomputed by every refresh. */
      readonly lookback?: string
    }

export type SourceOptions =
  | string
  | {
      readonly sql: string
      readonly dependsOn?: readonly string[] | Readonly<Record<string, { columns: readonly string[] }>>
    }

export interface DatasetOptions {
  readonly description?: string
  readonly label?: string
  /** Table or view (`schema.table` allowed), or `{ sql }`: a SELECT. */
  readonly source: SourceOptions
  /** Time column: `timestamptz`, `timestamp` or `date`. */
  readonly time: string
  /** Zone of a `timestamp` or `date` column, and of rollups of a day or coarser. Default `UTC`. */
  readonly timezone?: string
  /** Finest bucket kept. Default `hour`; `day` for a `date` column. */
  readonly granularity?: BaseGranularity
  /** Whether to keep one rollup with all dimensions at the finest granularity. Default true. */
  readonly base?: boolean
  readonly rollups?: readonly RollupOptions[]
  readonly refresh?: RefreshOptions
  /** ISO 8601 duration: older source rows get purged; their buckets are frozen. */
  readonly sourceKeeps?: string
  /** Dimension ← claim of the principal, forced on every question. */
  readonly scope?: Readonly<Record<string, string>>
}

export interface DimensionOptions {
  readonly description?: string
  readonly label?: string
  /** Column of the source. Default: the member's name, or its snake_case form if only that exists. */
  readonly column?: string
  /** Expression over a source row, instead of a column. */
  readonly sql?: string
}

export type MeasureFormat = 'number' | 'percent' | 'currency' | 'duration'

export interface MeasureOptions {
  readonly description?: string
  readonly label?: string
  /** Unit of Intl.NumberFormat, or an ISO 4217 currency. */
  readonly unit?: string
  /** Default: `percent` for no measure, `currency` for an ISO 4217 unit, else `number`. */
  readonly format?: MeasureFormat
}

export interface WhereOption {
  /** SQL condition over a source row: only rows where it is true count. */
  readonly where?: string
}

/** What a measure computes, as written in the declaration. Ratio is of two other measures; the rest are of source rows. */
export type MeasureSpec =
  | ({ readonly kind: 'count' } & WhereOption)
  | ({
      readonly kind: 'sum' | 'avg' | 'min' | 'max' | 'countDistinct'
      readonly of: SourceExpression
    } & WhereOption)
  | ({ readonly kind: 'quantile'; readonly q: number; readonly of: SourceExpression } & WhereOption)
  | ({ readonly kind: 'last'; readonly of: SourceExpression; readonly sumOver?: readonly string[] } & WhereOption)
  | { readonly kind: 'ratio'; readonly numerator: string; readonly denominator: string }

export interface DeclaredDimension {
  readonly name: string
  readonly options: DimensionOptions
}

export interface DeclaredMeasure {
  readonly name: string
  readonly spec: MeasureSpec
  readonly options: MeasureOptions
}

/** What the decorators of one class recorded, unchecked. */
export interface Declaration {
  /** The class's name: `Flights`. */
  readonly className: string
  /** The file it came from, where known, for messages. */
  readonly file?: string
  readonly options: DatasetOptions
  /** In the order of the class body. */
  readonly dimensions: readonly DeclaredDimension[]
  readonly measures: readonly DeclaredMeasure[]
}
