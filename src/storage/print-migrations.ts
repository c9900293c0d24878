import { type DataSource, MigrationExecutor, type QueryRunner } from 'typeorm'
import { quoteLiteral } from '../dataset/sql'
import { type Grantees, listGrants } from './print-grants'
import { withConnection } from './query'
import { schemaOf } from './schema'

/** The statements of the migrations that have not run; none when all have. */
async function listStatements(dataSource: DataSource, schema: string): Promise<readonly string[]> {
  const pending = await new MigrationExecutor(dataSource).getPendingMigrations()
  if (pending.length === 0) return []
  const statements: string[] = [
    `CREATE SCHEMA IF NOT EXISTS ${schema}`,
    // As TypeORM creates it.
    `CREATE TABLE IF NOT EXISTS ${schema}."migration" ("id" SERIAL PRIMARY KEY, "timestamp" bigint NOT NULL, "name" character varying NOT NULL)`,
  ]
  const recorder = {
    dataSource,
    query: async (sql: string) => {
      statements.push(sql)
    },
  }
  for (const { name, timestamp, instance } of pending) {
    // Migrations use a runner for statements alone, so one that writes them down is enough of one.
    await instance?.up(recorder as unknown as QueryRunner)
    statements.push(
      `INSERT INTO ${schema}."migration" ("timestamp", "name") VALUES (${timestamp}, ${quoteLiteral(name)})`,
    )
  }
  return statements
}

/**
 * Prints the SQL of the migrations that have not run, for somebody who has more rights than the user of this data source:
 * the schema, its tables, and what that user may do with them and with the sources. With a server role, also what servers
 * need that only read; then the grants are printed even when every migration has run. Changes nothing.
 */
export async function printMigrations(dataSource: DataSource, roles: Omit<Grantees, 'refresher'>): Promise<string> {
  const schema = schemaOf(dataSource)
  const statements = await listStatements(dataSource, schema)
  if (statements.length === 0 && roles.server === null) return `-- The schema ${schema} is up to date.\n`
  const grants = await withConnection(dataSource, async (query) => {
    const { rows } = await query('SELECT current_user')
    return listGrants(query, schema, { ...roles, refresher: String(rows[0]?.current_user) })
  })
  return `BEGIN;\n${[...statements, ...grants].map((statement) => `${statement.trim()};\n`).join('')}COMMIT;\n`
}
