import type { MeasureSpec, SourceExpression, WhereOption } from '../declaration'
import { type ColumnMeasure, EXACT_TYPES, NUMERIC_TYPES, type Operand, presentFilter } from './draft'

/**
 * Estimates the value below which the fraction `q` of the values of a column or an expression lies, 0 < q < 1, that is
 * the value of rank ⌈q·n⌉ like `percentile_disc`; null when there are none. Within 1 % of that value, above or below
 * zero alike. NaN and infinite values are ignored.
 */
export function quantile(q: number, of: SourceExpression, options: WhereOption = {}): MeasureSpec {
  return { ...options, kind: 'quantile', q, of }
}

/** Each bin ends at 1.02 times where it begins: its middle is within 0.0099 of every value in it. */
const GAMMA = 1.02
/** Values nearer to zero are taken for zero, and numerics beyond every double for the largest. */
const LEAST = '1e-300'
const MOST = '1.7976931348623157e308'
/** Bins of positive values lie around CENTRE + SIDE, those of negative ones, mirrored, around CENTRE − SIDE. All are below 2^18. */
const CENTRE = 160_000
const SIDE = 40_000
const COUNT_BITS = 45
const COUNT = `${2 ** COUNT_BITS - 1}`

function binSql({ sql, type }: Operand): string {
  const isExact = EXACT_TYPES.includes(type)
  // A numeric may be larger than any double, and a double must not be compared as a numeric, which is slow.
  const bound = (text: string) => `'${text}'::${type === 'numeric' ? 'numeric' : 'float8'}`
  const positive = isExact ? '0' : bound(LEAST)
  const negative = isExact ? '0' : bound(`-${LEAST}`)
  // A constant NaN or infinity is computed with while planning, whatever the filter says: no bin may be out of range.
  const above = isExact ? sql : `least(${sql}, ${bound(MOST)})`
  const below = isExact ? sql : `greatest(${sql}, ${bound(`-${MOST}`)})`
  const index = (value: string) => `ceil(ln(${value}) * ${1 / Math.log(GAMMA)})::integer`
  return `case when ${sql} > ${positive} then ${CENTRE + SIDE} + ${index(`${above}::float8`)}
  when ${sql} < ${negative} then ${CENTRE - SIDE} - ${index(`-(${below}::float8)`)} else ${CENTRE} end`
}

function buildSql(operand: Operand): string {
  const bins = `(array_agg(${binSql(operand)})${presentFilter(operand)})`
  // Most groups of a fine rollup are of one row, which needs no sorting.
  return `case when cardinality(${bins}) = 1 then array[${bins}[1]::bigint << ${COUNT_BITS} | 1]
  when cardinality(${bins}) > 1 then array(select b::bigint << ${COUNT_BITS} | count(*)
    from (select unnest(${bins}) as b) as bins group by b order by b) end`
}

function mergeSql(column: string): string {
  return `nullif(array(select e >> ${COUNT_BITS} << ${COUNT_BITS} | sum(e & ${COUNT})::bigint
  from (select unnest(held.a) as e
    from unnest(array_agg(row(${column})) filter (where ${column} is not null)) as held(a bigint[])) as entries
  group by e >> ${COUNT_BITS} order by e >> ${COUNT_BITS}), '{}')`
}

/** The middle of the bin in which the value of that rank lies. Its logarithm is cut where a double ends. */
function valueSql(state: string, q: number): string {
  const middle = (index: string) =>
    `exp(least((${index}) * ${Math.log(GAMMA)}::float8 + ${Math.log(2 / (GAMMA + 1))}::float8, 709.78))`
  return `(select case when b > ${CENTRE} then ${middle(`b - ${CENTRE + SIDE}`)}
  when b < ${CENTRE} then -${middle(`${CENTRE - SIDE} - b`)} else 0 end
  from (select e >> ${COUNT_BITS} as b, sum((e & ${COUNT})::float8) over (order by e) as reached,
    sum((e & ${COUNT})::float8) over () as n from unnest(${state}) as e) as bins
  where reached >= greatest(ceil(${q}::float8 * n), 1) order by b limit 1)`
}

/**
 * The algebra of `quantile`: DDSketch (Masson, Rim, Lee, VLDB 2019) without its limit of bins, hence with its error for
 * every value. A bin is a `bigint`: its index, then its number of values in 45 bits; they are sorted, so that the
 * same values make the same array in whatever order and portions they are merged.
 */
export function quantileMeasure(q: number): ColumnMeasure {
  return {
    takes: NUMERIC_TYPES,
    takesText: 'a number',
    algebra: (operand) => ({
      states: [{ suffix: 'bins', sqlType: 'bigint[]', build: buildSql(operand), merge: mergeSql }],
      inputs: [],
      finalise: ([bins]) => valueSql(`${bins}`, q),
      type: 'Float',
      nullable: true,
    }),
  }
}
