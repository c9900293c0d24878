import { createServer } from 'node:http'
import { useResponseCache } from '@graphql-yoga/plugin-response-cache'
import { createSchema, createYoga } from 'graphql-yoga'
import { createPool, createResolvers, listen, readSeries, SCHEMA, TTL_SECONDS } from './flights.mjs'

const pool = createPool()
const yoga = createYoga({
  schema: createSchema({ typeDefs: SCHEMA, resolvers: createResolvers((range) => readSeries(pool, range)) }),
  logging: false,
  graphiql: false,
  landingPage: false,
  plugins: [useResponseCache({ session: () => null, ttl: TTL_SECONDS * 1000 })],
})

await listen(createServer(yoga))
