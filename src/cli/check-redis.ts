import { randomUUID } from 'node:crypto'
import type { CacheEvent } from '../cache/cache-event'
import { createRedisClient, type RedisClient, type RedisServer } from '../cache/redis-client'
import { redactUrl } from '../config'
import { advice, type Finding, fault, ok } from './finding'

/** The server gives a command this long, in milliseconds. */
const DEADLINE_MS = 100
/** Here it may take longer, so that slowness can be told from silence. */
const PATIENCE_MS = 2000

async function checkRoundTrip(redis: RedisClient): Promise<Finding> {
  const [key, value] = [`aggregraph:doctor:${randomUUID()}`, randomUUID()]
  const read = await redis.run('doctor', async (connection) => {
    await connection.set(key, value, 'PX', 10_000)
    const found = await connection.get(key)
    await connection.del(key)
    return found
  })
  return read === value
    ? ok('Redis', 'what is written can be read.')
    : fault('Redis', 'what is written is not read back: point REDIS_URL at a primary, not at a replica.')
}

function describeServer({ version, protocol, maxmemoryPolicy, epoch }: RedisServer, latencyMs: number): Finding[] {
  const findings = [
    epoch === null
      ? advice('Redis', 'it does not allow INFO, so versions are read from Postgres each time: allow +info.')
      : ok('Redis', `version ${version}.`),
  ]
  findings.push(
    protocol === 3
      ? ok('Redis', 'it speaks RESP3.')
      : advice(
          'Redis',
          'it, or a proxy before it, does not speak RESP3, so refreshes are noticed within a second, not at once: use Redis 6 or later.',
        ),
  )
  const latency = `it answers in ${latencyMs.toFixed(1)} ms`
  findings.push(
    latencyMs < DEADLINE_MS / 2
      ? ok('Redis', `${latency}.`)
      : fault(
          'Redis',
          `${latency}; answers later than ${DEADLINE_MS} ms are given up: move it closer to this process.`,
        ),
  )
  if (maxmemoryPolicy === 'noeviction') {
    findings.push(
      advice(
        'Redis',
        'its maxmemory-policy is noeviction, so writes fail once its memory is full: allkeys-lru suits a cache.',
      ),
    )
  } else findings.push(ok('Redis', `its maxmemory-policy is ${maxmemoryPolicy ?? 'not told'}.`))
  return findings
}

/** Checks that Redis can be reached, is quick, and keeps what is written under a key of this check's own. */
export async function checkRedis(url: string): Promise<readonly Finding[]> {
  let reason = 'it does not answer'
  const hear = (event: CacheEvent) => {
    if (event.kind === 'redis-error') reason = event.message
  }
  const redis = createRedisClient(url, hear, { deadlineMs: PATIENCE_MS })
  try {
    const { latencyMs, ...server } = await redis.ping()
    return [...describeServer(server, latencyMs), await checkRoundTrip(redis)]
  } catch {
    return [
      fault(
        'Redis',
        `${redactUrl(url)} cannot be used: ${reason}. Check REDIS_URL, and that Redis runs and is writable.`,
      ),
    ]
  } finally {
    await redis.close()
  }
}
