import type { Definition, DimensionDefinition, RollupDefinition } from '../dataset/definition'
import { quoteIdentifier, quoteLiteral } from '../dataset/sql'
import { keptAs, sameKey } from './dimension-sql'
import { writeInstant } from './parameters'

/** Names the layout of a definition: the dataset and what its rollups hold. */
export function layoutId(definition: Definition): string {
  return `${definition.name}:${definition.hash}`
}

/** The table of a rollup, unquoted: at most 63 bytes, readable, unique in the schema. */
export function rollupTable(layout: string, rollup: RollupDefinition): string {
  const [dataset = '', hash = ''] = layout.split(':')
  const readable = dataset
    .replace(/([A-Z])/g, '_$1')
    .toLowerCase()
    .slice(0, 36)
  return `${readable}_${hash.slice(0, 16)}_${rollup.index}`
}

/** The index of a rollup by its key, quoted. */
export function keyIndex(layout: string, rollup: RollupDefinition): string {
  return quoteIdentifier(`${rollupTable(layout, rollup)}_key`)
}

function dimensionsOf(definition: Definition, rollup: RollupDefinition): DimensionDefinition[] {
  return rollup.by.flatMap((name) => definition.dimensions.filter((dimension) => dimension.name === name))
}

function columnsOf(definition: Definition, rollup: RollupDefinition): string[] {
  return [
    'bucket',
    ...dimensionsOf(definition, rollup).map((dimension) => dimension.column),
    ...definition.states.map((state) => state.column),
  ]
}

/** Statements that create an empty rollup with its indexes: by key, scope first, and by time. */
export function createRollup(
  definition: Definition,
  layout: string,
  rollup: RollupDefinition,
  schema: string,
): string[] {
  const name = rollupTable(layout, rollup)
  const table = `${schema}.${quoteIdentifier(name)}`
  const dimensions = dimensionsOf(definition, rollup)
  const columns = [
    'bucket timestamptz NOT NULL',
    ...dimensions.map(({ column, type }) => {
      const kept = keptAs(type)
      return `${quoteIdentifier(column)} ${kept === 'text' ? 'text COLLATE "C"' : kept}`
    }),
    ...definition.states.map((state) => `${quoteIdentifier(state.column)} ${state.sqlType}`),
  ]
  const scoped = dimensions.filter((dimension) => Object.hasOwn(definition.scope, dimension.name))
  const key = [...dimensions.map((dimension) => quoteIdentifier(dimension.column)), 'bucket']
  const byTime = [...scoped.map((dimension) => quoteIdentifier(dimension.column)), 'bucket']
  return [
    `CREATE TABLE ${table} (${columns.join(', ')})`,
    `CREATE UNIQUE INDEX ${keyIndex(layout, rollup)} ON ${table} (${key.join(', ')}) NULLS NOT DISTINCT`,
    ...(byTime.length < key.length
      ? [`CREATE INDEX ${quoteIdentifier(`${name}_time`)} ON ${table} (${byTime.join(', ')})`]
      : []),
    `COMMENT ON TABLE ${table} IS ${quoteLiteral(`${definition.className}: ${rollup.name}`)}`,
  ]
}

/** Where the rows of a rollup come from: the source, or a finer rollup already computed in the same transaction. */
export type Origin = { readonly kind: 'source' } | { readonly kind: 'rollup'; readonly rollup: RollupDefinition }

/** The temporary table that holds the rows a rollup should have. */
export function nextTable(rollup: RollupDefinition): string {
  return `aggregraph_next_${rollup.index}`
}

const STEPS = { minute: '1 minute', quarter_hour: '15 minutes', hour: '1 hour' } as const

/**
 * SQL of the bucket that an instant falls in. Buckets of a day or longer outside UTC are looked up among boundaries that
 * Node computed, so that one set of time-zone rules decides; within UTC arithmetic will do.
 */
function bucketSql(rollup: RollupDefinition, instant: string, boundaries: readonly number[]): string {
  const { granularity } = rollup
  if (granularity === 'minute' || granularity === 'quarter_hour' || granularity === 'hour') {
    return `date_bin('${STEPS[granularity]}', ${instant}, '2000-01-03 00:00Z')`
  }
  if (rollup.timezone === 'UTC') return `date_trunc('${granularity}', ${instant}, 'UTC')`
  // A literal, since CREATE TABLE AS takes no parameters; the text is made of dates alone.
  const list = `'{${boundaries.map(writeInstant).join(',')}}'::timestamptz[]`
  return `(${list})[width_bucket(${instant}, ${list})]`
}

