import { randomUUID } from 'node:crypto'
import type { BaseContext } from '@apollo/server'
import cors from '@fastify/cors'
import { type FastifyInstance, type FastifyRequest, fastify } from 'fastify'
import type { Logger } from 'pino'
import type { CacheListener } from '../cache/cache-event'
import type { ResponseStore } from '../cache/response-store'
import { EXPOSED_HEADERS, SECURITY_HEADERS, varyOf } from './answer-headers'
import { EVERYBODY, type Identify } from './caller'
import { answerError } from './error-answer'
import { type GraphiqlRoutesOptions, serveGraphiql } from './graphiql-routes'
import { type GraphqlRouteOptions, serveGraphql } from './graphql-route'
import { HttpRefusal } from './refusal'
import { checkHost, checkUri, LARGEST_HEAD_BYTES } from './request-checks'
import { logRequests, type RequestListener } from './request-log'
import { createResponseCache } from './response-cache'
import { createSocketAnswer } from './socket-errors'
import { type StatusRoutesOptions, serveStatus } from './status-routes'

/** What clients may take. */
export interface HttpLimits {
  readonly bodyBytes: number
  /** Time a client may take to send its headers, and then its whole request. */
  readonly headersTimeoutMs: number
  readonly receiveTimeoutMs: number
  readonly keepAliveTimeoutMs: number
  readonly connections: number
  readonly requestsPerConnection: number
}

export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  bodyBytes: 100_000,
  headersTimeoutMs: 10_000,
  receiveTimeoutMs: 20_000,
  keepAliveTimeoutMs: 72_000,
  connections: 10_000,
  requestsPerConnection: 0,
}

/** `open` serves; `draining` serves on but asks clients to connect elsewhere; `closing` refuses operations with 503. */
export type Phase = 'open' | 'draining' | 'closing'

export interface HttpAppOptions<Context extends BaseContext>
  extends Omit<GraphqlRouteOptions<Context>, 'isClosing' | 'strictMediaTypes' | 'identify' | 'vary' | 'cache'>,
    StatusRoutesOptions,
    GraphiqlRoutesOptions {
  readonly logger: Logger
  readonly limits: HttpLimits
  readonly phase: () => Phase
  /** Names accepted in the Host header beside this machine's; null accepts every name. */
  readonly hostNames: readonly string[] | null
  /** Origins whose pages may read answers. */
  readonly corsOrigins: readonly string[]
  /** Default true: a body that does not say it is JSON is 415. */
  readonly strictMediaTypes?: boolean
  /** Default: nobody has to say who they are, and all may see the same. */
  readonly identify?: Identify
  /** Where whole answers are kept; without it, none are. */
  readonly responses?: ResponseStore
  readonly onCacheEvent?: CacheListener
  readonly onRequest?: RequestListener
}

/**
 * Creates the HTTP server, not listening yet: `/graphql`, `/graphiql`, `/schema.graphql`, `/healthz`, `/readyz` and `/metrics`. It
 * serves before there is an Apollo Server, so that a process can say that it is starting. Every error has the form
 * `{"errors":[…]}`.
 */
export function createHttpApp<Context extends BaseContext>(options: HttpAppOptions<Context>): FastifyInstance {
  const { logger, limits, strictMediaTypes = true, identify = () => EVERYBODY, responses } = options
  const { onRequest = () => undefined } = options
  const socketAnswer = createSocketAnswer()
  const app: FastifyInstance = fastify({
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.receiveTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    // A client that stops reading its answer is cut off once it was silent for longer than any answer takes.
    connectionTimeout: options.requestTimeoutMs + limits.receiveTimeoutMs,
    maxRequestsPerSocket: limits.requestsPerConnection,
    genReqId: () => randomUUID(),
    exposeHeadRoutes: false,
    return503OnClosing: false,
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true },
    http: {
      headersTimeout: limits.headersTimeoutMs,
      connectionsCheckingInterval: Math.min(1_000, limits.headersTimeoutMs),
      maxHeaderSize: LARGEST_HEAD_BYTES,
      // Node would refuse a request without Host with an empty body.
      requireHostHeader: false,
    },
    clientErrorHandler: socketAnswer.answer,
    frameworkErrors: (error, request, reply) => {
      request.record = { operation: null, codes: [] }
      answerError(error, request, reply, logger)
    },
  })
  app.server.maxConnections = limits.connections
  let isClosing = false
  app.addHook('preClose', async () => {
    isClosing = true
  })
  const phase = () => (isClosing ? 'closing' : options.phase())
  const hasCallers = options.identify !== undefined
  const cache =
    responses === undefined
      ? null
      : createResponseCache({
          ...options,
          responses,
          identify,
          phase,
          hasCallers,
          onEvent: options.onCacheEvent ?? (() => undefined),
          bodyBytes: limits.bodyBytes,
          onRequest,
        })
  if (cache !== null) {
    app.server.removeAllListeners('request')
    app.server.on('request', (request, response) =>
      cache.listen(request, response, () => app.routing(request, response)),
    )
  }
  socketAnswer.watch(app.server)

  logRequests(app, logger, onRequest)
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(SECURITY_HEADERS)
    if (phase() !== 'open') reply.header('connection', 'close')
    checkUri(request)
    checkHost(request, options.hostNames)
  })
  if (options.corsOrigins.length > 0) {
    app.register(cors, {
      origin: [...options.corsOrigins],
      methods: ['GET', 'POST'],
      allowedHeaders: ['Content-Type', 'Authorization', 'X-API-Key', 'Apollo-Require-Preflight'],
      exposedHeaders: EXPOSED_HEADERS,
      maxAge: 600,
      strictPreflight: false,
    })
  }
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply, logger))
  app.setNotFoundHandler(async (request) => {
    throw refuseRoute(app, request)
  })
  serveGraphql(app, {
    ...options,
    strictMediaTypes,
    identify,
    cache,
    vary: varyOf({ ...options, hasCallers }),
    isClosing: () => phase() === 'closing',
  })
  serveGraphiql(app, options)
  serveStatus(app, options)
  return app
}

/** A path that is served, but not by this method, is 405; others are 404. */
function refuseRoute(app: FastifyInstance, request: FastifyRequest): HttpRefusal {
  const url = (request.url.split('?', 1)[0] ?? '').replace(/\/{2,}/g, '/').replace(/(.)\/$/, '$1')
  const allowed = ['GET', 'HEAD', 'POST'].filter((method) => app.hasRoute({ method, url }))
  return allowed.length > 0
    ? new HttpRefusal(405, `This path takes ${allowed.join(' and ')}.`, { allow: allowed.join(', ') })
    : new HttpRefusal(404, 'There is nothing here. Ask /graphql.')
}
