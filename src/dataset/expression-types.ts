import type { ColumnType } from './column-type'
import type { Complaints } from './complaints'
import { suggestion } from './nearest'
import type { ReadExpression } from './read-members'
import { type Refusal, type SourceDescription, sqlOfExpression } from './source-description'

/** An expression that the database accepts. */
export interface TypedExpression {
  readonly sql: string
  readonly type: ColumnType
}

/** Returns the refusal as a sentence: Postgres' own words, and its hint. */
export function refusalText(refusal: Refusal): string {
  const message = refusal.error.replace(/[.\s]+$/, '')
  return refusal.hint === undefined ? `Postgres says: ${message}.` : `Postgres says: ${message}. ${refusal.hint}`
}

function describeForPeople(expression: ReadExpression): string {
  return expression.kind === 'sql' ? expression.sql : `column "${expression.names.join('" or "')}"`
}

/**
 * Returns an expression with its type, one of those allowed. Returns null, and complains, when the source has no such
 * column, when Postgres refuses it or when the type is another. `role` is what needs it and `wanted` what it may be.
 */
export function typeExpression(
  expression: ReadExpression,
  description: SourceDescription,
  expected: { readonly role: string; readonly types: readonly ColumnType[]; readonly wanted: string },
  complaints: Complaints,
): TypedExpression | null {
  const { relation } = description
  // A source that is missing is one fault of the dataset, not one of each member.
  if (relation === null || 'error' in relation) return null
  const sql = sqlOfExpression(expression, relation.columns)
  if (sql === null) {
    const [name = ''] = expression.kind === 'column' ? expression.names : []
    complaints.add(`The source has no ${describeForPeople(expression)}.${suggestion(name, relation.columns)}`)
    return null
  }
  const found = description.expressions[sql]
  if (found === undefined) throw new TypeError(`The description does not tell the type of ${sql}`)
  if ('error' in found) {
    complaints.add(`${expected.role} ${describeForPeople(expression)}: ${refusalText(found)}`)
    return null
  }
  const { type, pgType } = found
  if (type !== 'other' && expected.types.includes(type)) return { sql, type }
  complaints.add(
    `${expected.role} ${describeForPeople(expression)} is of type ${pgType}; it must be ${expected.wanted}.`,
  )
  return null
}
