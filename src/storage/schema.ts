import type { DataSource } from 'typeorm'
import { quoteIdentifier } from '../dataset/sql'

/** The schema of a data source, quoted for SQL. */
export function schemaOf(dataSource: DataSource): string {
  const { options } = dataSource
  return quoteIdentifier(options.type === 'postgres' && options.schema ? options.schema : 'aggregraph')
}
