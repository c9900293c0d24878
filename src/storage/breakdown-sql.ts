import type { DimensionSql } from './dimension-sql'
import { comparedAs, mergeSql, outputSql, stateColumnsOf, valueSql } from './measure-sql'
import type { Parameters } from './parameters'
import type { BreakdownPart, Having, SortField } from './part'
import { renderSlice, stateColumn } from './slice-sql'

const OPERATORS = { eq: '=', ne: '<>', gt: '>', gte: '>=', lt: '<', lte: '<=' } as const

function measuresOf(having: Having): string[] {
  return having.kind === 'compare' ? [having.measure] : having.of.flatMap(measuresOf)
}

function renderHaving(having: Having, value: (measure: string) => string, parameters: Parameters): string {
  if (having.kind === 'all') {
    return having.of.length === 0
      ? 'true'
      : having.of.map((term) => renderHaving(term, value, parameters)).join(' AND ')
  }
  const operand = parameters.add(having.value, 'double precision')
  const comparison = `${value(having.measure)} ${OPERATORS[having.operator]} ${operand}`
  return having.operator === 'ne' ? `(${comparison}) IS DISTINCT FROM false` : `(${comparison}) IS TRUE`
}

/** The groups of a breakdown, each with its merged states and its place; common table expressions ending in `ranked`. */
export interface RankedGroups {
  readonly ctes: string
  readonly keys: readonly DimensionSql[]
  /** SQL of the sort values of a row of `ranked`, as text. */
  readonly sortTexts: readonly string[]
  /** SQL that is true for rows of `ranked` on an earlier page. */
  readonly isEarlier: string
  value(measure: string): string
  /** SQL of a merged state of a row of `ranked`. */
  state(column: string): string
}

/**
 * Renders the groups of a breakdown in their order. `place` counts from 1 behind the cursor and is null for groups that
 * `having` removes or that lie on an earlier page.
 */
export function renderRankedGroups(
  part: BreakdownPart,
  schema: string,
  parameters: Parameters,
  extraMeasures: readonly string[],
): RankedGroups {
  const { definition } = part.slice
  const slice = renderSlice(part.slice, schema, parameters)
  const keys = part.by.map(slice.dimension)
  const sortMeasures = part.sort.filter((field) => field.kind === 'measure').map((field) => field.name)
  const measures = [...new Set([...extraMeasures, ...sortMeasures, ...measuresOf(part.having)])]
  const states = stateColumnsOf(definition, measures)
  // Names of our own from here on: those of the declaration might be any.
  const merged = (state: string) => `s${states.indexOf(state)}`
  const value = (measure: string) => `m${measures.indexOf(measure)}`
  const field = (sort: SortField) => (sort.kind === 'measure' ? value(sort.name) : `k${part.by.indexOf(sort.name)}`)
  const order = part.sort.map((sort) => `${field(sort)} ${sort.direction.toUpperCase()} NULLS LAST`).join(', ')
  const columns = [
    ...keys.map((key, index) => `${key.expression} AS k${index}`),
    ...states.map((state, index) => `${mergeSql(definition, state, stateColumn(state))} AS s${index}`),
  ]
  const values = measures.map(
    (measure) =>
      `, (${valueSql(definition, measure, merged)})::${comparedAs(definition, measure)} AS ${value(measure)}`,
  )
  const ctes = `merged AS (
  SELECT ${columns.join(', ')} FROM ${slice.table} WHERE ${slice.where} GROUP BY ${keys.map((_, index) => index + 1).join(', ')}
), valued AS (
  SELECT *${values.join('')} FROM merged
), judged AS (
  SELECT *, ${renderHaving(part.having, value, parameters)} AS kept, ${renderLater(part, keys, field, parameters)} AS later FROM valued
), ranked AS (
  SELECT *, CASE WHEN kept AND later THEN row_number() OVER (PARTITION BY kept AND later ORDER BY ${order}) END AS place FROM judged
)`
  return {
    ctes,
    keys,
    sortTexts: part.sort.map((sort) => `${field(sort)}::text`),
    isEarlier: '(kept AND NOT later)',
    value,
    state: merged,
  }
}

/** True for groups behind the cursor. The group that the cursor names is excluded by key, whatever its sums' last bits. */
function renderLater(
  part: BreakdownPart,
  keys: readonly DimensionSql[],
  field: (sort: SortField) => string,
  parameters: Parameters,
): string {
  const { after } = part
  if (after === null) return 'true'
  const typeOf = (sort: SortField) =>
    sort.kind === 'measure'
      ? comparedAs(part.slice.definition, sort.name)
      : (keys[part.by.indexOf(sort.name)]?.sqlType ?? 'text')
  const behind = part.sort.reduceRight((rest, sort, index) => {
    const text = after.values[index] ?? null
    const column = field(sort)
    if (text === null) return `(${column} IS NULL AND ${rest})`
    const bound = `(${parameters.add(text, 'text')})::${typeOf(sort)}`
    const comparison = sort.direction === 'asc' ? '>' : '<'
    return `(${column} ${comparison} ${bound} OR ${column} IS NULL OR (${column} = ${bound} AND ${rest}))`
  }, 'false')
  const named = keys.map(({ sqlType }, index) => {
    const key = after.key[index] ?? null
    return `k${index} IS NOT DISTINCT FROM ${parameters.add(key, sqlType)}`
  })
  return `(${behind} AND NOT (${named.join(' AND ')}))`
}

/** Renders a whole breakdown: a row a group of the page, each with the page's own facts beside it. */
export function renderBreakdown(part: BreakdownPart, schema: string, parameters: Parameters): string {
  const { definition } = part.slice
  const otherMeasures = part.other ?? []
  const ranked = renderRankedGroups(part, schema, parameters, [...part.measures, ...otherMeasures])
  const first = parameters.add(part.first, 'integer')
  const rest = `NOT ${ranked.isEarlier} AND (place IS NULL OR place > ${first})`
  const merged = (state: string) => mergeSql(definition, state, ranked.state(state))
  const others = otherMeasures.map(
    (measure, index) => `, ${outputSql(definition, measure, valueSql(definition, measure, merged))} AS o${index}`,
  )
  const page = [
    'place',
    ...ranked.keys.map(({ sqlType }, index) =>
      sqlType === 'date' ? `to_char(k${index}, 'YYYY-MM-DD') AS k${index}` : `k${index}`,
    ),
    ...ranked.sortTexts.map((text, index) => `${text} AS p${index}`),
    ...part.measures.map((measure, index) => `${outputSql(definition, measure, ranked.value(measure))} AS v${index}`),
  ]
  return `${ranked.ctes}, page AS (
  SELECT ${page.join(', ')} FROM ranked WHERE place <= ${first}
), summary AS (
  SELECT count(*) FILTER (WHERE kept)::integer AS total, coalesce(max(place), 0) > ${first} AS has_next FROM ranked
), other AS (
  SELECT count(*)::integer AS other_groups${others.join('')} FROM ranked WHERE ${rest}
), answer AS (
  SELECT * FROM summary CROSS JOIN other LEFT JOIN page ON true
)`
}
