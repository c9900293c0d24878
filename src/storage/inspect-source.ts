import type { DataSource } from 'typeorm'
import type { LayoutDefinition } from '../dataset/definition'
import { quoteIdentifier, quoteLiteral } from '../dataset/sql'
import type { Stretch } from '../time/stretch'
import { type Query, withDeadline } from './query'
import { isTimeWithin } from './source-sql'

/** A table that is read whole where a part of it would do. */
export interface WholeScan {
  /** Quoted, `schema.table`; of a partition, the partitioned table. */
  readonly table: string
  /** The column to index, quoted; null where the condition is not on a column. */
  readonly column: string | null
  /** Postgres creates no index CONCURRENTLY on a partitioned table. */
  readonly isPartitioned: boolean
}

/** How the planner would look for some rows of a source. */
export interface SearchFacts {
  readonly scans: readonly WholeScan[]
  /** Whether the condition is applied only to rows that were made of all of some table. */
  readonly isLate: boolean
}

export interface SourceFacts {
  /** Rows that the planner expects of the largest table of the source. */
  readonly rows: number
  /** The search for the rows of a stretch of time. */
  readonly byTime: SearchFacts
  /** The search for rows that changed since a moment; null unless the dataset is refreshed by `updatedAt`. */
  readonly byUpdate: SearchFacts | null
}

/** A node of a plan, as EXPLAIN (VERBOSE, FORMAT JSON) writes it. */
interface PlanNode {
  readonly 'Node Type': string
  readonly 'Plan Rows': number
  readonly Schema?: string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Index Cond'?: string
  readonly Filter?: string
  readonly Plans?: readonly PlanNode[]
}

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
/** Where nothing is known of the data: a stretch that leaves out no partition. */
const WIDE: Stretch = { from: Date.UTC(1000, 0, 2), to: Date.UTC(9000, 0, 1) }

/** A condition, and the dates from which it wants rows: what it is recognised by in a plan. */
interface Search {
  readonly where: string
  readonly marks: readonly string[]
}

function dateOf(instant: number): string {
  return new Date(instant).toISOString().slice(0, 10)
}

async function explain(query: Query, definition: LayoutDefinition, where: string): Promise<PlanNode | null> {
  const { sourceSql, timeColumn } = definition
  const { rows } = await query(
    `EXPLAIN (VERBOSE, FORMAT JSON) SELECT ${timeColumn} FROM ${sourceSql} AS source WHERE ${where}`,
  )
  const plans = rows[0]?.['QUERY PLAN']
  // Written by EXPLAIN, in the form it documents.
  return Array.isArray(plans) ? (plans[0] as { readonly Plan: PlanNode }).Plan : null
}

/** Rows of the largest table that a plan reads, its partitions together. */
function largestTable(node: PlanNode): number {
  const own = node['Relation Name'] !== undefined || node['Node Type'].endsWith('Append') ? node['Plan Rows'] : 0
  return Math.max(own, ...(node.Plans ?? []).map(largestTable))
}

/** The first column of an index that is sorted by its columns in turn, quoted; null when it is an expression. */
async function leadOf(query: Query, index: string): Promise<string | null> {
  const { rows } = await query(
    `SELECT quote_ident(attname) AS name FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
     WHERE indexrelid = to_regclass($1)
       AND (SELECT amname FROM pg_am JOIN pg_class i ON pg_am.oid = i.relam WHERE i.oid = indexrelid) = 'btree'`,
    [index],
  )
  return rows[0] === undefined ? null : String(rows[0].name)
}

/** Whether the condition on an index is on what it is sorted by first; else all of a sorted index is read. */
async function isSearched(query: Query, schema: string, node: PlanNode): Promise<boolean> {
  const index = `${quoteIdentifier(schema)}.${quoteIdentifier(node['Index Name'] ?? '')}`
  const lead = await leadOf(query, index)
  const condition = node['Index Cond'] ?? ''
  return lead === null || [`(${lead} `, `.${lead} `].some((text) => condition.includes(text))
}

