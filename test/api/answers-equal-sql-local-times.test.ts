import { createTestDatabase, type TestDatabase } from '../support/database'
import { askQuestions } from '../support/oracle/ask-questions'
import { createLocalTimes, POSTINGS, Postings, VISITS, Visits } from '../support/oracle/local-times'
import { CLOCK_CHANGES, MONTH_ENDS } from '../support/oracle/random'
import { startTestServer, type TestServer } from '../support/server'

const ASKED = {
  zones: ['UTC', 'Europe/Madrid', 'America/New_York', 'Australia/Sydney'],
  moments: [Date.UTC(2024, 0, 1), ...CLOCK_CHANGES, ...MONTH_ENDS, Date.UTC(2026, 11, 31, 22)],
  pools: [[], ['shop']],
}

describe('questions about times without a zone', () => {
  let database: TestDatabase
  let server: TestServer
  let now = 0

  beforeAll(async () => {
    database = await createTestDatabase()
    await createLocalTimes(database, 3_000)
    server = await startTestServer({ databaseUrl: database.url, datasets: [Visits, Postings], clock: () => now })
  })
  afterAll(async () => {
    await server?.stop()
    await database?.drop()
  })

  const setClock = (clock: number) => {
    now = clock
  }

  it('are answered as plain SQL answers them where a timestamp is read in the zone of the dataset', async () => {
    await askQuestions({ database, server, dataset: VISITS }, { ...ASKED, dataset: VISITS }, { share: 0.1, setClock })
  }, 330_000)

  it('are answered as plain SQL answers them where a date is nothing but a date', async () => {
    const subject = { ...ASKED, dataset: POSTINGS, pools: [[], ['account']] }
    await askQuestions({ database, server, dataset: POSTINGS }, subject, { share: 0.1, setClock })
  }, 330_000)
})
