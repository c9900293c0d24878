import type { DimensionSql } from './dimension-sql'
import type { Parameters } from './parameters'

export type ConditionValue = string | number | boolean

/**
 * A filter on dimensions, normalised. Two-valued: a comparison with null is false, its negation true, so `not` is an
 * exact complement.
 */
export type Condition =
  | { readonly kind: 'all'; readonly of: readonly Condition[] }
  | { readonly kind: 'any'; readonly of: readonly Condition[] }
  | { readonly kind: 'not'; readonly of: Condition }
  | { readonly kind: 'in'; readonly dimension: string; readonly values: readonly ConditionValue[] }
  | { readonly kind: 'less' | 'greater'; readonly dimension: string; readonly value: ConditionValue }
  | { readonly kind: 'startsWith' | 'contains'; readonly dimension: string; readonly value: string }
  | { readonly kind: 'isNull'; readonly dimension: string }

/** Folding of letter case as the Unicode tables of ICU say, whatever the database's own locale. */
const FOLDING = 'COLLATE "und-x-icu"'

function likePattern(condition: { kind: 'startsWith' | 'contains'; value: string }): string {
  const literal = condition.value.replace(/[\\%_]/g, '\\$&')
  return condition.kind === 'contains' ? `%${literal}%` : `${literal}%`
}

/** Renders a condition as SQL that is true or not true, never to be negated from outside. */
export function renderCondition(
  condition: Condition,
  dimension: (name: string) => DimensionSql,
  parameters: Parameters,
  negated = false,
): string {
  if (condition.kind === 'not') return renderCondition(condition.of, dimension, parameters, !negated)
  if (condition.kind === 'all' || condition.kind === 'any') {
    const isAnd = (condition.kind === 'all') !== negated
    const terms = condition.of.map((term) => renderCondition(term, dimension, parameters, negated))
    if (terms.length === 0) return isAnd ? 'true' : 'false'
    return `(${terms.join(isAnd ? ' AND ' : ' OR ')})`
  }
  const { expression, sqlType } = dimension(condition.dimension)
  if (condition.kind === 'isNull') return `${expression} IS ${negated ? 'NOT NULL' : 'NULL'}`
  const comparison = renderComparison(condition, expression, sqlType, parameters)
  // Only under a negation does null have to be told from false; elsewhere the bare comparison lets an index serve it.
  return negated ? `(${comparison}) IS NOT TRUE` : comparison
}

function renderComparison(
  condition: Exclude<Condition, { kind: 'all' | 'any' | 'not' | 'isNull' }>,
  expression: string,
  sqlType: string,
  parameters: Parameters,
): string {
  switch (condition.kind) {
    case 'in':
      return `${expression} = ANY (${parameters.add(condition.values, `${sqlType}[]`)})`
    case 'less':
      return `${expression} < ${parameters.add(condition.value, sqlType)}`
    case 'greater':
      return `${expression} > ${parameters.add(condition.value, sqlType)}`
    case 'startsWith':
    case 'contains':
      return `${expression} ${FOLDING} ILIKE ${parameters.add(likePattern(condition), 'text')} ${FOLDING}`
  }
}
