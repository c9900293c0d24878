import { type BaseGranularity, GRANULARITIES, type Granularity, isMadeOf } from '../time/granularity'
import type { CapturePlan } from './capture-plan'
import type { DimensionType } from './column-type'
import type { MeasureFormat, RefreshOptions } from './declaration'
import type { MeasureAlgebra, StateDefinition } from './measures/algebra'

export type { ColumnType, DimensionType, ValueType } from './column-type'

export interface DimensionDefinition {
  readonly name: string
  /** Column of the rollups. */
  readonly column: string
  readonly label: string
  readonly description: string | null
  readonly type: DimensionType
  /** Expression over a source row, of the type the rollups keep. */
  readonly sql: string
}

export interface MeasureDefinition {
  readonly name: string
  readonly label: string
  readonly description: string | null
  readonly unit: string | null
  readonly format: MeasureFormat
  readonly algebra: MeasureAlgebra
}

export interface RollupDefinition {
  /** Position in the layout; 0 is the base rollup when there is one. */
  readonly index: number
  /** For people: `hour × origin × destination`. */
  readonly name: string
  /** Names of dimensions, in the order of the declaration, scope dimensions first. */
  readonly by: readonly string[]
  readonly granularity: Granularity
  /** Canonical zone of the buckets; `UTC` for granularities finer than a day and for `date` time columns. */
  readonly timezone: string
  /** ISO 8601 duration after which its buckets are deleted; null keeps all. */
  readonly keep: string | null
}

/** A dataset that was checked against its class and the database. Frozen, plain data but for the measures' algebra. */
export interface Definition {
  /** `Flights`. */
  readonly className: string
  /** `flights`: the query's name. */
  readonly name: string
  readonly label: string
  readonly description: string | null
  /** FROM item: a quoted relation or a parenthesised SELECT; used with the alias `source`. */
  readonly sourceSql: string
  /** The time column as an instant (timestamptz expression over a source row); a `date` is midnight UTC. */
  readonly timeSql: string
  /** The time column itself, quoted: what an index is on. */
  readonly timeColumn: string
  readonly timeType: 'timestamptz' | 'timestamp' | 'date'
  /** Canonical. */
  readonly timezone: string
  readonly granularity: BaseGranularity
  readonly dimensions: readonly DimensionDefinition[]
  readonly measures: readonly MeasureDefinition[]
  /** Every distinct state that the measures need, in a stable order. */
  readonly states: readonly StateDefinition[]
  /** Conditions over a source row, one for each numeric value that may be NaN or infinite: where it is not. */
  readonly finite: readonly string[]
  readonly rollups: readonly RollupDefinition[]
  /** Dimension name → claim. */
  readonly scope: Readonly<Record<string, string>>
  readonly refresh: RefreshOptions
  /** Null unless triggers capture the source's changes. */
  readonly capture: CapturePlan | null
  /** ISO 8601 duration after which source rows are purged and their buckets frozen; null: they never are. */
  readonly sourceKeeps: string | null
  /** Names the layout: hex digest of everything above that changes what the rollups hold. */
  readonly hash: string
  /** Hex digest of what the measures make of the states: the same rollups may answer differently under another formula. */
  readonly meaning: string
}

/** What keeping the rollups of a definition takes: all but what is made of them afterwards. */
export type LayoutDefinition = Omit<Definition, 'measures' | 'meaning' | 'label' | 'description'>

/** The sizes of bucket that some rollup of the dataset can make up, finest first. */
export function servedGranularities({ rollups }: Definition): Granularity[] {
  return GRANULARITIES.filter((unit) => rollups.some((rollup) => isMadeOf(unit, rollup.granularity)))
}
