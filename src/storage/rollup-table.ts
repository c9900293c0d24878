import { baseZone } from '../dataset/base-zone'
import type { DimensionDefinition, LayoutDefinition, RollupDefinition } from '../dataset/definition'
import { quoteIdentifier, quoteLiteral } from '../dataset/sql'
import { keptAs } from './dimension-sql'

type State = LayoutDefinition['states'][number]

/** A table of states by bucket: a rollup, or the census. */
export interface RollupTable {
  readonly rollup: RollupDefinition
  /** Unquoted: at most 63 bytes, readable, unique in the schema. */
  readonly name: string
  readonly dimensions: readonly DimensionDefinition[]
  readonly states: readonly State[]
  /** False for the census, which no question reads. */
  readonly isRollup: boolean
}

/** Names the layout of a definition: the dataset and what its rollups hold. */
export function layoutId({ name, hash }: Pick<LayoutDefinition, 'name' | 'hash'>): string {
  return `${name}:${hash}`
}

/** The table of a rollup, unquoted. */
export function rollupTable(layout: string, rollup: Pick<RollupDefinition, 'index'>): string {
  return tableName(layout, String(rollup.index))
}

function tableName(layout: string, suffix: string): string {
  const [dataset = '', hash = ''] = layout.split(':')
  const readable = dataset
    .replace(/([A-Z])/g, '_$1')
    .toLowerCase()
    .slice(0, 36)
  return `${readable}_${hash.slice(0, 16)}_${suffix}`
}

/** The index of a rollup by its key, quoted. */
export function keyIndex({ name }: Pick<RollupTable, 'name'>): string {
  return quoteIdentifier(`${name}_key`)
}

/** The tables of a definition's rollups, in their order. */
export function rollupTables(definition: LayoutDefinition): RollupTable[] {
  return definition.rollups.map((rollup) => ({
    rollup,
    name: rollupTable(layoutId(definition), rollup),
    dimensions: rollup.by.flatMap((name) => definition.dimensions.filter((dimension) => dimension.name === name)),
    states: definition.states,
    isRollup: true,
  }))
}

/**
 * The census of a definition's source: by bucket of the dataset, how many rows and ignored values it has, and its first
 * and last time. It is kept as rollups are, so a refresh need not read the whole source to count it.
 */
export function censusTable(definition: LayoutDefinition): RollupTable {
  const { granularity, timeSql, finite } = definition
  const ignored = finite.map((condition) => `count(*) FILTER (WHERE NOT (${condition}))`)
  const added = (column: string, build: string): State => ({
    column,
    sqlType: 'bigint',
    build,
    merge: (state) => `sum(${state})`,
  })
  const extreme = (column: string, aggregate: 'min' | 'max'): State => ({
    column,
    sqlType: 'timestamptz',
    build: `${aggregate}(${timeSql})`,
    merge: (state) => `${aggregate}(${state})`,
  })
  return {
    rollup: {
      index: definition.rollups.length,
      name: 'census',
      by: [],
      granularity,
      timezone: baseZone(definition),
      keep: null,
    },
    name: tableName(layoutId(definition), 'census'),
    dimensions: [],
    states: [
      added('source_rows', 'count(*)'),
      added('values_ignored', ignored.join(' + ') || '0'),
      extreme('first_at', 'min'),
      extreme('last_at', 'max'),
    ],
    isRollup: false,
  }
}

/** The columns of a table, quoted, `bucket` first. */
export function columnsOf({ dimensions, states }: RollupTable): string[] {
  return ['bucket', ...[...dimensions, ...states].map(({ column }) => quoteIdentifier(column))]
}

/** The statements that create a table without its indexes. Pages keep room, so that most updates stay within theirs. */
export function createTable(definition: LayoutDefinition, table: RollupTable, schema: string): string[] {
  const { name, dimensions, states, rollup } = table
  const target = `${schema}.${quoteIdentifier(name)}`
  const columns = [
    'bucket timestamptz NOT NULL',
    ...dimensions.map(({ column, type }) => {
      const kept = keptAs(type)
      return `${quoteIdentifier(column)} ${kept === 'text' ? 'text COLLATE "C"' : kept}`
    }),
    ...states.map(({ column, sqlType }) => `${quoteIdentifier(column)} ${sqlType}`),
  ]
  return [
    `CREATE TABLE ${target} (${columns.join(', ')})
     WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02)`,
    `COMMENT ON TABLE ${target} IS ${quoteLiteral(`${definition.className}: ${rollup.name}`)}`,
  ]
}

/** The statements that create the indexes of a table: the one by key, scope first, apart from those by time. */
export function createIndexes(
  definition: LayoutDefinition,
  { name, dimensions, rollup }: RollupTable,
  schema: string,
): { readonly byKey: string; readonly byTime: readonly string[] } {
  const target = `${schema}.${quoteIdentifier(name)}`
  const columns = dimensions.map(({ column }) => quoteIdentifier(column))
  const scoped = dimensions.filter((dimension) => Object.hasOwn(definition.scope, dimension.name))
  const scopedColumns = scoped.map(({ column }) => quoteIdentifier(column))
  const index = (suffix: string, keys: readonly string[]) =>
    `CREATE INDEX IF NOT EXISTS ${quoteIdentifier(`${name}_${suffix}`)} ON ${target} (${keys.join(', ')})`
  return {
    byKey: `CREATE UNIQUE INDEX IF NOT EXISTS ${keyIndex({ name })} ON ${target} (${[...columns, 'bucket'].join(', ')}) NULLS NOT DISTINCT`,
    byTime: [
      // Refreshes look for buckets alone, questions with a scope for those of one tenant.
      ...(rollup.by.length > 0 ? [index('time', ['bucket'])] : []),
      ...(scoped.length > 0 && scoped.length < dimensions.length ? [index('scope', [...scopedColumns, 'bucket'])] : []),
    ],
  }
}
