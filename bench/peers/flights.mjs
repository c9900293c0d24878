import { once } from 'node:events'
import pg from 'pg'

/** Seconds for which every cache of a peer keeps what it has. */
export const TTL_SECONDS = 300

/** As many connections as Aggregraph has by default. */
export function createPool() {
  return new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 })
}

/** The part of Aggregraph's schema that the question of the bench touches, under the same names. */
export const SCHEMA = `
  scalar Date
  scalar DateOrDateTime

  type Query {
    flights(range: RangeInput!): FlightsReport
  }

  input RangeInput {
    between: BetweenInput
  }

  input BetweenInput {
    from: DateOrDateTime!
    to: DateOrDateTime!
  }

  enum Granularity {
    DAY
  }

  type FlightsReport {
    series(granularity: Granularity!): [FlightsPoint!]
  }

  type FlightsPoint {
    date: Date
    measures: FlightsMeasures!
  }

  type FlightsMeasures {
    flights: Int!
    averageDelay: Float
  }
`

/** A series of days over the rollup by hour, as one would write it by hand. */
const SERIES = `
  SELECT to_char(day AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS date, flights::integer, delay / delays AS "averageDelay"
  FROM (
    SELECT date_trunc('day', bucket, 'UTC') AS day, sum(flights_count) AS flights,
      sum(average_delay_sum)::float8 AS delay, nullif(sum(average_delay_count), 0)::float8 AS delays
    FROM ${process.env.ROLLUP} WHERE bucket >= $1::timestamptz AND bucket < $2::timestamptz GROUP BY 1
  ) AS days ORDER BY day`

/**
 * Reads the days of a half-open range.
 *
 * @param {pg.Pool} pool
 * @param {{ from: string, to: string }} range
 */
export async function readSeries(pool, { from, to }) {
  const { rows } = await pool.query(SERIES, [from, to])
  return rows.map(({ date, flights, averageDelay }) => ({ date, measures: { flights, averageDelay } }))
}

/**
 * The resolvers of the schema: the report is its range, the series is where data is read.
 *
 * @param {(range: { from: string, to: string }) => unknown} series
 */
export function createResolvers(series) {
  return {
    Query: { flights: (_root, { range }) => range.between },
    FlightsReport: { series: (report) => series(report) },
  }
}

/** Tells the bench where this peer listens. */
export function announce(url) {
  process.stdout.write(`listening ${url}\n`)
}

/**
 * Listens on a free port of this machine.
 *
 * @param {import('node:http').Server} server
 */
export async function listen(server) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  announce(`http://127.0.0.1:${server.address().port}`)
}
