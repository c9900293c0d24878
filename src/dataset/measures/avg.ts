import type { MeasureSpec, SourceExpression, WhereOption } from '../declaration'
import { type ColumnMeasure, filterOf, NUMERIC_TYPES } from './draft'
import { sumState } from './sum'

/** Averages a column or an expression over the rows where it is not null; null when there are none. */
export function avg(of: SourceExpression, options: WhereOption = {}): MeasureSpec {
  return { ...options, kind: 'avg', of }
}

/** The algebra of `avg`: a sum and a number of values, divided only after merging. */
export const avgMeasure: ColumnMeasure = {
  takes: NUMERIC_TYPES,
  takesText: 'a number',
  algebra: (operand) => ({
    states: [
      sumState(operand),
      {
        suffix: 'count',
        sqlType: 'bigint',
        build: `count(${operand.sql})${filterOf(operand)}`,
        merge: (column) => `sum(${column})`,
      },
    ],
    inputs: [],
    // Divided as numeric where the sum is exact: integers would be divided as integers.
    finalise: ([total, values]) =>
      operand.type === 'real' || operand.type === 'double'
        ? `(${total})::float8 / nullif((${values})::float8, 0)`
        : `((${total})::numeric / nullif(${values}, 0))::float8`,
    type: 'Float',
    nullable: true,
  }),
}
