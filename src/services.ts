import { join } from 'node:path'
import type { DataSource, Logger as SqlLogger } from 'typeorm'
import type { CacheListener } from './cache/cache-event'
import { CacheService } from './cache/cache-service'
import { createMemoryStore } from './cache/memory-store'
import { createRedisClient, type RedisClient } from './cache/redis-client'
import { createRedisStore } from './cache/redis-store'
import { VersionRegister } from './cache/version-register'
import type { Config } from './config'
import type { Declaration } from './dataset/declaration'
import { loadDatasets } from './dataset/load-datasets'
import * as surface from './index'
import { createDataSource } from './storage/data-source'
import { type LayoutState, readLayoutStates } from './storage/layouts'
import { translatePostgresError } from './storage/postgres-errors'
import { withDeadline } from './storage/query'
import { createRollupReader, type RollupReader } from './storage/rollup-reader'
import { schemaOf } from './storage/schema'

/** What the server and the commands have in common. Nothing is connected yet: each connects on first use. */
export interface Services {
  readonly dataSource: DataSource
  readonly redis: RedisClient | undefined
  readonly register: VersionRegister<LayoutState>
  readonly cache: CacheService
  readonly reader: RollupReader
  /** Closes every connection that was opened. */
  close(): Promise<void>
}

export interface ServicesOptions {
  readonly config: Config
  readonly databaseUrl: string
  readonly onCacheEvent: CacheListener
  /** Sees every statement. */
  readonly sqlLogger?: SqlLogger
}

/** Megabytes of the settings, in bytes. */
const MEGABYTE = 1024 * 1024

const clock = () => performance.now()

export function createServices({ config, databaseUrl, onCacheEvent, sqlLogger }: ServicesOptions): Services {
  const dataSource = createDataSource({
    url: databaseUrl,
    schema: config.schema,
    poolSize: config.databasePool,
    logger: sqlLogger,
  })
  const redis = config.redisUrl === null ? undefined : createRedisClient(config.redisUrl, onCacheEvent)
  const register = new VersionRegister<LayoutState>({
    redis,
    clock,
    onEvent: onCacheEvent,
    readStates: async (topics) => {
      try {
        return await withDeadline(dataSource, config.statementTimeoutSeconds, (query) =>
          readLayoutStates(query, schemaOf(dataSource), topics),
        )
      } catch (error) {
        throw translatePostgresError(error)
      }
    },
  })
  const cache = new CacheService({
    memory: createMemoryStore({ maxBytes: config.cacheMemoryMb * MEGABYTE, clock }),
    redis: redis && createRedisStore(redis, onCacheEvent),
    ttlSeconds: config.cacheTtlSeconds,
    onEvent: onCacheEvent,
  })
  return {
    dataSource,
    redis,
    register,
    cache,
    reader: createRollupReader(dataSource, config.statementTimeoutSeconds),
    close: async () => {
      await redis?.close()
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
