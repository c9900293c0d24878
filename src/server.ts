import { setTimeout as wait } from 'node:timers/promises'
import type { ApolloServer } from '@apollo/server'
import type { Logger } from 'pino'
import type { Logger as SqlLogger } from 'typeorm'
import type { CacheEvent } from './cache/cache-event'
import type { Config } from './config'
import type { Declaration } from './dataset/declaration'
import type { Definition } from './dataset/definition'
import { UnavailableError } from './errors'
import { createApolloServer } from './graphql/apollo-server'
import { createCacheStatus } from './graphql/cache-status'
import type { GraphQLContext } from './graphql/context'
import { createExampleQueries } from './graphql/example-queries'
import { createPointsLimit } from './graphql/points-limit'
import { createSchema, printSortedSchema } from './graphql/schema'
import { GRAPHIQL_FOLDER } from './http/graphiql-routes'
import { createHttpApp, DEFAULT_HTTP_LIMITS, type Phase } from './http/http-app'
import { createListening } from './http/listen'
import type { Readiness } from './http/status-routes'
import { logCacheEvents } from './log-cache-events'
import { createMetrics } from './metrics/metrics'
import type { RefreshProgress } from './refresh/refresher'
import { ReportSession } from './report/report-session'
import { createSampleSource } from './report/sample-source'
import { runSampler } from './report/sampler'
import { createServices } from './services'
import { readPool } from './storage/data-source'
import { layoutId } from './storage/rollup-table'
import { createUpkeep } from './upkeep'

export interface ServerOptions {
  readonly config: Config
  readonly databaseUrl: string
  readonly declarations: readonly Declaration[]
  readonly logger: Logger
  /** Sees every statement. */
  readonly sqlLogger?: SqlLogger
  readonly onProgress?: (progress: RefreshProgress) => void
  /** Epoch milliseconds; default Date.now. */
  readonly clock?: () => number
}

export interface Server {
  /** Listens; resolves with the origin it is reached at, while the database may still be away. */
  listen(): Promise<string>
  /**
   * Resolves when every dataset is built and served; waits for the database as long as it takes. Rejects with a
   * DeclarationError for faulty datasets.
   */
  ready(): Promise<void>
  /** Not ready first, serves on for the drain delay, finishes what runs, closes. */
  stop(): Promise<void>
}

/** What is served once the datasets are known. */
interface Serving {
  readonly apollo: ApolloServer<GraphQLContext>
  readonly definitions: readonly Definition[]
  readonly schemaText: string
  /** Name of the dataset of each layout. */
  readonly datasetOf: ReadonlyMap<string, string>
}

/** Composes a server. Nothing is opened before `listen`. */
export function createServer(options: ServerOptions): Server {
  const { config, databaseUrl, logger, declarations, sqlLogger, onProgress, clock = Date.now } = options
  let serving: Serving | null = null
  const metrics = createMetrics({
    datasetOf: (topic) => serving?.datasetOf.get(topic) ?? null,
    loads: () => ({
      running: services.bulkhead.running,
      queued: services.bulkhead.queued,
      limit: services.bulkhead.limit,
    }),
    memory: () => services.memory.size,
    responses: () => ({ bytes: services.responses.bytes }),
    postgres: () => readPool(services.dataSource),
    dataAsOf: () =>
      new Map(
        [...(serving?.datasetOf ?? [])].map(([topic, name]) => [
          name,
          services.register.known(topic)?.data.dataAsOf ?? null,
        ]),
      ),
  })
  const logCacheEvent = logCacheEvents(logger, config.redisUrl)
  const onCacheEvent = (event: CacheEvent) => {
    metrics.listen(event)
    logCacheEvent(event)
  }
  const services = createServices({ config, databaseUrl, onCacheEvent, sqlLogger, wallClock: clock })
  const { redis, bulkhead, memory } = services
  const upkeep = createUpkeep({ config, services, declarations, logger, onProgress })
  let phase: Phase = 'open'
  const stopping = new AbortController()

  const readiness = (): Readiness => {
    if (phase !== 'open') return { ready: false, status: 'draining', reasons: ['The server is shutting down.'] }
    const isRedisAway = redis !== undefined && redis.server === null
    const reasons = [
      ...(upkeep.trouble === null ? [] : [upkeep.trouble]),
      ...upkeep.reasons(),
      ...(isRedisAway ? ['Redis cannot be reached: answers come from memory and Postgres.'] : []),
    ]
    if (serving === null || upkeep.built.size === 0) return { ready: false, status: 'starting', reasons }
    if (upkeep.trouble !== null) {
      const hasKept = memory.size.entries > 0 || (redis !== undefined && !isRedisAway)
      return { ready: hasKept, status: hasKept ? 'stale' : 'unavailable', reasons }
    }
    return { ready: true, status: reasons.length === 0 ? 'ready' : 'degraded', reasons }
  }

  const app = createHttpApp<GraphQLContext>({
    logger,
    limits: { ...DEFAULT_HTTP_LIMITS, bodyBytes: config.bodyLimitBytes },
    phase: () => phase,
    requestTimeoutMs: config.requestTimeoutSeconds * 1000,
    hostNames: config.isLoopback && config.isOpen ? config.allowedHosts : null,
    corsOrigins: config.corsOrigins,
    graphql: () => serving?.apollo ?? null,
    unavailable: () => new UnavailableError(),
    createContext: async ({ signal }) => ({
      session: new ReportSession(services, { claims: {}, clock: clock() }, signal),
    }),
    responses: services.responses,
    responseFacts: ({ session: { dependencies, expiresAt } }) => dependencies && { dependencies, expiresAt },
    onCacheEvent,
    onRequest: metrics.observeRequest,
    metricsText: metrics.text,
    readiness,
    schemaText: config.introspection ? () => serving?.schemaText ?? null : undefined,
    exampleQueries: () => createExampleQueries(serving?.definitions ?? []),
    graphiqlFolder: GRAPHIQL_FOLDER,
  })

  const { listen } = createListening(app)

  async function serve(definitions: readonly Definition[]): Promise<Serving> {
    const schema = createSchema(definitions)
    const apollo = createApolloServer<GraphQLContext>({
      schema,
      introspection: config.introspection,
      suggestions: !config.isProduction,
      logger,
      plugins: [createPointsLimit(definitions), createCacheStatus()],
    })
    await apollo.start()
    const datasetOf = new Map(definitions.map((definition) => [layoutId(definition), definition.name]))
    return { apollo, definitions, schemaText: printSortedSchema(schema), datasetOf }
  }

  async function start(): Promise<void> {
    serving = await serve(await upkeep.prepare())
    await upkeep.run()
  }

  let started: Promise<void> = Promise.reject(new Error('The server does not listen yet.'))
  // Reported by `ready`; a server that is stopped while it starts has nobody left to tell.
  started.catch(() => undefined)

  return {
    listen: async () => {
      const url = await listen(config)
      void redis?.connect()
      void runSampler({
        recent: createSampleSource(services),
        isCalm: () => upkeep.trouble === null && bulkhead.hasRoom && bulkhead.queued === 0,
        onEvent: onCacheEvent,
        log: logger,
        signal: stopping.signal,
      })
      started = start()
      started.catch(() => undefined)
      return url
    },
    ready: () => started,
    stop: async () => {
      phase = 'draining'
      // Whoever balances the load has time to look elsewhere; a server that never served has nobody to wait for.
      if (serving !== null) await wait(config.drainSeconds * 1000)
      phase = 'closing'
      stopping.abort()
      upkeep.stop()
      await app.close()
      await serving?.apollo.stop()
      await services.close()
    },
  }
}
