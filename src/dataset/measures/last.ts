import type { ColumnType, ValueType } from '../column-type'
import type { MeasureSpec, SourceExpression, WhereOption } from '../declaration'
import { quoteLiteral } from '../sql'
import { type ColumnMeasure, EXACT_TYPES, NUMERIC_TYPES, type Operand, presentFilter } from './draft'

export interface LastOptions extends WhereOption {
  /** Dimensions, by name: the last value of each combination of theirs is taken, and those are added up. */
  readonly sumOver?: readonly string[]
}

/**
 * Takes the value of a column or an expression at the latest time at which it is not null, of the column's own type; of
 * several at that time the largest. Null when there is none. With `sumOver`, adds up the last values of each station,
 * account or whatever the dimensions tell apart. NaN and infinite values are ignored.
 */
export function last(of: SourceExpression, options: LastOptions = {}): MeasureSpec {
  return { ...options, kind: 'last', of }
}

/** An instant in microseconds since 2000, which is exact for every instant that Postgres has. */
const microseconds = (instant: string) => `((extract(epoch from ${instant}) - 946684800) * 1000000)::bigint`

/** Microseconds from the year 1, before which no row has a bucket, to 2000: keeps the digits of a time free of signs. */
const SINCE_YEAR_1 = '63082281600000000'

interface Kept {
  /** SQL type of the state: an array that begins with the time and ends with the value, so that the largest is the last. */
  readonly sqlType: string
  state(operand: Operand): string
  /** The value, from the SQL of a merged state. */
  value(state: string): string
  readonly type: ValueType
}

const exact: Kept = {
  sqlType: 'bigint[]',
  state: ({ sql, timeSql }) => `array[${microseconds(timeSql)}, ${sql}]`,
  value: (state) => `(${state})[2]`,
  type: 'SafeInt',
}

const double: Kept = {
  sqlType: 'float8[]',
  // A double cannot hold the microseconds of a whole time. Adding 0 makes -0 of IEEE 754 the 0 that it equals.
  state: ({ sql, timeSql }) => {
    const at = microseconds(timeSql)
    return `array[(${at} / 1000000)::float8, (${at} % 1000000)::float8, ${sql}::float8 + 0]`
  },
  value: (state) => `(${state})[3]`,
  type: 'Float',
}

function moment(instant: (operand: Operand) => string): Kept {
  return {
    sqlType: 'bigint[]',
    state: (operand) => `array[${microseconds(operand.timeSql)}, ${microseconds(instant(operand))}]`,
    // Two intervals, since one is computed as a double, which cannot hold so many microseconds.
    value: (state) =>
      `(select timestamptz '2000-01-01 00:00Z' + v / 1000000 * interval '1 second' + v % 1000000 * interval '1 microsecond'
  from (select (${state})[2] as v) as kept)`,
    type: 'DateTime',
  }
}

const KEPT: Partial<Readonly<Record<ColumnType, Kept>>> = {
  smallint: exact,
  integer: exact,
  bigint: exact,
  numeric: { ...exact, sqlType: 'numeric[]', value: (state) => `((${state})[2])::float8`, type: 'Float' },
  real: double,
  double,
  date: {
    ...exact,
    state: ({ sql, timeSql }) => `array[${microseconds(timeSql)}, ${sql} - date '2000-01-01']`,
    value: (state) => `date '2000-01-01' + ((${state})[2])::integer`,
    type: 'Date',
  },
  timestamp: moment(({ sql, timezone }) => `(${sql} at time zone ${quoteLiteral(timezone)})`),
  timestamptz: moment(({ sql }) => sql),
  text: {
    sqlType: 'text[] collate "C"',
    state: ({ sql, timeSql }) =>
      `array[lpad((${microseconds(timeSql)} + ${SINCE_YEAR_1})::text, 18, '0'), ${sql}::text] collate "C"`,
    value: (state) => `(${state})[2]`,
    type: 'String',
  },
}

/** The algebra of `last`: the time and the value in one array, and of arrays the largest. */
export const lastMeasure: ColumnMeasure = {
  takes: Object.keys(KEPT) as ColumnType[],
  takesText: 'a number, a date, a timestamp or text',
  algebra: (operand) => {
    const kept = KEPT[operand.type]
    if (kept === undefined) throw new TypeError(`last of ${operand.type} is not defined`)
    const collation = kept.type === 'String' ? ' collate "C"' : ''
    return {
      states: [
        {
          suffix: 'last',
          sqlType: kept.sqlType,
          build: `max(${kept.state(operand)})${presentFilter(operand)}`,
          merge: (column) => `max(${column}${collation})`,
        },
      ],
      inputs: [],
      finalise: ([state]) => kept.value(`${state}`),
      type: kept.type,
      nullable: true,
    }
  },
}

/**
 * The algebra of `last` with `sumOver`: an object with a member `[time, value]` for every combination of the dimensions,
 * given by their SQL over a source row. Of members with the same key the one added last is kept, hence the order.
 */
export function lastSumMeasure(dimensions: readonly string[]): ColumnMeasure {
  return {
    takes: NUMERIC_TYPES,
    takesText: 'a number to have sumOver',
    algebra: (operand) => {
      const isExact = EXACT_TYPES.includes(operand.type)
      const isDouble = operand.type === 'real' || operand.type === 'double'
      const at = microseconds(operand.timeSql)
      const value = isDouble ? `${operand.sql}::float8 + 0` : operand.sql
      const key = `jsonb_build_array(${dimensions.join(', ')})::text`
      return {
        states: [
          {
            suffix: 'last',
            sqlType: 'jsonb',
            build: `jsonb_object_agg(${key}, jsonb_build_array(${at}, ${value}) order by ${at}, ${value})${presentFilter(operand)}`,
            merge: (column) => `(select jsonb_object_agg(key, value order by value)
  from unnest(array_agg(${column}) filter (where ${column} is not null)) as held(members), jsonb_each(members))`,
          },
        ],
        inputs: [],
        finalise: ([state]) =>
          `(select sum((value ->> 1)::${isDouble ? 'float8' : 'numeric'})${isExact ? '' : '::float8'} from jsonb_each(${state}))`,
        type: isExact ? 'SafeInt' : 'Float',
        nullable: true,
      }
    },
  }
}
