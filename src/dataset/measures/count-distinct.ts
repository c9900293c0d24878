import type { ColumnType } from '../column-type'
import type { MeasureSpec, SourceExpression, WhereOption } from '../declaration'
import { type ColumnMeasure, NUMERIC_TYPES, type Operand, presentFilter } from './draft'

/**
 * Counts the distinct values of a column or an expression, null not among them; 0 when there are none. An estimate: next
 * to exact up to some 4,000 values, beyond with a standard error of 0.81 %. NaN and infinite values are ignored.
 */
export function countDistinct(of: SourceExpression, options: WhereOption = {}): MeasureSpec {
  return { ...options, kind: 'countDistinct', of }
}

/** Of the hash of doubles: not 0, which is what Postgres would then make of the number 0. */
const SEED = '1442695040888963407'

/** SQL whose result changes when the server hashes values in another way, so that states made before cannot be merged. */
export const HASH_PROBE_SQL =
  `select concat_ws(' ', hashtextextended('Aggregraph' collate "C", 0), hash_numeric_extended(20.26, 0), ` +
  `hashfloat8extended(20.26, ${SEED})) as probe`

/** Whether a state of that `build` hangs on how the server hashes values. */
export function hashesValues(build: string): boolean {
  return /\bhash\w*extended\(/.test(build)
}

/** 2^14 registers: the relative standard error is 1.04 / √16,384. */
const REGISTERS = 16_384
/** Up to so many entries a sketch keeps 24 bits of the place of each, which tell all but a few values apart. */
const MOST_FINE = 4096
const FINE_PLACES = 2 ** 24
/** Set in every entry of a sketch that has only the registers' 14 bits of place. */
const COARSE = 2 ** 30
const BY_LOG_2 = '1.4426950408889634'

/**
 * 64 bits that equal values share and that hang on no setting of a session. Integers are hashed by their digits:
 * `hashint8extended` folds its argument to 32 bits first, and `hashint4extended` mixes so little that consecutive
 * numbers were counted 1 % too low (mean of 100 sketches of 30,000 each).
 */
function hashSql({ sql, type }: Pick<Operand, 'sql' | 'type'>): string {
  switch (type) {
    case 'date':
      return `hashtextextended((${sql} - date '2000-01-01')::text collate "C", 0)`
    case 'numeric':
      return `hash_numeric_extended(${sql}, 0)`
    case 'timestamp':
    case 'timestamptz':
      return `hash_numeric_extended(extract(epoch from ${sql}), 0)`
    case 'real':
    case 'double':
      return `hashfloat8extended(${sql}::float8, ${SEED})`
    default:
      return `hashtextextended(${sql}::text collate "C", 0)`
  }
}

/** 1 + the number of zeros that lead `bits` bits. Half is added so that no rounding of the logarithm can reach a whole. */
const rankSql = (sql: string, bits: number) => `${bits} - floor(ln((${sql}) + 0.5::float8) * ${BY_LOG_2})::integer`

/** An entry: the first 24 bits of a hash as its place, then the rank of the other 40 in 6 bits. */
const entrySql = (hash: string) =>
  `(((${hash} >> 40)::integer + 8388608) << 6 | (${rankSql(`${hash} & 1099511627775`, 40)}))`

/** A fine entry as a coarse one: ten bits of the place are read as part of the rank. */
const COARSENED = `${COARSE} | ((e >> 16) << 6) | (case when e >> 6 & 1023 = 0 then 10 + (e & 63)
  else ${rankSql('e >> 6 & 1023', 10)} end)`

const AS_COARSE = `case when e < ${COARSE} then ${COARSENED} else e end`

/** Makes a sorted array of entries, fine or mixed with coarse ones, what the sketch of all their values must be. */
function settle(entries: string): string {
  return `(select case when a = '{}' then null
  when cardinality(a) <= ${MOST_FINE} and a[cardinality(a)] < ${COARSE} then a
  else array(select max(d) from (select ${AS_COARSE} as d from unnest(a) as e) as coarse
    group by d >> 6 order by d >> 6) end from (select ${entries} as a offset 0) as sketch)`
}

/**
 * The sketch of many values. Their coarse entries are found without sorting the values, and mostly there are so many that the
 * sketch cannot be fine; `settled` is computed where there are not.
 */
function settleMany(coarse: string, settled: string): string {
  return `(select case when cardinality(c) > ${MOST_FINE} then c else ${settled} end
    from (select array(${coarse}) as c offset 0) as registers)`
}

/** Of hashes with the same place the least has the highest rank. Small groups need no more than that. */
function buildSql(operand: Operand): string {
  const hashes = `(array_agg(${hashSql(operand)})${presentFilter(operand)})`
  const entries = `array(select ${entrySql('h')} from (select distinct on (h >> 40) h
  from (select unnest(${hashes}) as h) as hashes order by h >> 40, h) as least)`
  return `case when cardinality(${hashes}) = 1 then array[${entrySql(`${hashes}[1]`)}]
  when cardinality(${hashes}) <= ${MOST_FINE} then ${entries}
  else ${settleMany(
    `select ${COARSENED} from (select ${entrySql('h')} as e from (select min(h) as h
      from (select unnest(${hashes}) as h) as hashes group by h >> 50) as least) as fine order by 1`,
    settle(entries),
  )} end`
}

function mergeSql(column: string): string {
  const entries = `(select unnest(held.a) as e
    from unnest(array_agg(row(${column})) filter (where ${column} is not null)) as held(a integer[])) as entries`
  const merged = settle(`array(select max(e) from ${entries} group by e >> 6 order by e >> 6)`)
  return `case when sum(cardinality(${column})) > ${MOST_FINE} then ${settleMany(
    `select max(d) from (select ${AS_COARSE} as d from ${entries}) as coarse group by d >> 6 order by 1`,
    merged,
  )} else ${merged} end`
}

/**
 * Few entries are counted as balls in 2^24 bins (linear counting); registers by the improved raw estimator of Ertl, "New
 * cardinality estimation algorithms for HyperLogLog sketches", 2017, section 3. It needs no second formula for
 * small numbers, whose hand-over is where the estimate of Flajolet et al. is biased by up to a per cent. With at least
 * some 3,600 registers in use, twelve terms of its series are all that a double can hold.
 */
function estimateSql(state: string): string {
  const unused = `((${REGISTERS} - n) / ${REGISTERS}::float8)`
  const series = `case when n = ${REGISTERS} then 0 else ${unused} + (select sum(exp(greatest(2 ^ k * ln(${unused}), -700)) * 2 ^ (k - 1))
    from generate_series(1, 12) as k) end`
  return `(select (case when top < ${COARSE} then round(-${FINE_PLACES} * ln(1 - n / ${FINE_PLACES}::float8))
  else round(${REGISTERS ** 2 / (2 * Math.LN2)} / (${REGISTERS} * (${series}) + spread)) end)::bigint
  from (select count(*) as n, coalesce(max(e), 0) as top, sum(1 / (1::bigint << (e & 63))::float8) as spread
    from unnest(${state}) as e) as sketch)`
}

const TYPES: readonly ColumnType[] = [
  ...NUMERIC_TYPES,
  ...(['text', 'uuid', 'enum', 'boolean', 'date', 'timestamp', 'timestamptz'] as const),
]

/**
 * The algebra of `countDistinct`: HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007) with 2^14 registers and 64-bit
 * hashes, of which only registers in use are kept, a 32-bit integer each. As in HyperLogLog++ (Heule, Nunkesser, Hall
 * 2013), a sketch of few values keeps them with a finer place. Which of the two it is depends on the values alone, so that
 * the same values make the same array in whatever order and portions they are merged.
 */
export const countDistinctMeasure: ColumnMeasure = {
  takes: TYPES,
  takesText: 'a number, text, a uuid, an enum, a boolean, a date or a timestamp',
  algebra: (operand) => ({
    states: [{ suffix: 'registers', sqlType: 'integer[]', build: buildSql(operand), merge: mergeSql }],
    inputs: [],
    finalise: ([registers]) => estimateSql(`${registers}`),
    type: 'SafeInt',
    nullable: false,
  }),
}
