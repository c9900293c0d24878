import type { DataSource } from 'typeorm'
import type { LayoutDefinition } from '../dataset/definition'
import { quoteIdentifier } from '../dataset/sql'
import { codeOf } from './postgres-errors'
import { type Query, withTransaction } from './query'
import { censusTable, createIndexes, keyIndex, rollupTables } from './rollup-table'
import { schemaOf } from './schema'

const PROGRAM_LIMIT_EXCEEDED = '54000'

/** Creates the indexes of a layout whose tables are filled, which is cheaper than filling them row by row. */
export async function indexLayout(query: Query, schema: string, definition: LayoutDefinition): Promise<void> {
  for (const table of [censusTable(definition), ...rollupTables(definition)]) {
    const { byKey, byTime } = createIndexes(definition, table, schema)
    await query('SAVEPOINT key')
    try {
      await query(byKey)
      await query('RELEASE SAVEPOINT key')
    } catch (error) {
      // A text too long for an index: the rollup is right without it, only slower to filter.
      if (codeOf(error) !== PROGRAM_LIMIT_EXCEEDED) throw error
      await query('ROLLBACK TO SAVEPOINT key')
    }
    for (const statement of byTime) await query(statement)
    await query(`ANALYZE ${schema}.${quoteIdentifier(table.name)}`)
  }
}

/** Drops the indexes by key of a layout that is in the way of a text too long for them; tells whether there were any. */
export async function dropKeyIndexes(dataSource: DataSource, definition: LayoutDefinition): Promise<boolean> {
  const schema = schemaOf(dataSource)
  return withTransaction(dataSource, 'READ COMMITTED', async (query) => {
    let dropped = 0
    for (const table of rollupTables(definition)) {
      const index = `${schema}.${keyIndex(table)}`
      const { rows } = await query('SELECT to_regclass($1) IS NOT NULL AS exists', [index])
      if (rows[0]?.exists !== true) continue
      await query(`DROP INDEX ${index}`)
      dropped += 1
    }
    return dropped > 0
  })
}
