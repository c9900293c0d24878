import type { Definition } from '../dataset/definition'
import { IMPLIED_DIMENSIONS, isImplied } from '../dataset/implied-dimension'
import { BadInputError } from '../errors'
import type { Condition } from '../storage/condition'
import type { Having, HavingOperator, Position, SortField } from '../storage/part'
import { bindingOf, decodeCursor } from './cursor'
import type { Scope } from './filter'
import type { Frame } from './frame'
import type { BreakdownArguments, HavingArgument, OrderArgument } from './request'

export const MOST_GROUPS = 1000
const MOST_DIMENSIONS = 4

/** The arguments of a breakdown, checked and normalised. */
export interface BreakdownPlan {
  readonly by: readonly string[]
  readonly having: Having
  readonly sort: readonly SortField[]
  readonly first: number
  readonly after: Position | null
}

function checkBy(definition: Definition, by: readonly string[]): void {
  const all = [...definition.dimensions.map((dimension) => dimension.name), ...Object.keys(IMPLIED_DIMENSIONS)]
  if (by.length < 1 || by.length > MOST_DIMENSIONS) {
    throw new BadInputError('by', `"by" must name from 1 to ${MOST_DIMENSIONS} dimensions, of ${all.join(', ')}.`)
  }
  if (new Set(by).size < by.length) throw new BadInputError('by', '"by" must name each dimension once.')
}

/**
 * The complete order of a breakdown: what was asked for (default: the first declared measure, largest first), then the
 * remaining dimensions ascending.
 */
function planSort(definition: Definition, by: readonly string[], orderBy: readonly OrderArgument[]): SortField[] {
  const [firstMeasure] = definition.measures
  const chosen: SortField[] = []
  for (const { field, direction } of orderBy) {
    const isDimension = isImplied(field) || definition.dimensions.some((dimension) => dimension.name === field)
    if (isDimension && !by.includes(field)) {
      throw new BadInputError(
        'orderBy',
        `"orderBy" names ${field}, which is not in "by": order by a measure, or by one of ${by.join(', ')}.`,
      )
    }
    if (chosen.some((sort) => sort.name === field)) {
      throw new BadInputError('orderBy', `"orderBy" names ${field} twice.`)
    }
    chosen.push({ kind: isDimension ? 'dimension' : 'measure', name: field, direction })
  }
  if (chosen.length === 0 && firstMeasure !== undefined) {
    chosen.push({ kind: 'measure', name: firstMeasure.name, direction: 'desc' })
  }
  const rest = by.filter((name) => !chosen.some((sort) => sort.name === name))
  return [...chosen, ...rest.map((name): SortField => ({ kind: 'dimension', name, direction: 'asc' }))]
}

/** Normalises `having`: all of its comparisons must hold. Absent filters are no filter; a null operand is an error. */
function normaliseHaving(having: HavingArgument): Having {
  const comparisons = Object.entries(having).flatMap(([measure, filter]) =>
    Object.entries(filter ?? {}).map(([operator, value]): Having => {
      const path = `having.${measure}.${operator}`
      if (value === null || value === undefined) {
        throw new BadInputError(path, `"${path}" is null: give a number, or leave it out.`)
      }
      // GraphQL reads a literal such as 1e999 as infinite.
      if (!Number.isFinite(value)) {
        throw new BadInputError(path, `"${path}" must be a number up to ${Number.MAX_VALUE} either way.`)
      }
      // GraphQL has checked the operator against NumberFilter.
      return { kind: 'compare', measure, operator: operator as HavingOperator, value }
    }),
  )
  const sorted = comparisons.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  return { kind: 'all', of: sorted }
}

/**
 * Checks and normalises the arguments of a breakdown, and gives the function that writes its cursors.
 *
 * @throws BadInputError naming the argument.
 */
export function readBreakdown(
  definition: Definition,
  arguments_: BreakdownArguments,
  subject: { readonly frame: Frame; readonly where: Condition; readonly scope: Scope },
): { readonly plan: BreakdownPlan; readonly binding: string } {
  const { by, first, after } = arguments_
  checkBy(definition, by)
  if (first < 1 || first > MOST_GROUPS) {
    throw new BadInputError('first', `"first" must be from 1 to ${MOST_GROUPS}; use "after" to read on.`)
  }
  const sort = planSort(definition, by, arguments_.orderBy)
  const having = normaliseHaving(arguments_.having)
  const { frame, where, scope } = subject
  const binding = bindingOf({
    hash: definition.hash,
    meaning: definition.meaning,
    from: frame.readFrom,
    to: frame.readTo,
    zone: frame.zone,
    where,
    scope: scope.key,
    by,
    sort,
    having,
  })
  const position = after === null ? null : decodeCursor(binding, after, sort.length, by.length)
  return { plan: { by, having, sort, first, after: position }, binding }
}
