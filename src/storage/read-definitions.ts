import type { DataSource } from 'typeorm'
import type { Declaration } from '../dataset/declaration'
import { defineDatasets } from '../dataset/define'
import type { Definition } from '../dataset/definition'
import type { Installation } from '../dataset/definition-hash'
import { HASH_PROBE_SQL } from '../dataset/measures/count-distinct'
import { describeSource } from './describe-source'
import { type Query, withConnection } from './query'
import { schemaOf } from './schema'

/** Names the installation; empty before the first migration, when nothing is kept under the name yet. */
async function readInstallation(query: Query, schema: string): Promise<Installation> {
  const probe = await query(
    `SELECT current_setting('server_version_num')::integer / 10000 AS major, probe FROM (${HASH_PROBE_SQL}) AS hashes`,
  )
  const hashing = `${probe.rows[0]?.major} ${probe.rows[0]?.probe}`
  const found = await query('SELECT to_regclass($1) AS installation', [`${schema}.installation`])
  if (found.rows[0]?.installation === null) return { id: '', hashing }
  const { rows } = await query(`SELECT id::text AS id FROM ${schema}.installation`)
  return { id: String(rows[0]?.id), hashing }
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
