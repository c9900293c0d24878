/** A node of a plan, as EXPLAIN (VERBOSE, FORMAT JSON) writes it. */
export interface PlanNode {
  readonly 'Node Type': string
  readonly Schema?: string
  readonly 'Relation Name'?: string
  readonly Alias?: string
  readonly Output?: readonly string[]
  readonly Filter?: string
  readonly Plans?: readonly PlanNode[]
}

/** A table and its column, as the catalogue writes their names. */
export interface ColumnOrigin {
  readonly schema: string
  readonly table: string
  readonly column: string
}

/**
 * Nodes through which a row of a table touches only rows of the result with its own time. Aggregates, windows, limits and
 * set operations are not among them: there one row decides about others.
 */
const ROW_BY_ROW = new Set([
  'Seq Scan',
  'Index Scan',
  'Index Only Scan',
  'Bitmap Heap Scan',
  'Bitmap Index Scan',
  'BitmapOr',
  'BitmapAnd',
  'Subquery Scan',
  'Function Scan',
  'Values Scan',
  'Hash',
  'Hash Join',
  'Merge Join',
  'Nested Loop',
  'Append',
  'Merge Append',
  'Gather',
  'Gather Merge',
  'Sort',
  'Incremental Sort',
  'Materialize',
  'Memoize',
  'Result',
])

const IDENTIFIER = /^(?:"((?:[^"]|"")+)"|([a-z_][a-z0-9_$]*))$/

function unquote(identifier: string): string | null {
  const match = IDENTIFIER.exec(identifier)
  return match?.[1]?.replaceAll('""', '"') ?? match?.[2] ?? null
}

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)]
}

function originOf(output: string, scans: readonly PlanNode[]): ColumnOrigin | null {
  const parts = /^((?:"(?:[^"]|"")+"|[^".]+))\.(.+)$/.exec(output)
  const alias = unquote(parts?.[1] ?? '')
  const column = unquote(parts?.[2] ?? '')
  const scan = scans.find((node) => node.Alias === alias)
  if (column === null || scan?.Schema === undefined || scan['Relation Name'] === undefined) return null
  return { schema: scan.Schema, table: scan['Relation Name'], column }
}

function outputOf(node: PlanNode): string[] {
  const isUnion = node['Node Type'] === 'Append' || node['Node Type'] === 'Merge Append'
  return isUnion ? (node.Plans ?? []).flatMap(outputOf) : [node.Output?.[0] ?? '']
}

/**
 * Tells which tables' columns are, as they are, the one column that a plan puts out, provided that a row of such a table
 * bears on no row of the result but those with its own value. Null when that cannot be told.
 */
export function findColumnOrigins(plan: PlanNode): readonly ColumnOrigin[] | null {
  const nodes = nodesOf(plan)
  if (nodes.some((node) => !ROW_BY_ROW.has(node['Node Type']))) return null
  const scans = nodes.filter((node) => node['Relation Name'] !== undefined)
  const origins = outputOf(plan).map((output) => originOf(output, scans))
  const found = origins.filter((origin) => origin !== null)
  if (found.length < origins.length) return null
  const keyOf = (schema?: string, table?: string) => JSON.stringify([schema, table])
  // A table that is read twice may lend its other rows the time of this one.
  const isReadOnce = found.every(
    ({ schema, table }) =>
      scans.filter((scan) => keyOf(scan.Schema, scan['Relation Name']) === keyOf(schema, table)).length === 1,
  )
  return isReadOnce ? found : null
}
