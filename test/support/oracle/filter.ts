import { dimensionOf, IMPLIED, type OracleDataset } from './dataset'

export type Leaf = Readonly<Record<string, string | number | boolean | readonly (string | number | boolean)[]>>
/** A `where` as plain data: dimensions with their operators, and `and`, `or`, `not`. */
export interface Where {
  readonly and?: readonly Where[]
  readonly or?: readonly Where[]
  readonly not?: Where
  readonly of?: { readonly dimension: string; readonly filter: Leaf }
}

export function quote(value: string | number | boolean): string {
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value)
}

const SIGNS: Readonly<Record<string, string>> = { gt: '>', gte: '>=', lt: '<', lte: '<=' }

function folded(sql: string): string {
  return `lower((${sql}) COLLATE "und-x-icu")`
}

function leafSql(sql: string, operator: string, operand: Leaf[string]): string {
  if (typeof operand === 'object') {
    const any = operand.map((each) => `(${sql} = ${quote(each)}) IS TRUE`).join(' OR ') || 'false'
    return operator === 'in' ? `(${any})` : `NOT (${any})`
  }
  switch (operator) {
    case 'eq':
      return `(${sql} = ${quote(operand)}) IS TRUE`
    case 'ne':
      return `(${sql} = ${quote(operand)}) IS NOT TRUE`
    case 'isNull':
      return `(${sql} IS NULL) = ${operand}`
    case 'contains':
      return `(strpos(${folded(sql)}, ${folded(`${quote(operand)}::text`)}) > 0) IS TRUE`
    case 'startsWith':
      return `starts_with(${folded(sql)}, ${folded(`${quote(operand)}::text`)}) IS TRUE`
    default:
      return `(${sql} ${SIGNS[operator]} ${quote(operand)}) IS TRUE`
  }
}

/** The filter as a condition that is true or false, never null. */
export function whereSql(where: Where, dataset: OracleDataset, zone: string): string {
  const terms: string[] = []
  const all = (list: readonly Where[]) => list.map((each) => `(${whereSql(each, dataset, zone)})`)
  if (where.and !== undefined) terms.push(`(${all(where.and).join(' AND ') || 'true'})`)
  if (where.or !== undefined) terms.push(`(${all(where.or).join(' OR ') || 'false'})`)
  if (where.not !== undefined) terms.push(`NOT (${whereSql(where.not, dataset, zone)})`)
  if (where.of !== undefined) {
    const { sql } = dimensionOf(dataset, where.of.dimension, zone)
    for (const [operator, operand] of Object.entries(where.of.filter)) terms.push(leafSql(sql, operator, operand))
  }
  return terms.join(' AND ') || 'true'
}

/** The filter as the argument of a question. */
export function whereArgument(where: Where): object {
  const { and, or, not, of } = where
  return {
    ...(and && { and: and.map(whereArgument) }),
    ...(or && { or: or.map(whereArgument) }),
    ...(not && { not: whereArgument(not) }),
    ...(of && { [of.dimension]: of.filter }),
  }
}

/** Names of the dimensions that the filter looks at. */
export function dimensionsOfWhere(where: Where): string[] {
  const below = [...(where.and ?? []), ...(where.or ?? []), ...(where.not ? [where.not] : [])]
  return [...(where.of ? [where.of.dimension] : []), ...below.flatMap(dimensionsOfWhere)]
}

export function isImplied(name: string): boolean {
  return IMPLIED.some((implied) => implied.name === name)
}
