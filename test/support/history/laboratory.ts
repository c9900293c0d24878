import { Client } from 'pg'
import type { DataSource } from 'typeorm'
import { createDataSource } from '../../../src/storage/data-source'
import { migrate } from '../../../src/storage/migrate'
import { createTestDatabase, type TestDatabase } from '../database'

/** What histories run in, one after another: a database and connections to it. Each history has tables of its own. */
export interface Laboratory {
  readonly database: TestDatabase
  /** Those of refreshers; each is as good as a process of its own. */
  readonly dataSources: readonly DataSource[]
  /** Connections of writers, as many as are asked for. */
  connectWriters(count: number): Promise<readonly Client[]>
  readonly reader: Client
  close(): Promise<void>
}

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url })
  await client.connect()
  return client
}

export async function openLaboratory(): Promise<Laboratory> {
  const database = await createTestDatabase()
  const dataSources = [1, 2].map(() => createDataSource({ url: database.url, schema: 'aggregraph', poolSize: 3 }))
  for (const dataSource of dataSources) await dataSource.initialize()
  for (const dataSource of dataSources.slice(0, 1)) await migrate(dataSource)
  const reader = await connect(database.url)
  const writers: Client[] = []
  return {
    database,
    dataSources,
    reader,
    connectWriters: async (count) => {
      while (writers.length < count) writers.push(await connect(database.url))
      for (const writer of writers) await writer.query('DISCARD ALL')
      return writers.slice(0, count)
    },
    close: async () => {
      for (const client of [reader, ...writers]) await client.end()
      for (const dataSource of dataSources) await dataSource.destroy()
      await database.drop()
    },
  }
}
