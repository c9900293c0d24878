import { join } from 'node:path'
import type { DataSource, Logger as SqlLogger } from 'typeorm'
import { Background } from './cache/background'
import { Bulkhead } from './cache/bulkhead'
import type { CacheListener } from './cache/cache-event'
import { CacheService } from './cache/cache-service'
import { createMemoryStore, type MemoryStore } from './cache/memory-store'
import { createRedisClient, type RedisClient } from './cache/redis-client'
import { createRedisStore } from './cache/redis-store'
import { createResponseStore, type ResponseStore } from './cache/response-store'
import { VersionRegister } from './cache/version-register'
import type { Config } from './config'
import type { Declaration } from './dataset/declaration'
import { loadDatasets } from './dataset/load-datasets'
import { UnavailableError } from './errors'
import * as surface from './index'
import { createDataSource } from './storage/data-source'
import { type LayoutState, readLayoutStates } from './storage/layouts'
import { translatePostgresError } from './storage/postgres-errors'
import { guardStates } from './storage/publish-lock'
import { withDeadline } from './storage/query'
import { createRollupReader, type RollupReader } from './storage/rollup-reader'
import { schemaOf } from './storage/schema'

/** What the server and the commands have in common. Nothing is connected yet: each connects on first use. */
export interface Services {
  readonly dataSource: DataSource
  readonly redis: RedisClient | undefined
  readonly register: VersionRegister<LayoutState>
  readonly memory: MemoryStore
  readonly cache: CacheService
  readonly responses: ResponseStore
  readonly reader: RollupReader
  /** What loads pass through. */
  readonly bulkhead: Bulkhead
  /** Ends what runs in the background, and closes every connection that was opened. */
  close(): Promise<void>
}

export interface ServicesOptions {
  readonly config: Config
  readonly databaseUrl: string
  readonly onCacheEvent: CacheListener
  /** Sees every statement. */
  readonly sqlLogger?: SqlLogger
  /** Epoch milliseconds; default Date.now. */
  readonly wallClock?: () => number
}

/** Megabytes of the settings, in bytes. */
const MEGABYTE = 1024 * 1024

/** The share of the cache's memory that whole answers may take. */
const RESPONSES_SHARE = 1 / 4
/** Connections of a process for the versions alone. */
const VERSION_CONNECTIONS = 2
/** How long a read of the versions may take. */
const VERSION_SECONDS = 5
/** How many loads may wait for each connection, and for how long. */
const QUEUED_PER_CONNECTION = 100
const PATIENCE_MS = 5_000
/** By how much a lease outlasts the longest load. */
const LEASE_MARGIN_MS = 2_000

const clock = () => performance.now()

export function createServices(options: ServicesOptions): Services {
  const { config, databaseUrl, onCacheEvent, sqlLogger, wallClock = Date.now } = options
  const dataSource = createDataSource({
    url: databaseUrl,
    schema: config.schema,
    poolSize: config.databasePool,
    logger: sqlLogger,
  })
  // Versions are asked for on connections of their own: slow questions must not make them look lost.
  const versions = createDataSource({
    url: databaseUrl,
    schema: config.schema,
    poolSize: VERSION_CONNECTIONS,
    logger: sqlLogger,
  })
  const redis = config.redisUrl === null ? undefined : createRedisClient(config.redisUrl, onCacheEvent)
  let connecting: Promise<unknown> | null = null
  let isClosed = false
  const connect = async () => {
    if (isClosed) throw new UnavailableError()
    if (versions.isInitialized) return
    connecting ??= versions.initialize().finally(() => {
      connecting = null
    })
    await connecting
  }
  const translated = async <T>(read: () => Promise<T>): Promise<T> => {
    try {
      await connect()
      return await read()
    } catch (error) {
      throw translatePostgresError(error)
    }
  }
  const seconds = Math.min(config.statementTimeoutSeconds, VERSION_SECONDS)
  const register = new VersionRegister<LayoutState>({
    redis,
    clock,
    onEvent: onCacheEvent,
    readStates: (topics) =>
      translated(() => withDeadline(versions, seconds, (query) => readLayoutStates(query, schemaOf(versions), topics))),
    guardStates: (topics, work) => translated(() => guardStates(versions, seconds, topics, work)),
  })
  const background = new Background(onCacheEvent)
  const bulkhead = new Bulkhead({
    limit: config.databasePool,
    queue: config.databasePool * QUEUED_PER_CONNECTION,
    patienceMs: PATIENCE_MS,
    onShed: (running, queued) => onCacheEvent({ kind: 'shed', running, queued }),
  })
  const memory = createMemoryStore({ maxBytes: config.cacheMemoryMb * MEGABYTE * (1 - RESPONSES_SHARE), clock })
  const leaseMs = config.statementTimeoutSeconds * 1000 + PATIENCE_MS + LEASE_MARGIN_MS
  const cache = new CacheService({
    memory,
    redis: redis && createRedisStore(redis, leaseMs, onCacheEvent),
    background,
    ttlSeconds: config.cacheTtlSeconds,
    hasRoom: () => bulkhead.hasRoom,
    clock,
    onEvent: onCacheEvent,
  })
  register.onNewState((_group, topic, state) => cache.warm(topic, state))
  return {
    dataSource,
    redis,
    register,
    memory,
    cache,
    reader: createRollupReader(dataSource, config.statementTimeoutSeconds),
    bulkhead,
    responses: createResponseStore({
      maxBytes: config.cacheMemoryMb * MEGABYTE * RESPONSES_SHARE,
      ttlSeconds: config.cacheTtlSeconds,
      clock: wallClock,
      confirms: (dependencies) => register.confirms(dependencies),
    }),
    close: async () => {
      await background.drain()
      isClosed = true
      await connecting?.catch(() => undefined)
      await redis?.close()
      if (versions.isInitialized) await versions.destroy()
      if (dataSource.isInitialized) await dataSource.destroy()
    },
  }
}

/** The folder of the datasets that ship with Aggregraph. */
export const CATALOG = join(__dirname, 'catalog')

/**
 * Loads the classes of the folder of datasets.
 *
 * @throws DeclarationError with every file that cannot be loaded.
 */
export function loadDeclarations(config: Config): readonly Declaration[] {
  return loadDatasets(config.datasets ?? CATALOG, surface)
}
