import { Readable } from 'node:stream'
import { type ApolloServer, type BaseContext, HeaderMap, type HTTPGraphQLResponse } from '@apollo/server'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ResponseFacts } from '../cache/response-store'
import { AggregraphError, UnavailableError } from '../errors'
import { CACHE_STATUS } from '../graphql/cache-status'
import type { RecordedRequest } from '../graphql/operation-record'
import { copyName } from '../graphql/spelling'
import { validators } from './answer-headers'
import type { Caller, Identify } from './caller'
import { runWithDeadline } from './deadline'
import { namesTag, tagOf } from './entity-tag'
import { HttpRefusal } from './refusal'
import { checkMediaType, isJson, parseJsonBody } from './request-checks'
import type { ResponseCache, WholeAnswer } from './response-cache'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks. */
    caller: Caller
  }
}

/** What is known of a request before its operation is read. */
export interface RequestFacts {
  /** Names the request in the log. */
  readonly id: string
  readonly method: string
  readonly headers: FastifyRequest['headers']
  readonly remoteAddress: string
  readonly caller: Caller
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
  /**
   * What an answer without errors was made from, by its context after it was executed; null when it must not be kept. Without
   * this function, what clients may keep is left to Apollo Server.
   */
  readonly responseFacts?: (context: Context) => ResponseFacts | null
  readonly identify: Identify
  /** Which headers of a request choose between answers. */
  readonly vary: string
  readonly cache: ResponseCache | null
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
  // Null until the hook below, before anything looks at it.
  app.decorateRequest('caller', null as never)
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
    onRequest: async (request, reply) => {
      reply.header('vary', options.vary)
      if (options.isClosing()) throw new UnavailableError()
      if (options.strictMediaTypes) checkMediaType(request)
      request.caller = await (options.cache?.advanceOf(request.raw)?.caller ?? options.identify(request))
    },
    preParsing: async (request, _reply, payload) => {
      const body = options.cache?.advanceOf(request.raw)?.body ?? null
      return body === null ? payload : replay(body)
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
  const { id, method, headers, ip, caller } = request
  const onGone = (gone: () => void) => reply.raw.once('close', () => reply.raw.writableFinished || gone())
  const [response, creation] = await runWithDeadline(options.requestTimeoutMs, onGone, async (signal) => {
    const creation = options.createContext({ id, method, headers, remoteAddress: ip, caller, signal })
    const context = await settle(creation)
    const response = await server.executeHTTPGraphQLRequest({ httpGraphQLRequest: readRequest(request), context })
    return [response, creation] as const
  })

  const status = response.status ?? 200
  if (status >= 400 && request.record.codes.length === 0) {
    // Refused before there was an operation; Apollo Server has two codes for that.
    request.record.codes = [status < 500 ? 'BAD_REQUEST' : 'INTERNAL_SERVER_ERROR']
  }
  reply.code(status).headers(Object.fromEntries(response.headers))
  const { body } = response
  if (options.responseFacts === undefined) return sendBody(reply, body)

  const advance = options.cache?.advanceOf(request.raw)
  if (advance?.wasOutdated && response.headers.get('cache-status') === CACHE_STATUS.miss) {
    reply.header('cache-status', CACHE_STATUS.outdated)
  }
  // Errors come first in a body. A context that could not be created was answered with one.
  const isWhole = status === 200 && body.kind === 'complete' && !body.string.startsWith('{"errors"')
  const facts = isWhole ? options.responseFacts(await creation) : null
  if (!isWhole || facts === null) return sendBody(reply.header('cache-control', 'no-store'), body)
  const kept = describe(body.string, facts, request, response.headers)
  options.cache?.keep(request, kept)
  reply.headers(validators(kept))
  const isKnown = method === 'GET' && namesTag(headers['if-none-match'], kept.etag)
  return isKnown ? reply.removeHeader('content-type').code(304).send() : reply.send(body.string)
}

/** Bytes that have been read from the connection already, for what expects to read them. */
function replay(body: Buffer): Readable {
  const stream = new Readable({ read: () => undefined })
  stream.push(body)
  stream.push(null)
  return Object.assign(stream, { receivedEncodedLength: body.length })
}

/** An answer as it may be kept. */
function describe(text: string, facts: ResponseFacts, request: FastifyRequest, headers: HeaderMap): WholeAnswer {
  const isAscii = Buffer.byteLength(text) === text.length
  const { caller, record } = request
  return {
    ...facts,
    body: isAscii ? text : Buffer.from(text).toString('latin1'),
    contentType: headers.get('content-type') ?? '',
    etag: tagOf(text),
    isPublic: caller.isPublic,
    operation: record.operation === null ? null : copyName(record.operation),
  }
}

function sendBody(reply: FastifyReply, body: HTTPGraphQLResponse['body']): FastifyReply {
  return reply.send(body.kind === 'complete' ? body.string : Readable.from(body.asyncIterator))
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