/** True for source rows that have a time. Null, infinite and absurd times (outside the years 1 to 9998) are counted, not kept. */
function hasTime(definition: Definition): string {
  return `(${definition.timeSql} >= '0001-01-02 00:00Z' AND ${definition.timeSql} < '9999-01-01 00:00Z')`
}

/** The SELECT of what a build has to know of the source first. */
export function selectSurvey(definition: Definition): string {
  const usable = hasTime(definition)
  const ignored = definition.finite.map((condition) => `count(*) FILTER (WHERE NOT (${condition}))`)
  return `SELECT count(*)::text AS total, (count(*) FILTER (WHERE ${usable} IS NOT TRUE))::text AS without_time,
  (${ignored.join(' + ') || '0'})::text AS ignored,
  (extract(epoch from min(${definition.timeSql}) FILTER (WHERE ${usable})) * 1000)::double precision AS first,
  (extract(epoch from max(${definition.timeSql}) FILTER (WHERE ${usable})) * 1000)::double precision AS last,
  (extract(epoch from now()) * 1000)::double precision AS as_of
FROM ${definition.sourceSql} AS source`
}

/**
 * The SELECT of every row that the rollup should have. `boundaries` are those of its buckets over the whole source; only
 * rollups of a day or longer outside UTC look at them.
 */
export function selectRollup(
  definition: Definition,
  rollup: RollupDefinition,
  origin: Origin,
  boundaries: readonly number[],
): string {
  const dimensions = dimensionsOf(definition, rollup)
  const group = ['bucket', ...dimensions.map((dimension) => quoteIdentifier(dimension.column))]
  const positions = group.map((_, index) => index + 1).join(', ')
  if (origin.kind === 'rollup') {
    const states = definition.states.map(
      (state) =>
        `(${state.merge(`n.${quoteIdentifier(state.column)}`)})::${state.sqlType} AS ${quoteIdentifier(state.column)}`,
    )
    const columns = [
      `${bucketSql(rollup, 'n.bucket', boundaries)} AS bucket`,
      ...group.slice(1).map((column) => `n.${column}`),
      ...states,
    ]
    return `SELECT ${columns.join(', ')} FROM ${nextTable(origin.rollup)} n GROUP BY ${positions}`
  }
  const columns = [
    `${bucketSql(rollup, definition.timeSql, boundaries)} AS bucket`,
    ...dimensions.map((dimension) => `${dimension.sql} AS ${quoteIdentifier(dimension.column)}`),
    ...definition.states.map((state) => `(${state.build})::${state.sqlType} AS ${quoteIdentifier(state.column)}`),
  ]
  return `SELECT ${columns.join(', ')} FROM ${definition.sourceSql} AS source WHERE ${hasTime(definition)} GROUP BY ${positions}`
}

/** Statements that make a rollup equal to its `nextTable`, writing only rows that differ. */
export function replaceRollup(
  definition: Definition,
  layout: string,
  rollup: RollupDefinition,
  schema: string,
): string[] {
  const table = `${schema}.${quoteIdentifier(rollupTable(layout, rollup))}`
  const next = nextTable(rollup)
  const keys = dimensionsOf(definition, rollup)
  const same = ['t.bucket = n.bucket']
  if (keys.length > 0) {
    same.push(
      sameKey(
        keys.map(({ column, type }) => ({ expression: `t.${quoteIdentifier(column)}`, sqlType: keptAs(type) })),
        keys.map(({ column }) => `n.${quoteIdentifier(column)}`),
      ),
    )
  }
  const match = same.join(' AND ')
  const columns = columnsOf(definition, rollup).map(quoteIdentifier)
  const states = definition.states.map((state) => quoteIdentifier(state.column))
  const list = (alias: string) => states.map((state) => `${alias}.${state}`).join(', ')
  return [
    `DELETE FROM ${table} t WHERE NOT EXISTS (SELECT FROM ${next} n WHERE ${match})`,
    `UPDATE ${table} t SET ${states.map((state) => `${state} = n.${state}`).join(', ')} FROM ${next} n
      WHERE ${match} AND (${list('t')}) IS DISTINCT FROM (${list('n')})`,
    `INSERT INTO ${table} (${columns.join(', ')}) SELECT ${columns.map((column) => `n.${column}`).join(', ')} FROM ${next} n
      WHERE NOT EXISTS (SELECT FROM ${table} t WHERE ${match})`,
  ]
}
