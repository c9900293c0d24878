import { type DataSource, MigrationExecutor, type QueryRunner } from 'typeorm'
import { quoteIdentifier, quoteLiteral } from '../dataset/sql'
import { withConnection } from './query'
import { schemaOf } from './schema'

/**
 * Prints the SQL of the migrations that have not run, for somebody who has more rights than the user of this data source:
 * the schema, its tables, and what that user may do with them. Changes nothing.
 */
export async function printPendingMigrations(dataSource: DataSource): Promise<string> {
  const schema = schemaOf(dataSource)
  const pending = await new MigrationExecutor(dataSource).getPendingMigrations()
  if (pending.length === 0) return `-- The schema ${schema} is up to date.\n`
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
  const user = await withConnection(dataSource, async (query) => (await query('SELECT current_user')).rows[0])
  const role = quoteIdentifier(String(user?.current_user))
  statements.push(
    `GRANT USAGE, CREATE ON SCHEMA ${schema} TO ${role}`,
    `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${role}`,
  )
  return `BEGIN;\n${statements.map((statement) => `${statement.trim()};\n`).join('')}COMMIT;\n`
}
