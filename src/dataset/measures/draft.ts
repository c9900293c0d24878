import type { ColumnType } from '../column-type'
import type { MeasureAlgebra, StateDefinition } from './algebra'

/** The column or expression that a measure computes over, its meaning settled against the database. */
export interface Operand {
  /** Scalar SQL over a source row, safe to use inside a larger expression. */
  readonly sql: string
  readonly type: ColumnType
  /** Condition over a source row; null counts every row. */
  readonly where: string | null
  /** Canonical zone of local timestamps. */
  readonly timezone: string
  /** The row's time as an instant. Not null, and within the years 1 to 9998, in every row that reaches a bucket. */
  readonly timeSql: string
}

/** A state before it has a column: measures that need the same state share one. */
export interface DraftState extends Omit<StateDefinition, 'column'> {
  /** What it is, for the column's name: `sum` makes `distance_sum`. */
  readonly suffix: string
}

/** A measure's algebra before its states have columns. */
export interface DraftAlgebra extends Omit<MeasureAlgebra, 'states'> {
  readonly states: readonly DraftState[]
}

/** A sort of measure over one column. */
export interface ColumnMeasure {
  /** Types of columns it can be computed over. */
  readonly takes: readonly ColumnType[]
  /** The same for people: `a number`. */
  readonly takesText: string
  algebra(operand: Operand): DraftAlgebra
}

export const EXACT_TYPES: readonly ColumnType[] = ['smallint', 'integer', 'bigint']
/** Types that can hold NaN and infinity, which every measure ignores. */
export const INEXACT_TYPES: readonly ColumnType[] = ['numeric', 'real', 'double']
export const NUMERIC_TYPES: readonly ColumnType[] = [...EXACT_TYPES, ...INEXACT_TYPES]

/** Returns the SQL type of a column type that aggregates without a cast. */
const CASTS: Partial<Readonly<Record<ColumnType, string>>> = { numeric: 'numeric', real: 'float4', double: 'float8' }

/** Returns the SQL condition under which the operand is a finite value, or null when its type has no other values. */
export function finiteCondition(operand: Pick<Operand, 'sql' | 'type'>): string | null {
  const cast = CASTS[operand.type]
  if (cast !== undefined) {
    return `${operand.sql} not in ('NaN'::${cast}, 'Infinity'::${cast}, '-Infinity'::${cast})`
  }
  const isMoment = operand.type === 'date' || operand.type === 'timestamp' || operand.type === 'timestamptz'
  return isMoment ? `isfinite(${operand.sql})` : null
}

/** Returns ` filter (where …)` for the rows that the measure counts, or nothing when those are all. */
export function filterOf(operand: Operand): string {
  return filterSql([operand.where, finiteCondition(operand)])
}

/**
 * Returns ` filter (where …)` for the rows that the measure counts and whose value is not null. Aggregates that stand in
 * a sub-select belong to the query whose columns they name: an expression that names none, such as `1`, needs the time
 * beside it.
 */
export function presentFilter(operand: Operand): string {
  const anchor = operand.sql.startsWith('(') ? `${operand.timeSql} is not null` : null
  return filterSql([operand.where, finiteCondition(operand), `${operand.sql} is not null`, anchor])
}

/** Returns ` filter (where …)` of every condition that there is, or nothing. */
export function filterSql(conditions: readonly (string | null)[]): string {
  const present = conditions.filter((condition) => condition !== null)
  return present.length === 0 ? '' : ` filter (where ${present.join(' and ')})`
}
