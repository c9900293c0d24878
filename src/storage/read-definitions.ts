import type { DataSource } from 'typeorm'
import type { Declaration } from '../dataset/declaration'
import { defineDatasets } from '../dataset/define'
import type { Definition } from '../dataset/definition'
import { describeSource } from './describe-source'
import { type Query, withConnection } from './query'
import { schemaOf } from './schema'

/** Names the installation; empty before the first migration, when nothing is kept under the name yet. */
async function readInstallation(query: Query, schema: string): Promise<string> {
  const found = await query('SELECT to_regclass($1) AS installation', [`${schema}.installation`])
  if (found.rows[0]?.installation === null) return ''
  const { rows } = await query(`SELECT id::text AS id FROM ${schema}.installation`)
  return String(rows[0]?.id)
}

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
    return defineDatasets(described, await readInstallation(query, schemaOf(dataSource)))
  })
}
