import { count, Dataset, Dimension, Measure } from '../../src/index'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { refreshFromOutside } from '../support/refresh'
import { startTestServer, type TestServer } from '../support/server'

@Dataset({ source: 'orders', time: 'at', refresh: { capture: 'trigger', every: '7d' } })
class Captured {
  @Dimension({ sql: '10 / amount' }) share!: number | null
  @Measure(count()) orders!: number
}

@Dataset({ source: 'orders', time: 'at', refresh: { lookback: 'P3D', every: '7d' } })
class LookedBack {
  @Dimension() country!: string | null
  @Measure(count()) orders!: number
}

@Dataset({ source: 'orders', time: 'at' })
class Manual {
  @Dimension() country!: string | null
  @Measure(count()) orders!: number
}

const QUERY = '{ datasets { name refresh { exact every lastError } } }'

let database: TestDatabase
let server: TestServer

beforeEach(async () => {
  database = await createTestDatabase()
  await database.query('CREATE TABLE orders (at timestamptz, country text, amount integer)')
  await database.query(`INSERT INTO orders VALUES ('2026-03-01Z', 'ES', 5)`)
  server = await startTestServer({ databaseUrl: database.url, datasets: [Captured, LookedBack, Manual] })
})
afterEach(async () => {
  await server?.stop()
  await database?.drop()
})

async function ask() {
  const { data, errors } = await server.ask<{ datasets: { name: string; refresh: object }[] }>(QUERY)
  expect(errors).toBeUndefined()
  return data?.datasets.map(({ refresh }) => refresh)
}

const WELL = [
  { exact: true, every: '7d', lastError: null },
  { exact: false, every: '7d', lastError: null },
  { exact: false, every: null, lastError: null },
]

it('datasets say which of them miss nothing, and how often they look', async () => {
  expect(await ask()).toEqual(WELL)
})

it('a dataset says why its last refresh failed until one succeeds, without the words of Postgres', async () => {
  await database.query(`INSERT INTO orders VALUES ('2026-03-01Z', 'FR', 0)`)
  await expect(refreshFromOutside(database.url, [Captured])).rejects.toThrow('division by zero')
  const lastError = 'Captured: its source cannot be read as declared; the log says why.'
  expect(await ask()).toEqual([{ ...WELL[0], lastError }, WELL[1], WELL[2]])
  await database.query('UPDATE orders SET amount = 1')
  await refreshFromOutside(database.url, [Captured])
  expect(await ask()).toEqual(WELL)
})

it('an error that is not ours is left to the log', async () => {
  await database.query(`UPDATE aggregraph.layout SET last_error = 'password of app@10.1.2.3' WHERE dataset = 'manual'`)
  expect((await ask())?.[2]).toEqual({ ...WELL[2], lastError: 'The last refresh failed; the log says why.' })
})

it('errors are read only where they are asked for, and for all datasets at once', async () => {
  const count = () => server.statements.statements.filter(({ sql }) => sql.startsWith('SELECT id, last_error')).length
  await server.ask('{ datasets { name refresh { exact } } }')
  expect(count()).toBe(0)
  await ask()
  expect(count()).toBe(1)
})
