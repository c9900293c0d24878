import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { namesTag, tagOf } from './entity-tag'
import { HttpRefusal } from './refusal'

/** A question that the explorer opens with. */
export interface ExampleQuery {
  readonly title: string
  readonly query: string
  readonly variables?: Readonly<Record<string, unknown>>
}

export interface GraphiqlRoutesOptions {
  /** Folder that `scripts/build-graphiql.mjs` wrote. */
  readonly graphiqlFolder: string
  readonly exampleQueries: () => readonly ExampleQuery[]
}

const METHODS = ['GET', 'HEAD']

/** Everything comes from this server; the editor writes styles into the page, and its fonts and icons are data URLs. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "font-src 'self' data:",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
}

/** Where the page is built to, seen from both `src/http` and `dist/http`. */
export const GRAPHIQL_FOLDER = join(__dirname, '..', '..', 'dist', 'graphiql')

/** Serves `/graphiql`, with nothing from elsewhere, and sends browsers there that ask for `/`. */
export function serveGraphiql(app: FastifyInstance, { graphiqlFolder, exampleQueries }: GraphiqlRoutesOptions): void {
  app.route({
    method: METHODS,
    url: '/',
    handler: async (request, reply) => {
      if (!request.headers.accept?.includes('text/html'))
        throw new HttpRefusal(404, 'There is nothing here. Ask /graphql.')
      return reply.redirect('/graphiql')
    },
  })
  app.route({
    method: METHODS,
    url: '/graphiql',
    handler: async (request, reply) => {
      const page = await readPart(graphiqlFolder, 'index.html')
      reply.headers({ 'content-security-policy': CONTENT_SECURITY_POLICY, 'content-type': 'text/html; charset=utf-8' })
      return answerTagged(reply, page, request.headers['if-none-match'])
    },
  })
  app.route({
    method: METHODS,
    url: '/graphiql/examples.json',
    handler: async (_request, reply) => reply.header('cache-control', 'no-store').send(exampleQueries()),
  })
  app.route<{ Params: { file: string } }>({
    method: METHODS,
    url: '/graphiql/:file',
    handler: async (request, reply) => {
      const { file } = request.params
      const type = TYPES[extname(file)]
      if (type === undefined || !/^[\w-][\w.-]*$/.test(file)) throw new HttpRefusal(404, 'There is no such file.')
      const part = await readPart(graphiqlFolder, file)
      // The name holds a hash of the content, so what was fetched once is never asked for again. A worker obeys the
      // policy of its own script, which would otherwise be that of an answer in JSON.
      return reply
        .headers({
          'content-type': type,
          'content-security-policy': CONTENT_SECURITY_POLICY,
          'cache-control': 'public, max-age=31536000, immutable',
        })
        .send(part)
    },
  })
}

async function readPart(folder: string, file: string): Promise<Buffer> {
  try {
    return await readFile(join(folder, file))
  } catch {
    throw new HttpRefusal(404, 'There is no such file. `npm run build` makes the files of GraphiQL.')
  }
}

function answerTagged(reply: FastifyReply, content: Buffer, known: string | undefined): FastifyReply {
  const etag = tagOf(content)
  reply.headers({ etag, 'cache-control': 'no-cache' })
  return namesTag(known, etag) ? reply.code(304).send() : reply.send(content)
}
