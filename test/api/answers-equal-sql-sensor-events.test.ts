import { createTestDatabase, type TestDatabase } from '../support/database'
import { askQuestions } from '../support/oracle/ask-questions'
import { CLOCK_CHANGES, MONTH_ENDS } from '../support/oracle/random'
import { createSensorEvents, SENSOR_EVENTS, SensorEvents } from '../support/oracle/sensor-events'
import { startTestServer, type TestServer } from '../support/server'

const SUBJECT = {
  dataset: SENSOR_EVENTS,
  // India's hours begin inside those of UTC: the buckets of a quarter of an hour serve it.
  zones: ['UTC', 'Europe/Madrid', 'America/New_York', 'Australia/Sydney', 'Asia/Kolkata'],
  moments: [Date.UTC(2024, 0, 1), ...CLOCK_CHANGES, ...MONTH_ENDS, Date.UTC(2026, 11, 31, 22)],
  pools: [[], ['city'], ['plan', 'active'], ['level', 'active'], ['active']],
}

describe('questions about nulls, negative numbers and every type of column', () => {
  let database: TestDatabase
  let server: TestServer
  let now = 0

  beforeAll(async () => {
    database = await createTestDatabase()
    await createSensorEvents(database, 4_000)
    server = await startTestServer({ databaseUrl: database.url, datasets: [SensorEvents], clock: () => now })
  })
  afterAll(async () => {
    await server?.stop()
    await database?.drop()
  })

  it('are answered as plain SQL over the source answers them', async () => {
    const setClock = (clock: number) => {
      now = clock
    }
    await askQuestions({ database, server, dataset: SENSOR_EVENTS }, SUBJECT, { share: 0.45, setClock })
  }, 330_000)
})
