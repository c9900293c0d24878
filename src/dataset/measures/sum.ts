import type { MeasureSpec, SourceExpression, WhereOption } from '../declaration'
import { type ColumnMeasure, type DraftState, EXACT_TYPES, filterOf, NUMERIC_TYPES, type Operand } from './draft'

/**
 * Adds up a column or an expression. Exact for integers (`SafeInt`), `Float` for everything else; 0 when there is
 * nothing to add. NaN and infinite values are ignored.
 */
export function sum(of: SourceExpression, options: WhereOption = {}): MeasureSpec {
  return { ...options, kind: 'sum', of }
}

/** SQL type that holds the sum of a bucket: no sum of integers may overflow, no sum of `real` may lose its digits. */
function sumType(operand: Operand): string {
  if (operand.type === 'smallint' || operand.type === 'integer') return 'bigint'
  return operand.type === 'bigint' || operand.type === 'numeric' ? 'numeric' : 'float8'
}

/** The state that `sum` and `avg` share. */
export function sumState(operand: Operand): DraftState {
  const sqlType = sumType(operand)
  // Postgres adds up `real` in single precision, which stops counting at 16,777,216.
  const value = sqlType === 'float8' ? `${operand.sql}::float8` : operand.sql
  return {
    suffix: 'sum',
    sqlType,
    build: `coalesce(sum(${value})${filterOf(operand)}, 0)`,
    merge: (column) => `sum(${column})`,
  }
}

/** The algebra of `sum`: a sum, added up. */
export const sumMeasure: ColumnMeasure = {
  takes: NUMERIC_TYPES,
  takesText: 'a number',
  algebra: (operand) => {
    const isExact = EXACT_TYPES.includes(operand.type)
    return {
      states: [sumState(operand)],
      inputs: [],
      finalise: ([total]) => (isExact ? `coalesce(${total}, 0)` : `coalesce(${total}, 0)::float8`),
      type: isExact ? 'SafeInt' : 'Float',
      nullable: false,
    }
  },
}
