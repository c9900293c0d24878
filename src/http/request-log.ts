import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { OperationRecord } from '../graphql/operation-record'

declare module 'fastify' {
  interface FastifyRequest {
    /** What the log line says about the operation. */
    record: OperationRecord
  }
}

const LONGEST_NAME = 100
const PROBES: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics'])

/** What the log line of a request says. */
export interface RequestLine {
  readonly id: string
  readonly method: string
  /** Path and query, of which the query is not told. */
  readonly url: string
  readonly status: number
  readonly elapsedMs: number
  readonly record: OperationRecord
}

/** Hears of every answered request but for those of probes. It must not throw. */
export type RequestListener = (request: {
  readonly status: number
  readonly codes: readonly string[]
  readonly ms: number
}) => void

/**
 * Logs one line a request: method, path without its query, status, milliseconds, name of the operation and codes of its
 * errors. No header and no value is logged. Answers of 500 and more are errors, probes are `debug`, the rest `info`.
 */
export function logRequests(app: FastifyInstance, logger: Logger, onRequest: RequestListener): void {
  // Null until the hook below gives every request a record of its own, before any other hook runs.
  app.decorateRequest('record', null as never)
  app.addHook('onRequest', async (request) => {
    request.record = { operation: null, codes: [] }
  })
  app.addHook('onResponse', async (request, reply) => {
    const line = readLine(request, reply)
    logRequest(logger, line)
    if (!isProbe(line.url)) onRequest({ status: line.status, codes: line.record.codes, ms: line.elapsedMs })
  })
  app.addHook('onRequestAbort', async (request) => logAbort(logger, request))
}

/** Logs the line of a request that was answered. */
export function logRequest(logger: Logger, line: RequestLine): void {
  const { id, method, url, status, elapsedMs, record } = line
  const path = readPath(url)
  const level = status >= 500 ? 'error' : isProbe(url) ? 'debug' : 'info'
  const facts = {
    id,
    method,
    path: path.slice(0, LONGEST_NAME),
    status,
    ms: Math.round(elapsedMs * 10) / 10,
    ...(record.operation !== null && { operation: record.operation.slice(0, LONGEST_NAME) }),
    ...(record.codes.length > 0 && { codes: record.codes }),
  }
  logger[level](facts, 'request')
}

/** Logs that a client did not wait for its answer. */
export function logAbort(logger: Logger, { id, method, url }: Pick<RequestLine, 'id' | 'method' | 'url'>): void {
  logger.info({ id, method, path: readPath(url) }, 'request aborted by the client')
}

function readLine({ id, method, url, record }: FastifyRequest, reply: FastifyReply): RequestLine {
  return { id, method, url, record, status: reply.statusCode, elapsedMs: reply.elapsedTime }
}

function isProbe(url: string): boolean {
  return PROBES.has(readPath(url))
}

function readPath(url: string): string {
  const end = url.indexOf('?')
  return end < 0 ? url : url.slice(0, end)
}
