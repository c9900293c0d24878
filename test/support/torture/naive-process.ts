import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Redis } from 'ioredis'
import { Pool } from 'pg'
import { NAMES, TODAY } from './ticks'

/*
 * What people write by hand: an HTTP route, SQL, and Redis in front of it. The refresher commits and then deletes the keys.
 * It answers the first question about each dataset, in the form that its readers know.
 */

/** Seconds: the usual safety net. */
const TTL = 300

/** Where the hand-written cache keeps the totals of a dataset. */
export function naiveKey(name: string): string {
  return `naive:${name}`
}

function main(): void {
  const { TORTURE_DATABASE_URL: databaseUrl = '', TORTURE_REDIS_URL: redisUrl = '' } = process.env
  const pool = new Pool({ connectionString: databaseUrl, max: 10 })
  const redis = new Redis(redisUrl)

  async function answer(name: string): Promise<string> {
    const cached = await redis.get(naiveKey(name))
    if (cached !== null) return cached
    const { rows } = await pool.query<{ rows: number; amount: number }>(
      `SELECT count(*)::integer AS rows, sum(amount)::double precision AS amount FROM ${name} WHERE at >= '${TODAY}Z'`,
    )
    const body = JSON.stringify({ data: { r0: { meta: { stale: false }, totals: rows[0] } } })
    await redis.set(naiveKey(name), body, 'EX', TTL)
    return body
  }

  const server = createServer((request, response) => {
    let text = decodeURIComponent(request.url ?? '')
    request.on('data', (chunk) => {
      text += chunk
    })
    request.on('end', () => {
      const name = NAMES.find((each) => text.includes(`totals_${each}`)) ?? NAMES[0]
      answer(name).then(
        (body) => response.writeHead(200, { 'content-length': Buffer.byteLength(body) }).end(body),
        () => response.writeHead(500, { 'content-length': 0 }).end(),
      )
    })
  })
  process.on('disconnect', () => process.exit())
  server.listen(0, '127.0.0.1', () => {
    process.send?.({ isReady: true, port: (server.address() as AddressInfo).port })
  })
}

if (require.main === module) main()
