import type { ValueType } from '../column-type'

/**
 * What a measure stores so that buckets merge. One column of every rollup.
 *
 * `build` turns source rows into the state, `merge` turns states into one state of the same type: both are SQL aggregate
 * expressions, so a rollup is built and read by set-based SQL alone. Merging a `bigint` may widen it to `numeric`, so that
 * a total cannot overflow; assigning the result to a rollup's column narrows it again.
 */
export interface StateDefinition {
  readonly column: string
  readonly sqlType: string
  /** Aggregate expression over source rows. */
  readonly build: string
  /** Aggregate expression over rows that hold `column` under the given SQL name. */
  merge(column: string): string
}

/**
 * State, merge, finalise: the whole of a measure. A value exists only after merging, so a mean is never averaged and a
 * ratio never summed.
 */
export interface MeasureAlgebra {
  readonly states: readonly StateDefinition[]
  /** Names of other measures whose values `finalise` takes, instead of states. Only formulas have any. */
  readonly inputs: readonly string[]
  /**
   * Scalar SQL expression for the value, from the SQL of the merged states in the order of `states`, or of the values of
   * `inputs` in their order.
   */
  finalise(arguments_: readonly string[]): string
  readonly type: ValueType
  /** False for measures that are 0 when nothing matches; true for those that are null then. */
  readonly nullable: boolean
}
