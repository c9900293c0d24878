import type { Unit } from './calendar'

export type KeyType = 'text' | 'integer' | 'boolean' | 'date'

/** A dimension in plain SQL over a row of the source. */
export interface OracleDimension {
  readonly name: string
  readonly type: KeyType
  readonly sql: string
  /** Values to filter by, some of which occur. */
  readonly samples: readonly (string | number | boolean)[]
  /** Texts to search for. */
  readonly needles?: readonly string[]
}

/** A measure as the aggregate that anybody would write over the source. */
export interface OracleMeasure {
  readonly name: string
  readonly sql: string
  readonly type: 'integer' | 'exact' | 'float' | 'text' | 'date' | 'time'
  /** Whether the values of parts add up to the value of the whole. */
  readonly isAdditive?: boolean
  /** Aggregate of what a float may be off by in units of 10⁻¹²: Σ|x| for a sum, its mean for an average. */
  readonly magnitude?: string
}

export interface OracleRollup {
  readonly by: readonly string[]
  readonly granularity: Unit
  readonly timezone: string
}

/** What the oracle knows of a dataset. Nothing of it comes from the product. */
export interface OracleDataset {
  /** Name of the query. */
  readonly query: string
  /** FROM item. */
  readonly from: string
  /** The time as an instant; a date's midnight in UTC. */
  readonly time: string
  /** Whether time is a date, which no zone shifts. */
  readonly isDated: boolean
  readonly granularity: Unit
  readonly dimensions: readonly OracleDimension[]
  readonly measures: readonly OracleMeasure[]
  readonly rollups: readonly OracleRollup[]
}

export const IMPLIED = [
  { name: 'hourOfDay', needs: 'HOUR', field: 'hour', samples: [0, 1, 2, 3, 12, 23] },
  { name: 'dayOfWeek', needs: 'DAY', field: 'isodow', samples: [1, 2, 6, 7] },
  { name: 'monthOfYear', needs: 'MONTH', field: 'month', samples: [1, 3, 4, 10, 11] },
] as const

/** The clock time of a row in a zone. */
export function localSql(dataset: OracleDataset, zone: string): string {
  return `(${dataset.time} AT TIME ZONE '${dataset.isDated ? 'UTC' : zone}')`
}

export function dimensionOf(dataset: OracleDataset, name: string, zone: string): OracleDimension {
  const implied = IMPLIED.find((candidate) => candidate.name === name)
  if (implied !== undefined) {
    const { samples, field } = implied
    return { name, type: 'integer', samples, sql: `extract(${field} FROM ${localSql(dataset, zone)})::integer` }
  }
  const declared = dataset.dimensions.find((candidate) => candidate.name === name)
  if (declared === undefined) throw new Error(`${dataset.query} has no dimension ${name}`)
  return declared
}

export function measureOf(dataset: OracleDataset, name: string): OracleMeasure {
  const measure = dataset.measures.find((candidate) => candidate.name === name)
  if (measure === undefined) throw new Error(`${dataset.query} has no measure ${name}`)
  return measure
}
