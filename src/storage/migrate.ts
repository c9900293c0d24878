import { type DataSource, MigrationExecutor } from 'typeorm'
import { withTransaction } from './query'
import { schemaOf } from './schema'

/** Key of the transaction-level advisory lock that lets one process migrate at a time. */
const MIGRATION_LOCK = 4_117_733_001

/**
 * Creates or upgrades the schema and its system tables, under a lock, so that any number of processes may start at once.
 * Runs again without harm.
 */
export async function migrate(dataSource: DataSource): Promise<void> {
  await withTransaction(dataSource, 'READ COMMITTED', async (query) => {
    await query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK])
    const schema = schemaOf(dataSource)
    const { rows } = await query('SELECT to_regnamespace($1) AS found', [schema])
    // Not IF NOT EXISTS: that asks for the right to create schemas even where a DBA has made this one.
    if (rows[0]?.found === null) {
      await withTransaction(dataSource, 'READ COMMITTED', (create) => create(`CREATE SCHEMA IF NOT EXISTS ${schema}`))
    }
    await dataSource.runMigrations({ transaction: 'all' })
  })
}

/** Names of the migrations that have not run. Writes nothing. */
export async function listPendingMigrations(dataSource: DataSource): Promise<readonly string[]> {
  return (await new MigrationExecutor(dataSource).getPendingMigrations()).map(({ name }) => name)
}
