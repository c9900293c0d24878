import type { Unit } from './calendar'
import { type Where, whereArgument } from './filter'
import type { Comparison, Range } from './range'

export interface SeriesQuestion {
  readonly unit: Unit
  readonly fill: boolean
}

export interface Order {
  readonly field: string
  readonly direction: 'ASC' | 'DESC'
}

export type Having = Readonly<Record<string, Readonly<Record<string, number>>>>

export interface BreakdownQuestion {
  readonly by: readonly string[]
  readonly orderBy: readonly Order[]
  readonly having: Having
  readonly first: number
  /** Of every group. */
  readonly series: SeriesQuestion | null
  readonly compare: Comparison | null
  readonly otherSeries: SeriesQuestion | null
}

/** A question with the time at which it is asked. Totals are always asked for. */
export interface Question {
  readonly now: number
  readonly zone: string
  /** Null: all data. */
  readonly range: Range | null
  readonly where: Where | null
  readonly measures: readonly string[]
  readonly series: readonly SeriesQuestion[]
  readonly breakdown: BreakdownQuestion | null
  readonly compare: { readonly to: Comparison; readonly series: SeriesQuestion | null } | null
}

/** GraphQL's name of a field's enum value: `p95Delay` → `P95_DELAY`. */
export function enumName(field: string): string {
  return field.replace(/[A-Z]/g, '_$&').toUpperCase()
}

const ENUMS = new Set(['unit', 'period', 'field', 'direction'])

/** A plain value as a literal of GraphQL. */
function literal(value: unknown, name = ''): string {
  if (Array.isArray(value)) return `[${value.map((each) => literal(each)).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    return `{ ${Object.entries(value)
      .map(([key, each]) => `${key}: ${literal(each, key)}`)
      .join(', ')} }`
  }
  return ENUMS.has(name) ? String(value) : JSON.stringify(value)
}

function seriesText({ unit, fill }: SeriesQuestion, measures: string): string {
  return `series(granularity: ${unit}, fill: ${fill}) { start end date partial measures { ${measures} } }`
}

function breakdownText(breakdown: BreakdownQuestion, measures: string, after: string | null): string {
  const { by, orderBy, having, first, series, compare, otherSeries } = breakdown
  const arguments_ = [
    `by: [${by.map(enumName).join(', ')}]`,
    orderBy.length > 0 && `orderBy: ${literal(orderBy.map((order) => ({ ...order, field: enumName(order.field) })))}`,
    Object.keys(having).length > 0 && `having: ${literal(having)}`,
    `first: ${first}`,
    after !== null && `after: ${JSON.stringify(after)}`,
  ].filter((argument) => argument !== false)
  const group = [
    ...by,
    `measures { ${measures} }`,
    series === null ? '' : seriesText(series, measures),
    compare === null ? '' : `compare(to: ${compare}) { ${measures} }`,
  ].join(' ')
  return `breakdown(${arguments_.join(', ')}) {
      totalCount pageInfo { hasNextPage hasPreviousPage endCursor }
      nodes { ${group} }
      other { measures { ${measures} } ${otherSeries === null ? '' : seriesText(otherSeries, measures)} }
    }`
}

/** Writes the question in GraphQL; with `after`, its breakdown alone from that cursor on. */
export function questionText(query: string, question: Question, after: string | null = null): string {
  const measures = question.measures.join(' ')
  const arguments_ = [
    question.range !== null && `range: ${literal(question.range)}`,
    question.where !== null && `where: ${literal(whereArgument(question.where))}`,
    `timezone: "${question.zone}"`,
  ].filter((argument) => argument !== false)
  const { breakdown, compare } = question
  const first = [
    `meta { from to timezone }`,
    `totals { ${measures} }`,
    ...question.series.map((series, index) => `s${index}: ${seriesText(series, measures)}`),
    compare === null
      ? ''
      : `compare(to: ${compare.to}) { meta { from to } totals { ${measures} } ${compare.series === null ? '' : seriesText(compare.series, measures)} }`,
  ]
  const parts = [...(after === null ? first : []), breakdown === null ? '' : breakdownText(breakdown, measures, after)]
  return `{
  ${query}(${arguments_.join(', ')}) {
    ${parts.filter((part) => part !== '').join('\n    ')}
  }
}`
}
