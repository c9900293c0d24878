import { createServer } from 'node:http'
import pg from 'pg'
import { postgraphile } from 'postgraphile'
import { makePgService } from 'postgraphile/adaptors/pg'
import { grafserv } from 'postgraphile/grafserv/node'
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber'
import { listen } from './flights.mjs'

// PostGraphile 5 is written for Node 22; this is all that it misses in Node 20.
Promise.withResolvers ??= () => {
  let resolve
  let reject
  const promise = new Promise((...settlers) => {
    ;[resolve, reject] = settlers
  })
  return { promise, resolve, reject }
}

// PostGraphile groups no rows by itself; a function in the database is its way to ask for days.
const client = new pg.Client({ connectionString: process.env.DATABASE_URL })
await client.connect()
await client.query(`
  CREATE SCHEMA IF NOT EXISTS bench;
  CREATE OR REPLACE FUNCTION bench.flights_series(starts timestamptz, ends timestamptz)
  RETURNS TABLE (date text, flights integer, average_delay float8) LANGUAGE sql STABLE AS $$
    SELECT to_char(day AT TIME ZONE 'UTC', 'YYYY-MM-DD'), flights::integer, delay / delays
    FROM (
      SELECT date_trunc('day', bucket, 'UTC') AS day, sum(flights_count) AS flights,
        sum(average_delay_sum)::float8 AS delay, nullif(sum(average_delay_count), 0)::float8 AS delays
      FROM ${process.env.ROLLUP} WHERE bucket >= starts AND bucket < ends GROUP BY 1
    ) AS days ORDER BY day
  $$`)
await client.end()

const server = createServer()
const instance = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [
    makePgService({
      connectionString: process.env.DATABASE_URL,
      schemas: ['bench'],
      poolConfig: { max: 10 },
    }),
  ],
  grafserv: { graphqlPath: '/graphql', graphiql: false, watch: false },
})
const service = instance.createServ(grafserv)
await service.addTo(server)
await listen(server)
