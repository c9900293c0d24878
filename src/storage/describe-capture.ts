import type { ReadDeclaration } from '../dataset/read-declaration'
import type { CaptureDescription, CapturedRelation } from '../dataset/source-description'
import { quoteIdentifier, quoteLiteral } from '../dataset/sql'
import type { RunQuery } from './run-query'
import { findColumnOrigins, type PlanNode, tablesOf } from './time-origin'

/** The root of the partitioned table that a relation belongs to; the relation itself where there is none. */
const ROOT = 'coalesce(pg_catalog.pg_partition_root(c.oid), c.oid)'

async function describeRelations(query: RunQuery, names: readonly string[]): Promise<CapturedRelation[]> {
  const relations: CapturedRelation[] = []
  for (const name of names) {
    const [row] = await query(`
      SELECT pg_catalog.format('%I.%I', nspname, relname) AS qualified, relkind::text AS kind,
        (SELECT pg_catalog.array_agg(pg_catalog.quote_ident(attname) ORDER BY attnum) FROM pg_catalog.pg_index i
          JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
          WHERE i.indrelid = c.oid AND i.indisprimary) AS key
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace
      WHERE c.oid = pg_catalog.to_regclass(${quoteLiteral(name)})`)
    if (row === undefined) continue
    const key = Array.isArray(row.key) ? row.key.map(String) : null
    relations.push({ name, qualified: String(row.qualified), isTable: row.kind === 'r' || row.kind === 'p', key })
  }
  return relations
}

/** The root of each table's partition tree, by the table's own name. Names are quoted, `schema.table`. */
async function readRoots(query: RunQuery, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const roots = new Map<string, string>()
  for (const name of new Set(names)) {
    const [row] = await query(`
      SELECT pg_catalog.format('%I.%I', nspname, relname) AS qualified FROM pg_catalog.pg_class r
      JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace
      WHERE r.oid = (SELECT ${ROOT} FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass(${quoteLiteral(name)}))`)
    if (row !== undefined) roots.set(name, String(row.qualified))
  }
  return roots
}

/** The tables of a query, and those whose column is the time of its rows, as it is; none where that cannot be told. */
async function describeQuery(
  query: RunQuery,
  source: string,
  time: string,
): Promise<Pick<CaptureDescription, 'timeTables' | 'tables'>> {
  // All columns: the planner leaves out a join of which none is asked for, and with it a second reading of a table.
  const [row] = await query(
    `EXPLAIN (VERBOSE, FORMAT JSON) SELECT source.${quoteIdentifier(time)}, source.* FROM ${source} AS source`,
  )
  const plans = row?.['QUERY PLAN']
  // Written by EXPLAIN, in the form it documents.
  const plan = Array.isArray(plans) ? (plans[0] as { readonly Plan: PlanNode }).Plan : null
  if (plan === null) return { timeTables: [], tables: [] }
  const nameOf = ({ schema, table }: { readonly schema: string; readonly table: string }) =>
    `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`
  const roots = await readRoots(query, tablesOf(plan).map(nameOf))
  const rootOf = (table: { readonly schema: string; readonly table: string }) =>
    roots.get(nameOf(table)) ?? nameOf(table)
  const tables = new Map<string, { qualified: string; column: string }>()
  for (const origin of findColumnOrigins(plan, rootOf) ?? []) {
    const qualified = rootOf(origin)
    const column = quoteIdentifier(origin.column)
    tables.set(`${qualified} ${column}`, { qualified, column })
  }
  return { timeTables: [...tables.values()], tables: [...new Set(roots.values())] }
}

/** Asks the catalogue what capturing the changes of a source takes: its tables, and which of them carry the time. */
export async function describeCapture(query: RunQuery, read: ReadDeclaration): Promise<CaptureDescription | null> {
  const { source, time, refresh } = read
  if (refresh === 'manual' || refresh.capture !== 'trigger' || source === null || time === null) return null
  if (!source.isQuery) {
    const relations = await describeRelations(query, [source.sql])
    const timeTables = relations.map(({ qualified }) => ({ qualified, column: quoteIdentifier(time) }))
    return { relations, timeTables, tables: [] }
  }
  const relations = await describeRelations(
    query,
    Object.values(source.dependencies).map(({ sql }) => sql),
  )
  return { relations, ...(await describeQuery(query, source.sql, time)) }
}
