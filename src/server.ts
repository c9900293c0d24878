import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { ApolloServer } from '@apollo/server'
import type { Logger } from 'pino'
import type { Logger as SqlLogger } from 'typeorm'
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
import type { Readiness } from './http/status-routes'
import { logCacheEvents } from './log-cache-events'
import { type RefreshProgress, refreshDataset } from './refresh/refresher'
import { runSchedule } from './refresh/scheduler'
import { ReportSession } from './report/report-session'
import { createServices } from './services'
import { isMigrated, migrate } from './storage/migrate'
import { isUnavailable } from './storage/postgres-errors'
import { readDefinitions } from './storage/read-definitions'
import { layoutId } from './storage/rollup-table'

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

const LONGEST_RETRY_MS = 5000
const FIRST_RETRY_MS = 200
/** How often every process learns the versions from Postgres, whatever Redis says. */
const FLOOR_MS = 1000

/** Composes a server. Nothing is opened before `listen`. */
export function createServer(options: ServerOptions): Server {
  const { config, logger, declarations, clock = Date.now } = options
  const log = logCacheEvents(logger, config.redisUrl)
  let floorFault: string | null = null
  const services = createServices({
    config,
    databaseUrl: options.databaseUrl,
    onCacheEvent: (event) => {
      if (event.kind === 'floor-failed') floorFault = `The database cannot be reached: ${event.message}`
      log(event)
    },
    sqlLogger: options.sqlLogger,
  })
  const { dataSource, register, redis } = services
  const stopping = new AbortController()
  let phase: Phase = 'open'
  let apollo: ApolloServer<GraphQLContext> | null = null
  let schemaText: string | null = null
  let definitions: readonly Definition[] = []
  let trouble: string | null = 'The server has not reached the database yet.'
  let floorTimer: NodeJS.Timeout | undefined
  const built = new Set<string>()

  const readiness = (): Readiness => {
    if (phase !== 'open') return { ready: false, status: 'draining', reasons: ['The server is shutting down.'] }
    const missing = definitions.filter(({ name }) => !built.has(name))
    const reasons = [
      ...(trouble === null ? [] : [trouble]),
      ...missing.map(({ name }) => `The rollups of "${name}" are still being built.`),
      ...(redis !== undefined && redis.server === null
        ? ['Redis cannot be reached: answers come from memory and Postgres.']
        : []),
    ]
    if (apollo === null || built.size === 0) return { ready: false, status: 'starting', reasons }
    // Entries in Redis can be answered without Postgres; without Redis nothing can be checked any more.
    if (trouble !== null && (redis === undefined || redis.server === null))
      return { ready: false, status: 'unavailable', reasons }
    return { ready: true, status: reasons.length === 0 ? 'ready' : 'degraded', reasons }
  }

  const app = createHttpApp<GraphQLContext>({
    logger,
    limits: { ...DEFAULT_HTTP_LIMITS, bodyBytes: config.bodyLimitBytes },
    phase: () => phase,
    requestTimeoutMs: config.requestTimeoutSeconds * 1000,
    hostNames: config.isLoopback ? config.allowedHosts : null,
    corsOrigins: config.corsOrigins,
    graphql: () => apollo,
    unavailable: () => new UnavailableError(),
    createContext: async ({ signal }) => ({
      session: new ReportSession(services, { claims: {}, clock: clock() }, signal),
    }),
    readiness,
    schemaText: () => schemaText,
    exampleQueries: () => createExampleQueries(definitions),
    graphiqlFolder: GRAPHIQL_FOLDER,
  })

  /** Does a piece of the start over again for as long as the database is away. */
  async function persist<T>(work: () => Promise<T>): Promise<T> {
    for (let delay = FIRST_RETRY_MS; ; delay = Math.min(delay * 2, LONGEST_RETRY_MS)) {
      try {
        const result = await work()
        trouble = null
        return result
      } catch (error) {
        if (!isUnavailable(error)) throw error
        const message = error instanceof Error ? error.message : String(error)
        logger.warn({ err: error }, 'The database cannot be reached; trying again')
        trouble = `The database cannot be reached: ${message}`
        await wait(delay, undefined, { signal: stopping.signal })
      }
    }
  }

  async function prepareDatabase(): Promise<readonly Definition[]> {
    if (!dataSource.isInitialized) await dataSource.initialize()
    if (config.migrate === 'auto') await migrate(dataSource)
    else if (!(await isMigrated(dataSource))) {
      throw new Error(
        `The schema "${config.schema}" is not up to date, and MIGRATE=check forbids changing it. Run "aggregraph migrate".`,
      )
    }
    return readDefinitions(dataSource, declarations)
  }

  async function serveDefinitions(): Promise<void> {
    const schema = createSchema(definitions)
    const server = createApolloServer<GraphQLContext>({
      schema,
      introspection: config.introspection,
      suggestions: !config.isProduction,
      logger,
      plugins: [createPointsLimit(definitions), createCacheStatus()],
    })
    await server.start()
    schemaText = printSortedSchema(schema)
    apollo = server
  }

  async function ensureBuilt(definition: Definition): Promise<void> {
    const state = await register.current(definition.name, layoutId(definition)).catch(() => null)
    if (state?.data.isReady !== true) {
      const { rollups, sourceRows, rowsWithoutTime, valuesIgnored } = await refreshDataset(definition, {
        dataSource,
        register,
        onProgress: options.onProgress,
      })
      logger.info({ dataset: definition.name, sourceRows, rowsWithoutTime, valuesIgnored, rollups }, 'Rollups built')
    }
    built.add(definition.name)
  }

  /** One dataset that cannot be built leaves the others alone; it is tried again until it can. */
  async function keepBuilding(definition: Definition): Promise<void> {
    for (let delay = FIRST_RETRY_MS; ; delay = Math.min(delay * 2, LONGEST_RETRY_MS * 12)) {
      try {
        return await persist(() => ensureBuilt(definition))
      } catch (error) {
        if (stopping.signal.aborted) throw error
        logger.error({ err: error, dataset: definition.name }, 'The rollups cannot be built; trying again')
        await wait(delay, undefined, { signal: stopping.signal })
      }
    }
  }

  async function watchFloor(): Promise<void> {
    floorFault = null
    await register.pollFloor()
    trouble = floorFault
    if (!stopping.signal.aborted) floorTimer = setTimeout(() => void watchFloor(), FLOOR_MS)
  }

  async function start(): Promise<void> {
    definitions = await persist(prepareDatabase)
    await serveDefinitions()
    void watchFloor()
    for (const definition of definitions) {
      await keepBuilding(definition)
      void runSchedule({
        definition,
        refresh: () => refreshDataset(definition, { dataSource, register }),
        readDataAsOf: async () => (await register.current(definition.name, layoutId(definition))).data.dataAsOf,
        onError: (error) => logger.error({ err: error, dataset: definition.name }, 'The refresh failed'),
        signal: stopping.signal,
        clock: Date.now,
        random: Math.random,
      })
    }
  }

  let started: Promise<void> | null = null

  return {
    listen: async () => {
      await app.listen({ host: config.host, port: config.port })
      void redis?.connect()
      started = start()
      // Reported by `ready`; a server that is stopped while it starts has nobody left to tell.
      started.catch(() => undefined)
      const { address, family, port } = app.server.address() as AddressInfo
      return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
    },
    ready: async () => started ?? Promise.reject(new Error('Call listen first')),
    stop: async () => {
      phase = 'draining'
      await wait(config.drainSeconds * 1000)
      phase = 'closing'
      stopping.abort()
      clearTimeout(floorTimer)
      await app.close()
      await apollo?.stop()
      await services.close()
    },
  }
}
