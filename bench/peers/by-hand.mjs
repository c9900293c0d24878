import { fastify } from 'fastify'
import { Redis } from 'ioredis'
import { announce, createPool, readSeries, TTL_SECONDS } from './flights.mjs'

// What teams write today: a route, its SQL, and Redis in front with a time to live.
const pool = createPool()
const redis = new Redis(process.env.REDIS_URL, { enableAutoPipelining: true })
const app = fastify()

app.get('/flights/series', async (request, reply) => {
  const { from, to } = request.query
  const key = `by-hand:flights:series:${from}:${to}`
  let body = await redis.get(key)
  if (body === null) {
    body = JSON.stringify({ data: { flights: { series: await readSeries(pool, { from, to }) } } })
    await redis.set(key, body, 'EX', TTL_SECONDS)
  }
  return reply.type('application/json; charset=utf-8').send(body)
})

announce(await app.listen({ host: '127.0.0.1', port: 0 }))
