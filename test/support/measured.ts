import type { ColumnType } from '../../src/dataset/column-type'
import type { StateDefinition } from '../../src/dataset/measures/algebra'
import type { ColumnMeasure, DraftAlgebra } from '../../src/dataset/measures/draft'

/** A measure over the column `x` of rows with a time `at`, as SQL that needs no rollup. */
export interface MeasuredColumn {
  /** The state of source rows: an aggregate expression. */
  readonly build: string
  readonly sqlType: string
  /** The state of states of that name: an aggregate expression. */
  merge(column: string): string
  /** The value of a state. */
  value(state: string): string
}

/** Settles a measure with one state over the column `x` of the given type, or over an expression in parentheses. */
export function measuredColumn(
  measure: ColumnMeasure,
  type: ColumnType,
  { sql = '"x"', where = null }: { readonly sql?: string; readonly where?: string | null } = {},
): MeasuredColumn {
  const algebra: DraftAlgebra = measure.algebra({ sql, type, where, timezone: 'UTC', timeSql: '"at"' })
  const [state] = algebra.states
  if (state === undefined || algebra.states.length > 1) throw new TypeError('The measure has not one state')
  const { build, sqlType, merge }: Omit<StateDefinition, 'column'> = state
  return { build, sqlType, merge, value: (merged) => algebra.finalise([merged]) }
}

/**
 * Returns SQL of one row: the state built from all rows of the source at once, the one merged from the states of `parts`
 * portions, and the one merged again from three groups of those; of each the digest, and the size of the first.
 */
export function statesByPath({ build, merge, sqlType }: MeasuredColumn, source: string, parts: number): string {
  return `WITH whole AS (SELECT (${build})::${sqlType} AS s FROM ${source} AS source),
    parts AS (SELECT part, (${build})::${sqlType} AS s FROM (SELECT *, abs(hashint4(row_number() OVER ()::integer)) % ${parts} AS part FROM ${source} AS source) AS source GROUP BY part),
    thirds AS (SELECT part % 3 AS third, (${merge('s')})::${sqlType} AS s3 FROM parts GROUP BY 1)
    SELECT (SELECT cardinality(s) FROM whole) AS size, (SELECT md5(s::text) FROM whole) AS whole,
      md5((SELECT ${merge('parts.s')} FROM parts)::text) AS merged, md5((SELECT ${merge('s3')} FROM thirds)::text) AS "mergedAgain"`
}
