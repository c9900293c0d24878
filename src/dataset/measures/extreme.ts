import type { ColumnType, ValueType } from '../column-type'
import { quoteLiteral } from '../sql'
import { type ColumnMeasure, filterOf, type Operand } from './draft'

interface Kept {
  /** SQL type of the state. */
  readonly sqlType: string
  /** The operand as a value of that type. */
  readonly value: (operand: Operand) => string
  readonly type: ValueType
}

const asItIs = (operand: Operand) => operand.sql

const KEPT: Partial<Readonly<Record<ColumnType, Kept>>> = {
  smallint: { sqlType: 'smallint', value: asItIs, type: 'SafeInt' },
  integer: { sqlType: 'integer', value: asItIs, type: 'SafeInt' },
  bigint: { sqlType: 'bigint', value: asItIs, type: 'SafeInt' },
  numeric: { sqlType: 'numeric', value: asItIs, type: 'Float' },
  real: { sqlType: 'real', value: asItIs, type: 'Float' },
  double: { sqlType: 'float8', value: asItIs, type: 'Float' },
  date: { sqlType: 'date', value: asItIs, type: 'Date' },
  timestamp: {
    sqlType: 'timestamptz',
    value: (operand) => `${operand.sql} at time zone ${quoteLiteral(operand.timezone)}`,
    type: 'DateTime',
  },
  timestamptz: { sqlType: 'timestamptz', value: asItIs, type: 'DateTime' },
  text: { sqlType: 'text collate "C"', value: (operand) => `${operand.sql}::text collate "C"`, type: 'String' },
}

/** The algebra of `min` and `max`: the extreme value of a bucket, and of buckets the extreme one of those. */
export function extremeMeasure(aggregate: 'min' | 'max'): ColumnMeasure {
  return {
    takes: Object.keys(KEPT) as ColumnType[],
    takesText: 'a number, a date, a timestamp or text',
    algebra: (operand) => {
      const kept = KEPT[operand.type]
      if (kept === undefined) throw new TypeError(`${aggregate} of ${operand.type} is not defined`)
      return {
        states: [
          {
            suffix: aggregate,
            sqlType: kept.sqlType,
            build: `${aggregate}(${kept.value(operand)})${filterOf(operand)}`,
            merge: (column) => `${aggregate}(${column}${kept.type === 'String' ? ' collate "C"' : ''})`,
          },
        ],
        inputs: [],
        finalise: ([value]) => (kept.type === 'Float' ? `(${value})::float8` : `${value}`),
        type: kept.type,
        nullable: true,
      }
    },
  }
}
