import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Client } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { copyLine } from './copy-line'
import { findFlightFiles } from './flight-files'
import { AIRPORTS_TABLE, FLIGHTS_TABLE, readLoadedRows, refuseForeignTables, swapIn } from './flight-tables'
import { readAirports } from './read-airports'
import { countFlights, readFlights } from './read-flights'

/** How many flights are loaded unless somebody asks otherwise: every tenth. */
export const DEFAULT_FLIGHTS = 300_000

export interface LoadFlightsOptions {
  /** The database that gets the tables `flights` and `airports`, in the schema `public`. */
  readonly url: string
  /** How many, evenly spaced, or all 3,000,000. Default {@link DEFAULT_FLIGHTS}. */
  readonly rows?: number | 'all'
  readonly onProgress?: (progress: LoadProgress) => void
  /** Aborting leaves the database as it was. */
  readonly signal?: AbortSignal
}

export interface LoadProgress {
  readonly phase: 'load'
  /** Rows sent. */
  readonly done: number
  readonly total: number
}

export interface LoadedFlights {
  /** Rows of the table. */
  readonly rows: number
  /** False when they were there already. */
  readonly isNew: boolean
}

/** One lock for all loads, so that two starts at once load once. */
const LOAD_LOCK = 7_305_808_867

/**
 * Loads real flights (United States, January to June 2001) and the airports they join. Loads nothing when that many rows
 * are there already. One transaction: a load that was killed leaves nothing, and until it commits the old rows are read.
 * Throws when the database has tables of these names that are not its own.
 */
export async function loadFlights(options: LoadFlightsOptions): Promise<LoadedFlights> {
  const files = findFlightFiles()
  const all = await countFlights(files.flights)
  const rows = options.rows === undefined ? DEFAULT_FLIGHTS : options.rows === 'all' ? all : options.rows
  if (!Number.isInteger(rows) || rows < 1 || rows > all) {
    throw new RangeError(`There are ${all} flights: ask for 1 to ${all} of them, not ${rows}.`)
  }
  const client = new Client({ connectionString: options.url, application_name: 'aggregraph-demo' })
  // A lost connection also fails the statement that is under way; that is the one reported.
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query('BEGIN')
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOAD_LOCK])
    const isNew = (await readLoadedRows(client)) !== rows
    if (isNew) {
      await refuseForeignTables(client)
      await fill(client, files, rows, options)
    }
    await client.query('COMMIT')
    return { rows, isNew }
  } finally {
    // Ending the connection rolls back whatever is not committed.
    await client.end()
  }
}

async function fill(
  client: Client,
  files: ReturnType<typeof findFlightFiles>,
  rows: number,
  { onProgress = () => {}, signal }: LoadFlightsOptions,
): Promise<void> {
  await client.query(AIRPORTS_TABLE.create)
  await client.query(FLIGHTS_TABLE.create)
  const airports = (await readAirports(files.airports)).map(
    ({ iata, name, city, state, country, latitude, longitude }) =>
      copyLine([iata, name, city, state, country, latitude, longitude]),
  )
  await copy(client, AIRPORTS_TABLE.copy, [airports.join('')], signal)
  onProgress({ phase: 'load', done: 0, total: rows })
  const lines = flightLines(files.flights, rows, (done) => onProgress({ phase: 'load', done, total: rows }))
  await copy(client, FLIGHTS_TABLE.copy, lines, signal)
  await swapIn(client, rows)
}

/** Rows a piece: large enough to be quick, small enough for a steady progress bar. */
const PIECE = 10_000

async function* flightLines(file: string, rows: number, onRows: (done: number) => void): AsyncGenerator<string> {
  let done = 0
  for await (const flights of readFlights(file, rows)) {
    for (let start = 0; start < flights.length; start += PIECE) {
      const piece = flights.slice(start, start + PIECE)
      yield piece
        .map((flight) =>
          copyLine([flight.departedAt, flight.delay, flight.distance, flight.origin, flight.destination]),
        )
        .join('')
      done += piece.length
      onRows(done)
    }
  }
}

async function copy(
  client: Client,
  sql: string,
  text: Iterable<string> | AsyncIterable<string>,
  signal: AbortSignal | undefined,
): Promise<void> {
  await pipeline(Readable.from(text), client.query(copyFrom(sql)), signal === undefined ? {} : { signal })
}
