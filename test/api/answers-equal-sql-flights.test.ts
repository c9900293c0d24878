import { Flights } from '../../src/catalog/flights'
import { loadFlights } from '../../src/demo/load-flights'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { askQuestions } from '../support/oracle/ask-questions'
import { FLIGHTS } from '../support/oracle/flights'
import { startTestServer, type TestServer } from '../support/server'

const SUBJECT = {
  dataset: FLIGHTS,
  zones: ['UTC', 'Europe/Madrid', 'America/New_York', 'Australia/Sydney'],
  // The changes of clocks in the north and in the south of early 2001, and the ends of the data.
  moments: [
    '2001-01-01T00Z',
    '2001-03-25T01Z',
    '2001-04-01T07Z',
    '2001-03-24T16Z',
    '2001-06-30T20Z',
    '2001-03-01T00Z',
  ].map((text) => Date.parse(text.replace('Z', ':00Z'))),
  // Sets that rollups keep by the hour; questions about all dimensions are added, most of which no rollup covers.
  pools: [[], ['distanceBand'], ['distanceBand'], ['origin', 'originState'], ['destination', 'destinationState']],
}

describe('questions about the flights', () => {
  let database: TestDatabase
  let server: TestServer
  let now = 0

  beforeAll(async () => {
    database = await createTestDatabase()
    await loadFlights({ url: database.url, rows: 20_000 })
    server = await startTestServer({ databaseUrl: database.url, datasets: [Flights], clock: () => now })
  })
  afterAll(async () => {
    await server?.stop()
    await database?.drop()
  })

  it('are answered as plain SQL over the source answers them, and refused where no rollup covers them', async () => {
    const setClock = (clock: number) => {
      now = clock
    }
    await askQuestions({ database, server, dataset: FLIGHTS }, SUBJECT, { share: 0.35, setClock })
  }, 330_000)
})
