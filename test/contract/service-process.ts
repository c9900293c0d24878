import { Background } from '../../src/cache/background'
import { CacheService } from '../../src/cache/cache-service'
import { createMemoryStore, type MemoryStore } from '../../src/cache/memory-store'
import { createRedisClient, type RedisClient } from '../../src/cache/redis-client'
import { createRedisStore, type RedisStore } from '../../src/cache/redis-store'
import { createEventLog, type EventLog } from './event-log'

export const LEASE_MS = 10_000

/** What one process has of the cache. */
export interface ServiceProcess {
  readonly log: EventLog
  readonly redis: RedisClient
  readonly store: RedisStore
  readonly memory: MemoryStore
  readonly background: Background
  readonly cache: CacheService
  /** Lets time go by, for this process alone. */
  pass(milliseconds: number): void
}

/** Starts processes with one Redis; `stop` ends their connections. */
export function createServices(url: () => string) {
  const clients: RedisClient[] = []
  return {
    /** `isDeaf`: it hears no messages, as on a connection of RESP2. */
    async start({ isDeaf = false, random = () => 0, deadlineMs = 1_000 } = {}): Promise<ServiceProcess> {
      let passed = 0
      const clock = () => performance.now() + passed
      const pass = (milliseconds: number) => {
        passed += milliseconds
      }
      const log = createEventLog()
      const redis = createRedisClient(url(), log.listen, { deadlineMs })
      clients.push(redis)
      await redis.connect()
      const store = createRedisStore(isDeaf ? deafen(redis) : redis, LEASE_MS, log.listen)
      const memory = createMemoryStore({ maxBytes: 8_000_000, clock })
      const background = new Background(log.listen)
      const cache = new CacheService({ memory, redis: store, background, clock, random, onEvent: log.listen })
      log.take()
      return { log, redis, store, memory, background, cache, pass }
    },
    async stop(): Promise<void> {
      await Promise.all(clients.splice(0).map((client) => client.close()))
    },
  }
}

function deafen(redis: RedisClient): RedisClient {
  return {
    get server() {
      return redis.server
    },
    connect: (waitMs) => redis.connect(waitMs),
    run: (command, work) => redis.run(command, work),
    subscribe: () => undefined,
    ping: () => redis.ping(),
    close: () => redis.close(),
  }
}
