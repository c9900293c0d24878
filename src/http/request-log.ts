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

/**
 * Logs one line a request: method, path without its query, status, milliseconds, name of the operation and codes of its
 * errors. No header and no value is logged. Answers of 500 and more are errors, probes are `debug`, the rest `info`.
 */
export function logRequests(app: FastifyInstance, logger: Logger): void {
  // Null until the hook below gives every request a record of its own, before any other hook runs.
  app.decorateRequest('record', null as never)
  app.addHook('onRequest', async (request) => {
    request.record = { operation: null, codes: [] }
  })
  app.addHook('onResponse', async (request, reply) => {
    const level = reply.statusCode >= 500 ? 'error' : PROBES.has(readPath(request)) ? 'debug' : 'info'
    logger[level](describeRequest(request, reply), 'request')
  })
  app.addHook('onRequestAbort', async (request) => {
    const { id, method } = request
    logger.info({ id, method, path: readPath(request) }, 'request aborted by the client')
  })
}

function describeRequest(request: FastifyRequest, reply: FastifyReply): object {
  const { operation, codes } = request.record
  return {
    id: request.id,
    method: request.method,
    path: readPath(request).slice(0, LONGEST_NAME),
    status: reply.statusCode,
    ms: Math.round(reply.elapsedTime * 10) / 10,
    ...(operation !== null && { operation: operation.slice(0, LONGEST_NAME) }),
    ...(codes.length > 0 && { codes }),
  }
}

function readPath(request: FastifyRequest): string {
  return request.url.split('?', 1).join('')
}
