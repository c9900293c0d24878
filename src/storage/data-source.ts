import type { Client, Pool } from 'pg'
import { DataSource, type Logger } from 'typeorm'
import { CreateSystemTables1763856000000 } from './migrations/1763856000000-create-system-tables'
import { AddCapture1764000000000 } from './migrations/1764000000000-add-capture'
import { AddHistory1764200000000 } from './migrations/1764200000000-add-history'

export interface DataSourceOptions {
  readonly url: string
  /** Schema of the rollups and system tables. */
  readonly schema: string
  /** Most connections open at once. */
  readonly poolSize: number
  readonly logger?: Logger
}

/** Creates the process's one TypeORM data source; `initialize()` connects it. */
export function createDataSource(options: DataSourceOptions): DataSource {
  return new DataSource({
    type: 'postgres',
    url: options.url,
    schema: options.schema,
    applicationName: 'aggregraph',
    poolSize: options.poolSize,
    connectTimeoutMS: 5000,
    installExtensions: false,
    migrations: [CreateSystemTables1763856000000, AddCapture1764000000000, AddHistory1764200000000],
    migrationsTableName: 'migration',
    logger: options.logger,
    logging: options.logger !== undefined,
    // A dropped idle connection is replaced at the next query; there is nothing for the pool to report.
    poolErrorHandler: () => undefined,
    // A host that is gone without a word is noticed within half a minute, not two hours, also while it computes an answer.
    // No start-up parameter such as statement_timeout: transaction poolers refuse them.
    extra: {
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      // Between the pool's listener and TypeORM's there is a moment without one, in which a loss would end the process.
      onConnect: (client: Client) => void client.on('error', () => undefined),
    },
  })
}

/** Connections of the pool that are open, those of them that are idle, and who waits for one; null before the first. */
export function readPool(
  dataSource: DataSource,
): { readonly open: number; readonly idle: number; readonly waiting: number } | null {
  if (!dataSource.isInitialized) return null
  // The driver of Postgres keeps its pool there, and TypeORM does not type it.
  const { master } = dataSource.driver as unknown as { readonly master: Pool }
  return { open: master.totalCount, idle: master.idleCount, waiting: master.waitingCount }
}
