import { pino } from 'pino'
import type { Logger as SqlLogger } from 'typeorm'
import { readConfig } from '../../src/config'
import type { Declaration } from '../../src/dataset/declaration'
import { declarationOf } from '../../src/dataset/recorded'
import { createServer } from '../../src/server'
import { createStatementLog, type StatementLog } from './statement-log'

export interface GraphQLResult<T> {
  readonly data?: T
  readonly errors?: readonly { message: string; path?: (string | number)[]; extensions: Record<string, unknown> }[]
}

export interface TestServer {
  readonly url: string
  readonly statements: StatementLog
  /** Asks a question as a client would, and gives the whole answer. */
  ask<T = Record<string, unknown>>(
    query: string,
    variables?: object,
  ): Promise<GraphQLResult<T> & { response: Response }>
  stop(): Promise<void>
}

export interface TestServerOptions {
  readonly databaseUrl: string
  readonly datasets: readonly object[]
  readonly env?: Readonly<Record<string, string>>
  /** Epoch milliseconds; default: the real time. */
  readonly clock?: () => number
  /** Default true: waits until every dataset is built. */
  readonly waits?: boolean
}

/** Asks the server at the origin a question as a client would, and gives the whole answer. */
export async function ask<T = Record<string, unknown>>(
  url: string,
  query: string,
  variables?: object,
): Promise<GraphQLResult<T> & { response: Response }> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
    body: JSON.stringify({ query, variables }),
  })
  return { response, ...((await response.json()) as GraphQLResult<T>) }
}

/** The declarations that decorators recorded on classes. */
export function declarationsOf(classes: readonly object[]): Declaration[] {
  return classes.map((each) => {
    const declaration = declarationOf(each)
    if (declaration === undefined) throw new Error('A class without @Dataset was given')
    return declaration
  })
}

/** Starts the whole server on a free loopback port. */
export async function startTestServer(options: TestServerOptions): Promise<TestServer> {
  const statements = createStatementLog()
  const config = readConfig({ PORT: '0', DRAIN_SECONDS: '0', LOG_LEVEL: 'silent', ...options.env })
  const server = createServer({
    config,
    databaseUrl: options.databaseUrl,
    declarations: declarationsOf(options.datasets),
    logger: pino({ level: config.logLevel }),
    sqlLogger: statements satisfies SqlLogger,
    clock: options.clock,
  })
  const url = await server.listen()
  if (options.waits !== false) {
    try {
      await server.ready()
    } catch (error) {
      await server.stop()
      throw error
    }
  }
  return {
    url,
    statements,
    ask: (query, variables) => ask(url, query, variables),
    stop: () => server.stop(),
  }
}
