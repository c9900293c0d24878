import { isImplied } from '../dataset/implied-dimension'
import { renderBreakdown, renderRankedGroups } from './breakdown-sql'
import { sameKey } from './dimension-sql'
import { epochOf } from './instants'
import { mergeSql, outputSql, valueSql } from './measure-sql'
import { Parameters } from './parameters'
import type { KeyValue, Part, Slice } from './part'
import { renderSlice, type SliceSql, stateColumn } from './slice-sql'

export interface Statement {
  readonly sql: string
  readonly parameters: readonly unknown[]
}

/** Values of measures over rows of the rollup itself, as columns v0, v1, … */
function renderValues(slice: Slice, measures: readonly string[]): string {
  const merged = (state: string) => mergeSql(slice.definition, state, stateColumn(state))
  return measures
    .map(
      (name, index) => `, ${outputSql(slice.definition, name, valueSql(slice.definition, name, merged))} AS v${index}`,
    )
    .join('')
}

/** Keys of groups as a table `wanted(i, k0, k1, …)`; i counts from 0. */
function renderKeys(keys: readonly (readonly KeyValue[])[], types: readonly string[], parameters: Parameters): string {
  const arrays = types.map((type, index) =>
    parameters.add(
      keys.map((key) => key[index] ?? null),
      `${type}[]`,
    ),
  )
  const names = types.map((_, index) => `k${index}`)
  return `wanted AS (
  SELECT (i - 1)::integer AS i, ${names.join(', ')} FROM unnest(${arrays.join(', ')}) WITH ORDINALITY AS w(${names.join(', ')}, i)
)`
}

/**
 * What rows of any wanted group have in common, dimension by dimension: the join on whole keys cannot use an index, this
 * can.
 */
function renderWanted(part: Extract<Part, { kind: 'groups' }>, slice: SliceSql, parameters: Parameters): string {
  const terms = part.by.flatMap((name, index) => {
    if (isImplied(name)) return []
    const { expression, sqlType } = slice.dimension(name)
    const values = [...new Set(part.keys.map((key) => key[index] ?? null))]
    const known = values.filter((value) => value !== null)
    const isKnown = `${expression} = ANY (${parameters.add(known, `${sqlType}[]`)})`
    return [known.length < values.length ? `(${isKnown} OR ${expression} IS NULL)` : isKnown]
  })
  return terms.map((term) => ` AND ${term}`).join('')
}

function renderOtherSeries(
  part: Extract<Part, { kind: 'otherSeries' }>,
  schema: string,
  parameters: Parameters,
): string {
  const { breakdown } = part
  const slice = renderSlice(part.slice, schema, parameters)
  const keys = breakdown.by.map(slice.dimension)
  const columns = keys.map((_, index) => `seen.k${index}`)
  const ranked = renderRankedGroups(breakdown, schema, parameters, [])
  const first = parameters.add(breakdown.first, 'integer')
  return `${ranked.ctes}, seen AS (
  SELECT ${keys.map((_, index) => `k${index}`).join(', ')} FROM ranked WHERE ${ranked.isEarlier} OR place <= ${first}
), answer AS (
  SELECT ${slice.bucketIndex(part.boundaries)} AS b${renderValues(part.slice, part.measures)}
  FROM ${slice.table} WHERE ${slice.where} AND NOT EXISTS (SELECT FROM seen WHERE ${sameKey(keys, columns)})
  GROUP BY 1
)`
}

function renderAnswer(part: Part, schema: string, parameters: Parameters): string {
  if (part.kind === 'breakdown') return renderBreakdown(part, schema, parameters)
  if (part.kind === 'otherSeries') return renderOtherSeries(part, schema, parameters)
  const slice = renderSlice(part.slice, schema, parameters)
  const values = renderValues(part.slice, part.measures)
  if (part.kind === 'totals') {
    return `answer AS (SELECT true AS one${values} FROM ${slice.table} WHERE ${slice.where})`
  }
  if (part.kind === 'series') {
    return `answer AS (
  SELECT ${slice.bucketIndex(part.boundaries)} AS b${values} FROM ${slice.table} WHERE ${slice.where} GROUP BY 1
)`
  }
  const keys = part.by.map(slice.dimension)
  const columns = keys.map((_, index) => `wanted.k${index}`)
  const wanted = renderKeys(
    part.keys,
    keys.map((key) => key.sqlType),
    parameters,
  )
  const bucket = part.boundaries === null ? '0' : slice.bucketIndex(part.boundaries)
  return `${wanted}, answer AS (
  SELECT wanted.i, ${bucket} AS b${values} FROM ${slice.table} JOIN wanted ON ${sameKey(keys, columns)}
  WHERE ${slice.where}${renderWanted(part, slice, parameters)} GROUP BY ${part.boundaries === null ? '1' : '1, 2'}
)`
}

/**
 * Renders a part as one statement, hence one snapshot: its rows, and with them the version of the layout that they
 * belong to and the moment of the source that they show. At least one row comes back, also when the part is empty.
 */
export function renderPart(part: Part, schema: string): Statement {
  const parameters = new Parameters()
  const layout = parameters.add(part.slice.layout, 'text')
  const answer = renderAnswer(part, schema, parameters)
  const sql = `WITH state AS (SELECT seq, version, data_as_of FROM ${schema}.layout WHERE id = ${layout}), ${answer}
SELECT state.seq::text AS seq, state.version::text AS version, ${epochOf('state.data_as_of')} AS as_of, answer.* FROM state LEFT JOIN answer ON true`
  return { sql, parameters: parameters.values }
}
