import { readConfig } from './src/config'
import { ConfigurationError } from './src/errors'
import { createDataSource } from './src/storage/data-source'

/** The data source for TypeORM's own command line: `npm run typeorm -- migration:show`. */
const config = readConfig(process.env)
if (config.databaseUrl === null) {
  throw new ConfigurationError([{ subject: 'DATABASE_URL', sentence: 'is not set. TypeORM needs a database.' }])
}

export default createDataSource({
  url: config.databaseUrl,
  schema: config.schema,
  poolSize: config.databasePool,
})
