import type { Definition } from '../dataset/definition'
import { IMPLIED_DIMENSIONS, isImplied } from '../dataset/implied-dimension'
import { quoteIdentifier } from '../dataset/sql'
import { renderCondition } from './condition'
import { type DimensionSql, keptAs } from './dimension-sql'
import type { Parameters } from './parameters'
import type { Slice } from './part'
import { rollupTable } from './rollup-table'

/** A slice in SQL: the table under the alias `r`, how its dimensions read, and which rows belong to it. */
export interface SliceSql {
  readonly table: string
  readonly where: string
  dimension(name: string): DimensionSql
  /** Index of a row's bucket among n + 1 boundaries, from 0. */
  bucketIndex(boundaries: readonly number[]): string
}

/** A state of the rollup's own rows. */
export function stateColumn(column: string): string {
  return `r.${quoteIdentifier(column)}`
}

function offsetSql(slice: Slice, parameters: Parameters): string {
  const seconds = slice.offsets.map((offset) => offset.offsetSeconds)
  if (seconds.length <= 1) return `make_interval(secs => ${parameters.add(seconds[0] ?? 0, 'double precision')})`
  const starts = parameters.addInstants(slice.offsets.map((offset) => offset.at))
  const offsets = parameters.add(seconds, 'double precision[]')
  return `make_interval(secs => (${offsets})[greatest(width_bucket(r.bucket, ${starts}), 1)])`
}

function declaredDimension(definition: Definition, name: string): DimensionSql {
  const dimension = definition.dimensions.find((candidate) => candidate.name === name)
  if (dimension === undefined) throw new Error(`${definition.className} has no dimension ${name}`)
  return { expression: `r.${quoteIdentifier(dimension.column)}`, sqlType: keptAs(dimension.type) }
}

export function renderSlice(slice: Slice, schema: string, parameters: Parameters): SliceSql {
  const dimension = (name: string): DimensionSql => {
    if (!isImplied(name)) return declaredDimension(slice.definition, name)
    const wallClock = `(r.bucket AT TIME ZONE 'UTC' + ${offsetSql(slice, parameters)})`
    // Not `extract`, whose numeric result takes half as long again to compute.
    return { expression: `date_part('${IMPLIED_DIMENSIONS[name].field}', ${wallClock})::integer`, sqlType: 'integer' }
  }
  const terms: string[] = []
  if (slice.from !== null) terms.push(`r.bucket >= ${parameters.addInstant(slice.from)}`)
  if (slice.to !== null) terms.push(`r.bucket < ${parameters.addInstant(slice.to)}`)
  terms.push(renderCondition(slice.where, dimension, parameters))
  return {
    table: `${schema}.${quoteIdentifier(rollupTable(slice.layout, slice.rollup))} r`,
    where: terms.join(' AND '),
    dimension,
    bucketIndex: (boundaries) => `width_bucket(r.bucket, ${parameters.addInstants(boundaries)}) - 1`,
  }
}
