import { Writable } from 'node:stream'
import type { ApolloServer, BaseContext } from '@apollo/server'
import type { FastifyInstance } from 'fastify'
import { buildSchema, type GraphQLSchema } from 'graphql'
import { type Logger, pino } from 'pino'
import { createResponseStore } from '../../src/cache/response-store'
import { UnavailableError } from '../../src/errors'
import { type ApolloServerOptions, createApolloServer } from '../../src/graphql/apollo-server'
import { GRAPHIQL_FOLDER } from '../../src/http/graphiql-routes'
import type { RequestFacts } from '../../src/http/graphql-route'
import { createHttpApp, DEFAULT_HTTP_LIMITS, type HttpAppOptions } from '../../src/http/http-app'
import { createListening } from '../../src/http/listen'

/** A logger whose lines can be read. */
export function createTestLogger(): { readonly logger: Logger; readonly lines: readonly Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = []
  const destination = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(JSON.parse(String(chunk)))
      done()
    },
  })
  return { logger: pino({ level: 'debug' }, destination), lines }
}

/** The HTTP server with the options of a test, and a response cache that keeps what `responseFacts` lets it; not listening. */
export function createTestHttpApp<Context extends BaseContext>(
  options: Partial<HttpAppOptions<Context>> & Pick<HttpAppOptions<Context>, 'graphql' | 'createContext'>,
): FastifyInstance {
  return createHttpApp<Context>({
    logger: pino({ level: 'silent' }),
    limits: DEFAULT_HTTP_LIMITS,
    phase: () => 'open',
    unavailable: () => new UnavailableError(),
    requestTimeoutMs: 10_000,
    hostNames: [],
    corsOrigins: [],
    readiness: () => ({ ready: true, status: 'ready', reasons: [] }),
    schemaText: () => 'type Query { ok: Boolean }\n',
    exampleQueries: () => [],
    graphiqlFolder: GRAPHIQL_FOLDER,
    responses: createResponseStore({ maxBytes: 1_000_000, clock: Date.now, confirms: async () => true }),
    ...options,
  })
}

export interface TestContext extends BaseContext {
  readonly facts: RequestFacts
}

export interface TestApp {
  /** Origin, on loopback. */
  readonly url: string
  readonly port: number
  readonly lines: readonly Record<string, unknown>[]
  readonly stop: () => Promise<void>
}

/** Starts the HTTP server with our own Apollo Server over a schema of the test's. */
export async function startTestApp(
  options: {
    readonly schema?: GraphQLSchema
    readonly apollo?: Partial<ApolloServerOptions<TestContext>>
    readonly http?: Partial<HttpAppOptions<TestContext>>
    /** Default 127.0.0.1. */
    readonly host?: string
  } = {},
): Promise<TestApp> {
  const { logger, lines } = createTestLogger()
  const server: ApolloServer<TestContext> = createApolloServer<TestContext>({
    schema: options.schema ?? buildSchema('type Query { ok: Boolean }'),
    introspection: true,
    suggestions: true,
    logger,
    ...options.apollo,
  })
  await server.start()
  const app = createTestHttpApp<TestContext>({
    logger,
    graphql: () => server,
    createContext: async (facts) => ({ facts }),
    ...options.http,
  })
  const url = await createListening(app).listen({ host: options.host ?? '127.0.0.1', port: 0 })
  const stop = async () => {
    await app.close()
    await server.stop()
  }
  return { url, port: Number(new URL(url).port), lines, stop }
}
