import type { Declaration } from '../dataset/declaration'
import { readDeclaration } from '../dataset/read-declaration'
import { quoteIdentifier } from '../dataset/sql'
import type { Query } from './query'

/** Who needs rights, and on what. */
export interface Grantees {
  /** The role that builds and refreshes; unquoted. */
  readonly refresher: string
  /** The role of servers that only read; unquoted. Null: servers refresh, too. */
  readonly server: string | null
  /** The datasets whose sources are read. */
  readonly declarations: readonly Declaration[]
}

interface NeededSource {
  /** Quoted, as declared. */
  readonly name: string
  readonly isCaptured: boolean
}

/** The tables and views that declarations name; what a query reads without naming it in `dependsOn` is not among them. */
function sourcesOf(declarations: readonly Declaration[]): NeededSource[] {
  return declarations.map(readDeclaration).flatMap(({ source, refresh }) => {
    if (source === null) return []
    const names = source.isQuery ? Object.values(source.dependencies).map(({ sql }) => sql) : [source.sql]
    const isCaptured = refresh !== 'manual' && refresh.capture === 'trigger'
    return names.map((name) => ({ name, isCaptured }))
  })
}

/**
 * Finds a relation and its partitions, each of which needs triggers of its own. Not by `to_regclass`: that fails in a schema
 * that is still closed to the user who asks.
 */
async function listParts(query: Query, name: string): Promise<readonly { schema: string; relation: string }[]> {
  const { rows } = await query(
    `WITH RECURSIVE named AS (SELECT parse_ident($1) AS parts), tree AS (
       SELECT c.oid FROM named, pg_class c JOIN pg_namespace n ON n.oid = relnamespace
       WHERE relname = parts[cardinality(parts)]
         AND CASE WHEN cardinality(parts) > 1 THEN nspname = parts[1] ELSE c.oid = to_regclass($1) END
       UNION SELECT inhrelid FROM pg_inherits JOIN tree ON inhparent = tree.oid
     )
     SELECT quote_ident(nspname) AS schema, format('%I.%I', nspname, relname) AS relation
     FROM tree JOIN pg_class c ON c.oid = tree.oid JOIN pg_namespace n ON n.oid = relnamespace ORDER BY c.oid`,
    [name],
  )
  return rows.map((row) => ({ schema: String(row.schema), relation: String(row.relation) }))
}

async function grantSource(
  query: Query,
  { name, isCaptured }: NeededSource,
  refresher: string,
  server: string | null,
): Promise<string[]> {
  const [whole, ...parts] = await listParts(query, name)
  const rights = isCaptured ? 'SELECT, TRIGGER' : 'SELECT'
  if (whole === undefined) {
    return [
      `-- When it is there: GRANT ${rights} ON ${name} TO ${refresher}`,
      ...(server === null ? [] : [`-- When it is there: GRANT SELECT ON ${name} TO ${server}`]),
    ]
  }
  return [
    `GRANT USAGE ON SCHEMA ${whole.schema} TO ${refresher}`,
    `GRANT ${rights} ON ${whole.relation} TO ${refresher}`,
    ...(isCaptured ? parts.map(({ relation }) => `GRANT TRIGGER ON ${relation} TO ${refresher}`) : []),
    // A server checks its declarations against the columns, and for that may read them; it reads no row.
    ...(server === null
      ? []
      : [`GRANT USAGE ON SCHEMA ${whole.schema} TO ${server}`, `GRANT SELECT ON ${whole.relation} TO ${server}`]),
  ]
}

/** The statements that give the roles what they need; a line that begins with `--` is for people. */
export async function listGrants(query: Query, schema: string, grantees: Grantees): Promise<readonly string[]> {
  const refresher = quoteIdentifier(grantees.refresher)
  const statements = [
    `GRANT USAGE, CREATE ON SCHEMA ${schema} TO ${refresher}`,
    `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${refresher}`,
    `GRANT EXECUTE ON FUNCTION ${schema}.announce(text[]) TO ${refresher}`,
  ]
  const server = grantees.server === null ? null : quoteIdentifier(grantees.server)
  if (server !== null) {
    statements.push(
      `GRANT USAGE ON SCHEMA ${schema} TO ${server}`,
      `GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO ${server}`,
      // Rollups are created by the refresher, with every new definition.
      `ALTER DEFAULT PRIVILEGES FOR ROLE ${refresher} IN SCHEMA ${schema} GRANT SELECT ON TABLES TO ${server}`,
      `GRANT EXECUTE ON FUNCTION ${schema}.announce(text[]) TO ${server}`,
    )
  }
  for (const source of sourcesOf(grantees.declarations)) {
    statements.push(...(await grantSource(query, source, refresher, server)))
  }
  return [...new Set(statements)]
}
