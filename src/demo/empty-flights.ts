import { Client } from 'pg'
import { AIRPORTS_TABLE, FLIGHTS_TABLE, swapIn } from './flight-tables'

/** Makes the tables of the demo without rows: enough to check the shipped dataset and print its schema. */
export async function createEmptyFlights(url: string): Promise<void> {
  const client = new Client({ connectionString: url, application_name: 'aggregraph-demo' })
  await client.connect()
  try {
    await client.query(AIRPORTS_TABLE.create)
    await client.query(FLIGHTS_TABLE.create)
    await swapIn(client, 0)
  } finally {
    await client.end()
  }
}
