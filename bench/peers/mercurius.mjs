import { fastify } from 'fastify'
import mercurius from 'mercurius'
import mercuriusCache from 'mercurius-cache'
import { announce, createPool, createResolvers, readSeries, SCHEMA, TTL_SECONDS } from './flights.mjs'

// Operations are compiled from their second time on, and what the resolver of the series gives is cached in memory.
const pool = createPool()
const app = fastify()
app.register(mercurius, {
  schema: SCHEMA,
  resolvers: createResolvers((range) => readSeries(pool, range)),
  jit: 1,
})
app.register(mercuriusCache, {
  ttl: TTL_SECONDS,
  storage: { type: 'memory', options: { size: 10_000 } },
  policy: { FlightsReport: { series: true } },
})

announce(await app.listen({ host: '127.0.0.1', port: 0 }))
