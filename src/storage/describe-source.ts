import type { ColumnType } from '../dataset/column-type'
import type { Declaration } from '../dataset/declaration'
import { readDeclaration } from '../dataset/read-declaration'
import {
  type ExpressionDescription,
  expressionsOf,
  type Refusal,
  type RelationDescription,
  type SourceDescription,
} from '../dataset/source-description'
import { describeCapture } from './describe-capture'
import type { RunQuery } from './run-query'

/** SQLSTATE classes that blame the statement: data exception, no such schema, syntax or access rule, not supported, too complex. */
const REFUSALS = ['0A', '21', '22', '3F', '42', '54']

const COLUMN_TYPES: Readonly<Record<string, ColumnType>> = {
  text: 'text',
  varchar: 'text',
  bpchar: 'text',
  name: 'text',
  citext: 'text',
  uuid: 'uuid',
  bool: 'boolean',
  int2: 'smallint',
  int4: 'integer',
  int8: 'bigint',
  numeric: 'numeric',
  float4: 'real',
  float8: 'double',
  date: 'date',
  timestamp: 'timestamp',
  timestamptz: 'timestamptz',
}

/** Returns what Postgres holds against the statement; rethrows every other failure, a lost connection above all. */
function refusalOf(error: unknown): Refusal {
  const { code, message, hint } = error as { code?: unknown; message?: unknown; hint?: unknown }
  if (typeof code !== 'string' || !REFUSALS.includes(code.slice(0, 2))) throw error
  return { error: String(message), ...(typeof hint === 'string' && hint !== '' ? { hint } : {}) }
}

/** Lists a relation's columns from one row of nulls, which is made without reading the relation. */
async function describeRelation(query: RunQuery, relation: string): Promise<RelationDescription | Refusal> {
  const nothing = `select * from ${relation} as source limit 0`
  const row = `select source.* from (select) as one left join (${nothing}) as source on true`
  try {
    const rows = await query(
      `select pg_catalog.json_object_keys(pg_catalog.to_json(empty)) as name from (${row}) as empty`,
    )
    return { columns: [...new Set(rows.map(({ name }) => String(name)))] }
  } catch (error) {
    return refusalOf(error)
  }
}

/**
 * An expression's type, which is known before any row is read. The condition keeps out what a row alone cannot answer:
 * Postgres allows no aggregate, window function or set in it.
 */
function typeSql(relation: string, expression: string): string {
  return `pg_catalog.pg_typeof((select ${expression} from ${relation} as source where (${expression}) is not null limit 0))`
}

async function describeExpressions(
  query: RunQuery,
  relation: string,
  expressions: readonly string[],
): Promise<readonly ExpressionDescription[]> {
  const asked = expressions.map((expression, position) => `(${position}, ${typeSql(relation, expression)}::oid)`)
  const rows = await query(`
    with recursive asked (position, type) as (values ${asked.join(',\n')}),
    resolved (position, type, base) as (
      select position, type, type from asked
      union all
      select position, type, domain.typbasetype
      from resolved join pg_catalog.pg_type as domain on domain.oid = base and domain.typtype = 'd'
    )
    select position, pg_catalog.format_type(type, null) as "pgType", typname::text as base, typtype = 'e' as "isEnum"
    from resolved join pg_catalog.pg_type on pg_type.oid = base and typtype <> 'd'
    order by position`)
  return rows.map(({ pgType, base, isEnum }) => ({
    type: isEnum === true ? 'enum' : (COLUMN_TYPES[String(base)] ?? 'other'),
    pgType: String(pgType),
  }))
}

/** Asks for all at once, and one by one only when something is refused, so that every fault comes to light. */
async function describeEach(
  query: RunQuery,
  relation: string,
  expressions: readonly string[],
): Promise<SourceDescription['expressions']> {
  try {
    const described = await describeExpressions(query, relation, expressions)
    return Object.fromEntries(described.map((description, index) => [expressions[index], description]))
  } catch (error) {
    const refusal = refusalOf(error)
    const [first] = expressions
    if (first !== undefined && expressions.length === 1) return { [first]: refusal }
  }
  const single: Record<string, ExpressionDescription | Refusal> = {}
  for (const expression of expressions) Object.assign(single, await describeEach(query, relation, [expression]))
  return single
}

/**
 * Asks the database about a declaration's source: whether it is there, and the type of every expression over its rows.
 * No statement reads a row of the source. What Postgres refuses is told in the description; a failure that is not the
 * declaration's, such as a lost connection, is thrown.
 */
export async function describeSource(query: RunQuery, declaration: Declaration): Promise<SourceDescription> {
  const read = readDeclaration(declaration)
  if (read.source === null) return { relation: null, expressions: {}, dependencies: {}, capture: null }
  const dependencies: Record<string, RelationDescription | Refusal> = {}
  for (const [name, { sql }] of Object.entries(read.source.dependencies)) {
    dependencies[name] = await describeRelation(query, sql)
  }
  const relation = await describeRelation(query, read.source.sql)
  const expressions =
    'error' in relation ? {} : await describeEach(query, read.source.sql, expressionsOf(read, relation.columns))
  const capture =
    'error' in relation || !relation.columns.includes(read.time ?? '') ? null : await describeCapture(query, read)
  return { relation, expressions, dependencies, capture }
}
