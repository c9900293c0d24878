import { canonicalJson } from '../cache/canonical-json'
import type { Definition, DimensionType } from '../dataset/definition'
import { isImplied } from '../dataset/implied-dimension'
import { BadInputError } from '../errors'
import type { Condition, ConditionValue } from '../storage/condition'
import type { FilterArgument, WhereArgument } from './request'

const NOTHING: Condition = { kind: 'any', of: [] }

/** Text that Postgres could never hold (NUL, a lone surrogate) equals, starts and lies in no text. */
function isStorable(value: ConditionValue): boolean {
  return typeof value !== 'string' || (!value.includes('\0') && value.isWellFormed())
}

function oneOf(dimension: string, type: DimensionType, values: readonly ConditionValue[]): Condition {
  const kept = values
    .filter(isStorable)
    .map((value) => (type === 'uuid' && typeof value === 'string' ? value.toLowerCase() : value))
  const distinct = [...new Set(kept)].sort((a, b) => (a < b ? -1 : 1))
  return distinct.length === 0 ? NOTHING : { kind: 'in', dimension, values: distinct }
}

function negate(condition: Condition): Condition {
  return condition.kind === 'not' ? condition.of : { kind: 'not', of: condition }
}

/** Combines conditions without regard to their order, repetition or nesting: spellings of one question become one. */
function combine(kind: 'all' | 'any', conditions: readonly Condition[]): Condition {
  const flat = conditions.flatMap((condition) => (condition.kind === kind ? condition.of : [condition]))
  const distinct = new Map(flat.map((condition) => [canonicalJson(condition), condition]))
  const sorted = [...distinct].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, condition]) => condition)
  const [only] = sorted
  return sorted.length === 1 && only !== undefined ? only : { kind, of: sorted }
}

function typeOf(definition: Definition, name: string): DimensionType {
  if (isImplied(name)) return 'integer'
  return definition.dimensions.find((dimension) => dimension.name === name)?.type ?? 'text'
}

function normaliseOperator(
  dimension: string,
  type: DimensionType,
  operator: string,
  operand: unknown,
  path: string,
): Condition {
  if (operand === null) {
    const advice =
      operator === 'isNull' ? 'give true or false, or leave it out' : 'to find groups without a value, use isNull: true'
    throw new BadInputError(path, `"${path}" is null: ${advice}.`)
  }
  // GraphQL has checked the operand against the operator's type.
  const value = operand as ConditionValue
  const values = operand as readonly ConditionValue[]
  switch (operator) {
    case 'eq':
      return oneOf(dimension, type, [value])
    case 'ne':
      return negate(oneOf(dimension, type, [value]))
    case 'in':
      return oneOf(dimension, type, values)
    case 'notIn':
      return negate(oneOf(dimension, type, values))
    case 'lt':
      return { kind: 'less', dimension, value }
    case 'gt':
      return { kind: 'greater', dimension, value }
    // Not the complement of `lt`: a comparison with null is false, whichever way it points.
    case 'lte':
      return combine('any', [{ kind: 'less', dimension, value }, oneOf(dimension, type, [value])])
    case 'gte':
      return combine('any', [{ kind: 'greater', dimension, value }, oneOf(dimension, type, [value])])
    case 'startsWith':
    case 'contains':
      return isStorable(value) ? { kind: operator, dimension, value: String(value) } : NOTHING
    case 'isNull':
      return value === true ? { kind: 'isNull', dimension } : negate({ kind: 'isNull', dimension })
    default:
      throw new BadInputError(path, `"${path}" is not an operator of this filter.`)
  }
}

function normaliseFilter(definition: Definition, dimension: string, filter: FilterArgument, path: string): Condition {
  const type = typeOf(definition, dimension)
  return combine(
    'all',
    Object.entries(filter).map(([operator, operand]) =>
      normaliseOperator(dimension, type, operator, operand, `${path}.${operator}`),
    ),
  )
}

/**
 * Normalises a `where` argument. Absent and null filters are no filter; a null operand is an error that names `isNull`.
 *
 * @throws BadInputError naming the argument's path.
 */
export function normaliseWhere(definition: Definition, where: WhereArgument, path = 'where'): Condition {
  const conditions = Object.entries(where).flatMap(([name, argument]): Condition[] => {
    if (argument === null || argument === undefined) return []
    const here = `${path}.${name}`
    // GraphQL has checked the argument against the type of `where`.
    if (name === 'not') return [negate(normaliseWhere(definition, argument as WhereArgument, here))]
    if (name === 'and' || name === 'or') {
      const terms = (argument as readonly WhereArgument[]).map((term, index) =>
        normaliseWhere(definition, term, `${here}[${index}]`),
      )
      return [combine(name === 'and' ? 'all' : 'any', terms)]
    }
    return [normaliseFilter(definition, name, argument as FilterArgument, here)]
  })
  return combine('all', conditions)
}

/** Names of the dimensions, declared and implied, that a condition looks at. */
export function dimensionsOfCondition(condition: Condition): string[] {
  if (condition.kind === 'not') return dimensionsOfCondition(condition.of)
  if (condition.kind === 'all' || condition.kind === 'any') {
    return [...new Set(condition.of.flatMap(dimensionsOfCondition))]
  }
  return [condition.dimension]
}

/** What a principal may see of a dataset: a forced condition, and the values that take part in every key. */
export interface Scope {
  readonly condition: Condition
  readonly key: string
  /** Whether nothing may be seen, not even how far the data reach. */
  readonly isEmpty: boolean
}

/** Builds the scope of a principal. A claim that is missing, empty, or not plain text or a whole number sees nothing. */
export function scopeOf(definition: Definition, claims: Readonly<Record<string, unknown>>): Scope {
  const entries = Object.entries(definition.scope).map(([dimension, claim]) => {
    const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined
    return { dimension, value: readClaim(value, typeOf(definition, dimension)) }
  })
  const conditions = entries.map(({ dimension, value }) =>
    value === null ? NOTHING : oneOf(dimension, typeOf(definition, dimension), [value]),
  )
  const isEmpty = entries.some(({ value }) => value === null)
  return { condition: combine('all', conditions), key: canonicalJson(entries), isEmpty }
}

function readClaim(value: unknown, type: DimensionType): ConditionValue | null {
  if (type === 'integer') {
    const number = typeof value === 'string' && /^-?\d{1,10}$/.test(value) ? Number(value) : value
    return Number.isInteger(number) && Math.abs(Number(number)) < 2 ** 31 ? Number(number) : null
  }
  if (type === 'boolean') return typeof value === 'boolean' ? value : null
  return typeof value === 'string' && value !== '' ? value : null
}

/** Joins the question's own filter with what the principal may see. */
export function restrict(where: Condition, scope: Scope): Condition {
  return combine('all', [scope.condition, where])
}
