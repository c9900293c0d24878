import type { DimensionType } from '../dataset/definition'

/** How a dimension reads in SQL, and the SQL type of its values. */
export interface DimensionSql {
  readonly expression: string
  readonly sqlType: string
}

/** SQL type in which the rollups keep a dimension. */
export function keptAs(type: DimensionType): string {
  return type === 'integer' || type === 'boolean' || type === 'date' ? type : 'text'
}

const STAND_INS: Readonly<Record<string, string>> = {
  text: "''",
  integer: '0',
  boolean: 'false',
  date: "'epoch'::date",
}

/**
 * Null-safe equality of keys that Postgres can hash or merge: IS NOT DISTINCT FROM would make every join a nested loop.
 */
export function sameKey(left: readonly DimensionSql[], right: readonly string[]): string {
  const terms = left.map(({ expression, sqlType }, index) => {
    const standIn = STAND_INS[sqlType]
    return `coalesce(${expression}, ${standIn}) = coalesce(${right[index]}, ${standIn}) AND (${expression} IS NULL) = (${right[index]} IS NULL)`
  })
  return terms.length === 0 ? 'true' : terms.join(' AND ')
}
