import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { UnavailableError } from '../errors'

/** Whether anything correct can be answered, and what is amiss. */
export interface Readiness {
  readonly ready: boolean
  readonly status: 'starting' | 'ready' | 'stale' | 'degraded' | 'draining' | 'unavailable'
  /** Sentences for an operator, without secrets. */
  readonly reasons: readonly string[]
}

export interface StatusRoutesOptions {
  readonly readiness: () => Readiness | Promise<Readiness>
  /** The SDL, or null while there is none. Without it the schema is nobody's business. */
  readonly schemaText?: () => string | null
}

const METHODS = ['GET', 'HEAD']

/** Serves `/healthz` (alive), `/readyz` (can answer) and `/schema.graphql`. */
export function serveStatus(app: FastifyInstance, { readiness, schemaText }: StatusRoutesOptions): void {
  app.route({
    method: METHODS,
    url: '/healthz',
    handler: (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'ok' }),
  })
  app.route({
    method: METHODS,
    url: '/readyz',
    handler: async (_request, reply) => {
      const { ready, status, reasons } = await readiness()
      return reply
        .code(ready ? 200 : 503)
        .header('cache-control', 'no-store')
        .send({ status, reasons })
    },
  })
  if (schemaText === undefined) return
  app.route({
    method: METHODS,
    url: '/schema.graphql',
    handler: async (request, reply) => {
      const text = schemaText()
      if (text === null) throw new UnavailableError()
      const etag = `"${createHash('sha256').update(text).digest('base64url')}"`
      reply.headers({ etag, 'cache-control': 'no-cache' })
      if (request.headers['if-none-match'] === etag) return reply.code(304).send()
      return reply.type('text/plain; charset=utf-8').send(text)
    },
  })
}
