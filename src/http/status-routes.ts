import type { FastifyInstance } from 'fastify'
import { UnavailableError } from '../errors'
import { namesTag, tagOf } from './entity-tag'

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
  /** The metrics in the text format of Prometheus. */
  readonly metricsText?: () => Promise<string>
}

const METHODS = ['GET', 'HEAD']
const METRICS_MEDIA_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Serves `/healthz` (alive), `/readyz` (can answer), `/metrics` and `/schema.graphql`. */
export function serveStatus(app: FastifyInstance, options: StatusRoutesOptions): void {
  const { readiness, schemaText, metricsText } = options
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
  if (metricsText !== undefined) {
    app.route({
      method: METHODS,
      url: '/metrics',
      handler: async (_request, reply) =>
        reply
          .header('cache-control', 'no-store')
          .type(METRICS_MEDIA_TYPE)
          .send(await metricsText()),
    })
  }
  if (schemaText === undefined) return
  app.route({
    method: METHODS,
    url: '/schema.graphql',
    handler: async (request, reply) => {
      const text = schemaText()
      if (text === null) throw new UnavailableError()
      const etag = tagOf(text)
      reply.headers({ etag, 'cache-control': 'no-cache' })
      if (namesTag(request.headers['if-none-match'], etag)) return reply.code(304).send()
      return reply.type('text/plain; charset=utf-8').send(text)
    },
  })
}
