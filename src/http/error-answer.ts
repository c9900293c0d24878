import type { FastifyReply, FastifyRequest } from 'fastify'
import { AggregraphError } from '../errors'
import { type FaultLog, refuse } from '../graphql/error-map'
import { HttpRefusal } from './refusal'

/** Whatever was thrown, as one of our errors where it is the request's fault. */
function recognise(error: unknown): unknown {
  if (error instanceof AggregraphError || typeof error !== 'object' || error === null || !('code' in error))
    return error
  const code = String(error.code)
  if (code === 'ECONNRESET' || code === 'ECONNABORTED') return new HttpRefusal(400, 'The request ended too early.')
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new HttpRefusal(413, 'The body is too large.')
  const status = 'statusCode' in error ? error.statusCode : undefined
  const isRefusal = code.startsWith('FST_') && typeof status === 'number' && status >= 400 && status < 500
  const message = 'message' in error ? String(error.message).replace(/\.$/, '') : 'This request cannot be read'
  return isRefusal ? new HttpRefusal(status, `${message}.`) : error
}

function chooseMediaType(request: FastifyRequest): string {
  const modern = 'application/graphql-response+json'
  return `${request.headers.accept?.includes(modern) ? modern : 'application/json'}; charset=utf-8`
}

/** Answers a request that failed outside of an operation, in the one form that every error has. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply, log: FaultLog): FastifyReply {
  const known = recognise(error)
  const refusal = refuse(known, log)
  const { status, headers } = known instanceof HttpRefusal ? known : refusal
  request.record.codes = [String(refusal.error.extensions?.code)]
  return reply
    .code(status)
    .headers({ ...headers, 'content-type': chooseMediaType(request), 'cache-control': 'no-store' })
    .send(JSON.stringify({ errors: [refusal.error] }))
}
