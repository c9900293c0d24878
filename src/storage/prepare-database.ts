import type { DataSource } from 'typeorm'
import type { Declaration } from '../dataset/declaration'
import type { Definition } from '../dataset/definition'
import { listPendingMigrations, migrate } from './migrate'
import { readDefinitions } from './read-definitions'

/**
 * Connects, brings the schema up to date (`auto`) or only checks that it is, and settles what the declarations mean in
 * this database. May be called again.
 *
 * @throws DeclarationError with all faults of all of them.
 */
export async function prepareDatabase(
  dataSource: DataSource,
  settings: { readonly migrate: 'auto' | 'check'; readonly schema: string },
  declarations: readonly Declaration[],
): Promise<readonly Definition[]> {
  if (!dataSource.isInitialized) await dataSource.initialize()
  if (settings.migrate === 'auto') await migrate(dataSource)
  else if ((await listPendingMigrations(dataSource)).length > 0) {
    throw new Error(
      `The schema "${settings.schema}" is not up to date, and MIGRATE=check forbids changing it. Run "aggregraph migrate".`,
    )
  }
  return readDefinitions(dataSource, declarations)
}
