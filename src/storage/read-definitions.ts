import type { DataSource } from 'typeorm'
import type { Declaration } from '../dataset/declaration'
import { defineDatasets } from '../dataset/define'
import type { Definition } from '../dataset/definition'
import { describeSource } from './describe-source'
import { withConnection } from './query'

/**
 * Checks declarations against the database and settles what they mean.
 *
 * @throws DeclarationError with all faults of all of them.
 */
export async function readDefinitions(
  dataSource: DataSource,
  declarations: readonly Declaration[],
): Promise<readonly Definition[]> {
  return withConnection(dataSource, async (query) => {
    const described = []
    for (const declaration of declarations) {
      const description = await describeSource(async (sql) => (await query(sql)).rows, declaration)
      described.push({ declaration, description })
    }
    return defineDatasets(described)
  })
}
