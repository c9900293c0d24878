import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readConfig } from '../../src/config'
import { createEmptyFlights } from '../../src/demo/empty-flights'
import { createSchema, printSortedSchema } from '../../src/graphql/schema'
import { loadDeclarations } from '../../src/services'
import { createDataSource } from '../../src/storage/data-source'
import { readDefinitions } from '../../src/storage/read-definitions'
import { createTestDatabase } from '../support/database'

it('schema.graphql is the schema of the shipped datasets; "npm run schema" writes it', async () => {
  const database = await createTestDatabase()
  const dataSource = createDataSource({
    url: database.url,
    schema: 'aggregraph',
    poolSize: 2,
  })
  try {
    await createEmptyFlights(database.url)
    await dataSource.initialize()
    const definitions = await readDefinitions(dataSource, loadDeclarations(readConfig({})))
    const committed = readFileSync(join(__dirname, '../../schema.graphql'), 'utf8')
    expect(committed).toBe(printSortedSchema(createSchema(definitions)))
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy()
    await database.drop()
  }
})
