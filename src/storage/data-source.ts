import { DataSource, type Logger } from 'typeorm'
import { CreateSystemTables1763856000000 } from './migrations/1763856000000-create-system-tables'
import { AddCapture1764000000000 } from './migrations/1764000000000-add-capture'

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
    connectTimeoutMS: 3000,
    installExtensions: false,
    migrations: [CreateSystemTables1763856000000, AddCapture1764000000000],
    migrationsTableName: 'migration',
    logger: options.logger,
    logging: options.logger !== undefined,
    // A dropped idle connection is replaced at the next query; there is nothing for the pool to report.
    poolErrorHandler: () => undefined,
    // No start-up parameter such as statement_timeout: transaction poolers refuse them.
    extra: { keepAlive: true },
  })
}
