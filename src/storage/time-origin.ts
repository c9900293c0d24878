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

function isUnion(node: PlanNode): boolean {
  return node['Node Type'] === 'Append' || node['Node Type'] === 'Merge Append'
}

/** The alias and the column of an output such as `o.at`; null for any other expression. */
function readColumn(output: string | undefined): { readonly alias: string; readonly column: string } | null {
  const parts = /^("(?:[^"]|"")+"|[^".]+)\.(.+)$/.exec(output ?? '')
  const alias = unquote(parts?.[1] ?? '')
  const column = unquote(parts?.[2] ?? '')
  return alias === null || column === null ? null : { alias, column }
}

/** Whether a node reads a table under the alias, or a part of a partitioned one: `o` is read as `o_1`, `o_2` and so on. */
function reads(node: PlanNode | undefined, alias: string): boolean {
  const { 'Relation Name': table, Alias: own } = node ?? {}
  if (table === undefined || own === undefined) return false
  return own === alias || (own.startsWith(`${alias}_`) && /^[0-9]+$/.test(own.slice(alias.length + 1)))
}

/** What an output of a node is, all the way down; null when it is no column as it is, or that cannot be told. */
function traceOutput(node: PlanNode, position: number): ColumnOrigin[] | null {
  if (isUnion(node)) return traceAll(node, position)
  const found = readColumn(node.Output?.[position])
  if (found === null) return null
  const { alias, column } = found
  const below = nodesOf(node)
  // Above a union, the alias is that of its first part, or of the partitioned table.
  const unions = below.filter((one) => isUnion(one) && reads(one.Plans?.[0], alias))
  const [union] = unions
  if (union !== undefined) {
    const at = (union.Plans?.[0]?.Output ?? []).findIndex((output) => readColumn(output)?.column === column)
    return unions.length === 1 && at >= 0 ? traceAll(union, at) : null
  }
  const scan = below.find((one) => one['Relation Name'] !== undefined && one.Alias === alias)
  const { Schema: schema, 'Relation Name': table } = scan ?? {}
  return schema === undefined || table === undefined ? null : [{ schema, table, column }]
}

function traceAll({ Plans: parts = [] }: PlanNode, position: number): ColumnOrigin[] | null {
  const traced = parts.map((part) => traceOutput(part, position))
  const found = traced.filter((origins) => origins !== null)
  return found.length === traced.length ? found.flat() : null
}

/** The tables that a plan reads, as the catalogue writes their names. */
export function tablesOf(plan: PlanNode): readonly Omit<ColumnOrigin, 'column'>[] {
  return nodesOf(plan).flatMap(({ Schema: schema, 'Relation Name': table }) =>
    schema === undefined || table === undefined ? [] : [{ schema, table }],
  )
}

/**
 * Tells which tables' columns are, as they are, the first column that a plan puts out, provided that a row of such a table
 * bears on no row of the result but those with its own value. Null when that cannot be told. `rootOf` names the partitioned
 * table that a table is a part of, or the table itself.
 */
export function findColumnOrigins(
  plan: PlanNode,
  rootOf: (table: Omit<ColumnOrigin, 'column'>) => string,
): readonly ColumnOrigin[] | null {
  const nodes = nodesOf(plan)
  if (nodes.some((node) => !ROW_BY_ROW.has(node['Node Type']))) return null
  const origins = traceOutput(plan, 0)
  if (origins === null) return null
  const rootsOf = (node: PlanNode) => tablesOf({ ...node, Plans: [] }).map(rootOf)
  const countScans = (among: readonly PlanNode[], root: string) =>
    among.flatMap(rootsOf).filter((one) => one === root).length
  // A table that is read twice may lend its other rows the time of this one; not so in parts of one union.
  const isReadOnce = origins.every((origin) => {
    const root = rootOf(origin)
    const scans = countScans(nodes, root)
    return scans === 1 || nodes.some((node) => isUnion(node) && countScans(node.Plans ?? [], root) === scans)
  })
  return isReadOnce ? origins : null
}
