import { Readable } from 'node:stream'
import { type ApolloServer, type BaseContext, HeaderMap } from '@apollo/server'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AggregraphError, UnavailableError } from '../errors'
import type { RecordedRequest } from '../graphql/operation-record'
import { runWithDeadline } from './deadline'
import { HttpRefusal } from './refusal'
import { checkMediaType, isJson, parseJsonBody } from './request-checks'

/** What is known of a request before its operation is read. */
export interface RequestFacts {
  /** Names the request in the log. */
  readonly id: string
  readonly method: string
  readonly headers: FastifyRequest['headers']
  readonly remoteAddress: string
  /** Aborts with a DeadlineError shortly before the deadline, or when the client has gone. */
  readonly signal: AbortSignal
}

export interface GraphqlRouteOptions<Context extends BaseContext> {
  /** The started server, or null while there is none. */
  readonly graphql: () => ApolloServer<Context> | null
  /** Why there is none. */
  readonly unavailable: () => AggregraphError
  /** May throw any AggregraphError; the request is then answered by its code, before its operation is read. */
  readonly createContext: (facts: RequestFacts) => Promise<Context>
  /** Whether requests are still answered. */
  readonly isClosing: () => boolean
  readonly requestTimeoutMs: number
  /** Whether bodies that do not say they are JSON are refused with 415; else Apollo Server refuses them, with 400. */
  readonly strictMediaTypes: boolean
}

/** Serves `/graphql`. */
export function serveGraphql<Context extends BaseContext>(
  app: FastifyInstance,
  options: GraphqlRouteOptions<Context>,
): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>('*', { parseAs: 'buffer' }, (request, body, done) => {
    try {
      done(null, isJson(request) ? parseJsonBody(body) : undefined)
    } catch (error) {
      done(error instanceof Error ? error : new HttpRefusal(400, 'The body cannot be read.'))
    }
  })
  app.route({
    method: ['GET', 'POST'],
    url: '/graphql',
    onRequest: async (request) => {
      if (options.isClosing()) throw new UnavailableError()
      if (options.strictMediaTypes) checkMediaType(request)
    },
    handler: (request, reply) => answerOperation(request, reply, options),
  })
}

async function answerOperation<Context extends BaseContext>(
  request: FastifyRequest,
  reply: FastifyReply,
  options: GraphqlRouteOptions<Context>,
): Promise<FastifyReply> {
  const server = options.graphql()
  if (server === null) throw options.unavailable()
  if (options.strictMediaTypes && request.method === 'POST' && request.body === undefined) {
    throw new HttpRefusal(400, 'The body is empty. Send an object with `query`.')
  }
  const onGone = (gone: () => void) => reply.raw.once('close', () => reply.raw.writableFinished || gone())
  const response = await runWithDeadline(options.requestTimeoutMs, onGone, async (signal) => {
    const { id, method, headers, ip } = request
    const context = await settle(options.createContext({ id, method, headers, remoteAddress: ip, signal }))
    return server.executeHTTPGraphQLRequest({ httpGraphQLRequest: readRequest(request), context })
  })

  const status = response.status ?? 200
  if (status >= 400 && request.record.codes.length === 0) {
    // Refused before there was an operation; Apollo Server has two codes for that.
    request.record.codes = [status < 500 ? 'BAD_REQUEST' : 'INTERNAL_SERVER_ERROR']
  }
  reply.code(status).headers(Object.fromEntries(response.headers))
  return response.body.kind === 'complete'
    ? reply.send(response.body.string)
    : reply.send(Readable.from(response.body.asyncIterator))
}

function readRequest(request: FastifyRequest): RecordedRequest {
  const headers = new HeaderMap()
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value)
  }
  const start = request.url.indexOf('?')
  return {
    method: request.method,
    headers,
    search: start < 0 ? '' : request.url.slice(start),
    body: request.body,
    record: request.record,
  }
}

/** Lets our own refusals pass at once; Apollo Server reports and masks every other failure. */
async function settle<Context>(creation: Promise<Context>): Promise<() => Promise<Context>> {
  const [settled] = await Promise.allSettled([creation])
  if (settled.status === 'rejected' && settled.reason instanceof AggregraphError) throw settled.reason
  return () => creation
}
