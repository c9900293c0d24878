import { join } from 'node:path'
import { loadDatasets } from '../../src/dataset/load-datasets'
import { findFlightFiles } from '../../src/demo/flight-files'
import { type LoadProgress, loadFlights } from '../../src/demo/load-flights'
import { readAirports } from '../../src/demo/read-airports'
import { type Flight, readFlights } from '../../src/demo/read-flights'
import * as surface from '../../src/index'
import { createTestDatabase, type TestDatabase } from '../support/database'

const ROWS = 20_000

let database: TestDatabase

beforeEach(async () => {
  database = await createTestDatabase()
})
afterEach(() => database.drop())

async function sample(): Promise<readonly Flight[]> {
  const flights: Flight[] = []
  for await (const batch of readFlights(findFlightFiles().flights, ROWS)) flights.push(...batch)
  return flights
}

/** The query that the shipped dataset is made of. */
function catalogueSource(): string {
  const [flights] = loadDatasets(join(__dirname, '../../src/catalog'), surface)
  if (typeof flights?.options.source !== 'object') throw new Error('The flights are not made of a query.')
  return flights.options.source.sql
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}

async function tables(): Promise<readonly unknown[]> {
  const rows = await database.query(
    `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1`,
  )
  return rows.map((row) => row.relname)
}

it('loads flights and airports that agree with the files, and tells how far it is', async () => {
  const done: number[] = []
  const onProgress = (progress: LoadProgress) => done.push(progress.done)
  expect(await loadFlights({ url: database.url, rows: ROWS, onProgress })).toEqual({ rows: ROWS, isNew: true })
  expect(done[0]).toBe(0)
  expect(done).toEqual([...done].sort((a, b) => a - b))
  expect(done.at(-1)).toBe(ROWS)
  const flights = await sample()
  const states = new Map((await readAirports(findFlightFiles().airports)).map(({ iata, state }) => [iata, state]))
  const [loaded] = await database.query(`
    SELECT count(*)::int AS flights, sum(distance)::int AS distance, sum(delay)::int AS delay,
           min(departed_at) AS first, max(departed_at) AS last,
           count(*) FILTER (WHERE origin_state = 'CA')::int AS "fromCalifornia",
           count(*) FILTER (WHERE destination_state IS NULL)::int AS "toNowhere"
    FROM (${catalogueSource()}) AS source`)
  expect(loaded).toEqual({
    flights: ROWS,
    distance: total(flights.map((flight) => flight.distance)),
    delay: total(flights.map((flight) => flight.delay)),
    first: flights[0]?.departedAt,
    last: flights.at(-1)?.departedAt,
    fromCalifornia: flights.filter((flight) => states.get(flight.origin) === 'CA').length,
    toNowhere: flights.filter((flight) => states.get(flight.destination) === null).length,
  })
  expect(await tables()).toEqual(['airports', 'flights'])
})

it('loads nothing a second time, and loads again when asked for another number', async () => {
  const written = () => database.query(`SELECT oid FROM pg_class WHERE relname = 'flights'`)
  await loadFlights({ url: database.url, rows: 1 })
  const first = await written()
  expect(await loadFlights({ url: database.url, rows: 1 })).toEqual({ rows: 1, isNew: false })
  expect(await written()).toEqual(first)
  expect(await loadFlights({ url: database.url, rows: 2 })).toEqual({ rows: 2, isNew: true })
  expect(await database.query('SELECT count(*)::int AS flights FROM flights')).toEqual([{ flights: 2 }])
})

it('loads once when two start at the same time', async () => {
  const both = await Promise.all([1, 2].map(() => loadFlights({ url: database.url, rows: 1 })))
  expect(both.map((loaded) => loaded.isNew).sort()).toEqual([false, true])
})

it('leaves nothing behind when it is stopped half-way', async () => {
  const stop = new AbortController()
  const load = loadFlights({
    url: database.url,
    rows: 200_000,
    signal: stop.signal,
    onProgress: ({ done }) => {
      if (done > 50_000) stop.abort()
    },
  })
  await expect(load).rejects.toMatchObject({ name: 'AbortError' })
  expect(await tables()).toEqual([])
})

it('keeps the flights of before when a later load loses its connection', async () => {
  await loadFlights({ url: database.url, rows: 1 })
  let cut: Promise<unknown> | null = null
  const load = loadFlights({
    url: database.url,
    rows: 200_000,
    onProgress: ({ done }) => {
      if (done > 50_000)
        cut ??= database.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                                WHERE application_name = 'aggregraph-demo' AND datname = current_database()`)
    },
  })
  await expect(load).rejects.toThrow()
  await cut
  expect(await database.query('SELECT count(*)::int AS flights FROM flights')).toEqual([{ flights: 1 }])
  expect(await loadFlights({ url: database.url, rows: 1 })).toEqual({ rows: 1, isNew: false })
})

it("refuses to replace a table that is not the demo's", async () => {
  await database.query('CREATE TABLE flights (mine text)')
  await expect(loadFlights({ url: database.url, rows: 10 })).rejects.toThrow(
    'The database already has a table "flights" that is not the demo\'s: give the demo a database of its own.',
  )
  expect(await tables()).toEqual(['flights'])
})

it.each([0, -1, 1.5, 3_000_001, Number.NaN])('refuses to load %p flights', async (rows) => {
  await expect(loadFlights({ url: database.url, rows })).rejects.toThrow('There are 3000000 flights')
})