async function rootOf(query: Query, schema: string, table: string) {
  const { rows } = await query(
    `SELECT format('%I.%I', nspname, relname) AS name, relkind = 'p' AS is_partitioned FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
     WHERE pg_class.oid = coalesce(pg_partition_root(to_regclass($1)), to_regclass($1))`,
    [`${quoteIdentifier(schema)}.${quoteIdentifier(table)}`],
  )
  return { table: String(rows[0]?.name), isPartitioned: rows[0]?.is_partitioned === true }
}

/** Looks a plan through for tables that the search reads whole, though its condition is on their rows. */
async function findScans(query: Query, plan: PlanNode, { marks }: Search): Promise<SearchFacts> {
  const isMarked = (text: string | undefined) => marks.some((mark) => text?.includes(`'${mark}`))
  const column = new RegExp(`[.(]("(?:[^"]|"")+"|[a-z_][a-z0-9_$]*) >= '(?:${marks.join('|')})`)
  const scans = new Map<string, WholeScan>()
  let isLate = false
  const add = async ({ Schema: schema = '', 'Relation Name': table = '' }: PlanNode, condition = '') => {
    const root = await rootOf(query, schema, table)
    scans.set(root.table, { ...root, column: column.exec(condition)?.[1] ?? null })
  }
  const visit = async (node: PlanNode, scanned: PlanNode): Promise<void> => {
    const relation = node['Relation Name'] === undefined ? scanned : node
    if (isMarked(node['Index Cond'])) {
      if (!(await isSearched(query, relation.Schema ?? '', node))) await add(relation, node['Index Cond'])
    } else if (
      isMarked(node.Filter) &&
      !(node['Node Type'] === 'Bitmap Heap Scan' && isMarked(JSON.stringify(node.Plans)))
    ) {
      if (node['Relation Name'] === undefined) isLate = true
      else if (node['Node Type'] !== 'Foreign Scan') await add(node, node.Filter)
    }
    for (const child of node.Plans ?? []) await visit(child, relation)
  }
  await visit(plan, plan)
  return { scans: [...scans.values()], isLate }
}

/**
 * Asks the planner how a refresh would find the rows of an hour, and those that changed lately, if it has to make do
 * without reading whole tables. Reads no row. `dataTo` is where the data end, in epoch milliseconds, if that is known.
 */
export async function inspectSource(
  dataSource: DataSource,
  definition: LayoutDefinition,
  dataTo: number | null,
  seconds: number,
): Promise<SourceFacts> {
  const stretch = dataTo === null ? WIDE : { from: dataTo - HOUR_MS, to: dataTo }
  const { refresh } = definition
  const byTime: Search = {
    where: isTimeWithin(definition, [stretch]),
    // Local times are also compared with a day to spare.
    marks: [dateOf(stretch.from), dateOf(stretch.from - DAY_MS)],
  }
  const since = dateOf(WIDE.from)
  const byUpdate: Search | null =
    refresh === 'manual' || refresh.updatedAt === undefined
      ? null
      : { where: `${quoteIdentifier(refresh.updatedAt)} >= ${quoteLiteral(since)}::timestamptz`, marks: [since] }
  return withDeadline(dataSource, seconds, async (query) => {
    const whole = await explain(query, definition, 'true')
    const rows = whole === null ? 0 : largestTable(whole)
    // Plans are read for dates, so these must be written in one way.
    for (const setting of [`TimeZone = 'UTC'`, `DateStyle = 'ISO'`, 'enable_seqscan = off']) {
      await query(`SET LOCAL ${setting}`)
    }
    const find = async (search: Search): Promise<SearchFacts> => {
      const plan = await explain(query, definition, search.where)
      return plan === null ? { scans: [], isLate: false } : findScans(query, plan, search)
    }
    return { rows, byTime: await find(byTime), byUpdate: byUpdate && (await find(byUpdate)) }
  })
}
