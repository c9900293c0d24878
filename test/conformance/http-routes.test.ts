import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readiness } from '../../src/http/status-routes'
import { startTestApp, type TestApp } from '../support/http-app'

let folder: string
let app: TestApp
let readiness: Readiness = { ready: true, status: 'ready', reasons: [] }

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'graphiql-'))
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>GraphiQL</title>')
  await writeFile(join(folder, 'page-ABC.js'), 'run()')
  await writeFile(join(folder, '.inputs'), 'hash')
  app = await startTestApp({
    http: {
      graphiqlFolder: folder,
      readiness: () => readiness,
      exampleQueries: () => [{ title: 'All', query: '{ ok }' }],
      hostNames: ['stats.internal'],
      corsOrigins: ['https://app.example'],
    },
  })
})
afterAll(async () => {
  await app.stop()
  await rm(folder, { recursive: true })
})

/** Asks under another Host header, which `fetch` does not allow. */
async function askAs(host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request(`${app.url}/graphql?query={ok}`, { headers: { host } }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    asked.on('error', reject).end()
  })
}

describe('every path', () => {
  it.each([
    ['/healthz', 200, 'application/json'],
    ['/readyz', 200, 'application/json'],
    ['/readyz/', 200, 'application/json'],
    ['//schema.graphql', 200, 'text/plain'],
    ['/graphiql', 200, 'text/html'],
    ['/graphiql/', 200, 'text/html'],
    ['/graphiql/examples.json', 200, 'application/json'],
    ['/graphiql/page-ABC.js', 200, 'text/javascript'],
    ['/graphiql/page-XYZ.js', 404, 'application/json'],
    ['/graphiql/.inputs', 404, 'application/json'],
    ['/graphiql/..%2f..%2fpackage.json', 404, 'application/json'],
    ['/graphiql/..%2fpage-ABC.js', 404, 'application/json'],
    ['/', 404, 'application/json'],
    ['/elsewhere', 404, 'application/json'],
  ])('%s answers %i %s, and is closed to sniffing and frames', async (path, status, type) => {
    const response = await fetch(`${app.url}${path}`, { headers: { accept: '*/*' } })
    expect([response.status, response.headers.get('content-type')]).toEqual([status, expect.stringContaining(type)])
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.get('referrer-policy')).toBe('no-referrer')
    expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(response.headers.get('x-powered-by')).toBeNull()
    if (status === 404)
      expect(await response.json()).toEqual({
        errors: [expect.objectContaining({ extensions: { code: 'BAD_REQUEST' } })],
      })
  })

  it.each(['/healthz', '/readyz', '/schema.graphql', '/graphiql'])('%s takes GET and HEAD alone', async (path) => {
    const posted = await fetch(`${app.url}${path}`, { method: 'POST' })
    const head = await fetch(`${app.url}${path}`, { method: 'HEAD' })
    expect([posted.status, posted.headers.get('allow'), head.status]).toEqual([405, 'GET, HEAD', 200])
  })

  it('sends browsers to GraphiQL', async () => {
    const response = await fetch(app.url, { headers: { accept: 'text/html,*/*' }, redirect: 'manual' })
    expect([response.status, response.headers.get('location')]).toEqual([302, '/graphiql'])
  })

  it.each(['/schema.graphql', '/graphiql'])('%s is not sent twice', async (path) => {
    const first = await fetch(`${app.url}${path}`)
    const second = await fetch(`${app.url}${path}`, { headers: { 'if-none-match': first.headers.get('etag') ?? '' } })
    expect([first.status, second.status, await second.text()]).toEqual([200, 304, ''])
  })

  it('keeps the files of GraphiQL, whose names change with them', async () => {
    const response = await fetch(`${app.url}/graphiql/page-ABC.js`)
    expect(response.headers.get('cache-control')).toContain('immutable')
  })

  it('opens GraphiQL with the worked examples', async () => {
    const response = await fetch(`${app.url}/graphiql/examples.json`)
    expect(await response.json()).toEqual([{ title: 'All', query: '{ ok }' }])
  })
})

describe('readiness', () => {
  it.each<[Readiness, number]>([
    [{ ready: true, status: 'degraded', reasons: ['Redis cannot be reached.'] }, 200],
    [{ ready: true, status: 'stale', reasons: ['Postgres cannot be reached.'] }, 200],
    [{ ready: false, status: 'starting', reasons: ['The rollups of "flights" are being built.'] }, 503],
    [{ ready: false, status: 'draining', reasons: [] }, 503],
  ])('%j is %i', async (given, status) => {
    readiness = given
    const response = await fetch(`${app.url}/readyz`)
    expect([response.status, await response.json()]).toEqual([status, { status: given.status, reasons: given.reasons }])
    expect((await fetch(`${app.url}/healthz`)).status).toBe(200)
  })
})

describe('who may ask', () => {
  it.each([
    ['localhost', 200],
    ['localhost:4000', 200],
    ['LOCALHOST:4000', 200],
    ['127.0.0.1:1', 200],
    ['[::1]:4000', 200],
    ['stats.internal', 200],
    ['evil.example', 421],
    ['localhost.evil.example', 421],
    ['127.0.0.1.evil.example', 421],
  ])('the Host header %j is answered %i', async (host, status) => {
    expect(await askAs(host)).toBe(status)
  })

  it.each([
    ['https://app.example', 'https://app.example'],
    ['https://evil.example', null],
    ['null', null],
  ])('pages of %s may read answers: %s', async (origin, allowed) => {
    const preflight = await fetch(`${app.url}/graphql`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
    })
    const answer = await fetch(`${app.url}/graphql?query={ok}`, { headers: { origin } })
    expect(preflight.headers.get('access-control-allow-origin')).toBe(allowed)
    expect(answer.headers.get('access-control-allow-origin')).toBe(allowed)
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
  })
})
