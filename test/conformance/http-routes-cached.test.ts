import { connect } from 'node:net'
import { AggregraphError, ForbiddenError } from '../../src/errors'
import type { Phase } from '../../src/http/http-app'
import { type CachedApp, get, post, type Seen, startCachedApp } from '../support/cached-app'

const QUESTION = { query: '{ count }' }
const ANSWER = '{"data":{"count":1}}\n'
const ORIGIN = 'https://app.example'

/** What differs between two answers to one request. */
function changing({ status, text, headers: { date, 'cache-status': _, ...headers } }: Seen): Seen {
  return { status, text, headers }
}

describe('an answer from the response cache', () => {
  let app: CachedApp
  let phase: Phase
  let serve: (http?: Parameters<typeof startCachedApp>[0]) => Promise<CachedApp>

  beforeEach(() => {
    phase = 'open'
    serve = async (http = {}) => {
      app = await startCachedApp({ phase: () => phase, ...http })
      return app
    }
  })
  afterEach(() => app.stop())

  it.each<[string, Parameters<typeof startCachedApp>[0], Readonly<Record<string, string>>]>([
    ['on its own', {}, {}],
    ['to a page of this origin', { corsOrigins: [ORIGIN] }, {}],
    ['to a page of a listed origin', { corsOrigins: [ORIGIN, 'https://b.example'] }, { origin: ORIGIN }],
    ['to a page of another origin', { corsOrigins: [ORIGIN] }, { origin: 'https://evil.example' }],
    ['to a page where no origin is listed', {}, { origin: ORIGIN }],
    ['to somebody', { identify: () => ({ scope: 'a', isPublic: false }) }, { authorization: 'Bearer x' }],
    ['while draining', { phase: () => 'draining' }, {}],
  ])('has the headers of one that was executed: %s', async (_title, http, headers) => {
    await serve(http)
    for (const ask of [() => post(app, QUESTION, headers), () => get(app, QUESTION, headers)]) {
      const [executed, kept] = [await ask(), await ask()]
      expect(changing(kept)).toEqual(changing(executed))
      expect(kept.headers['cache-status']).toBe('aggregraph; hit; detail=response')
      const tag = { ...headers, 'if-none-match': kept.headers.etag ?? '' }
      const known = await get(app, QUESTION, tag)
      app.world.confirms = async () => false
      const knownAfterExecution = await get(app, QUESTION, tag)
      app.world.confirms = async () => true
      expect(changing(knownAfterExecution)).toEqual(changing(known))
    }
  })

  it('says who may keep it, and that they must ask whether it is still the same', async () => {
    await serve({ corsOrigins: [ORIGIN] })
    const { headers } = await post(app, QUESTION)
    expect([headers['cache-control'], headers.vary]).toEqual(['public, no-cache', 'Accept, Origin'])
    await app.stop()
    await serve({ identify: () => ({ scope: 'a', isPublic: false }) })
    const own = await get(app, QUESTION)
    expect([own.headers['cache-control'], own.headers.vary]).toEqual([
      'private, no-cache',
      'Accept, Authorization, X-API-Key',
    ])
  })

  it('is 304 for a GET that knows it, never for a POST', async () => {
    await serve()
    const { etag = '' } = (await get(app, QUESTION)).headers
    await post(app, QUESTION)
    for (const names of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const known = await get(app, QUESTION, { 'if-none-match': names })
      expect([known.status, known.text, known.headers.etag]).toEqual([304, '', etag])
      expect(known.headers).toMatchObject({ vary: 'Accept', 'cache-control': 'public, no-cache' })
      expect(known.headers['content-type']).toBeUndefined()
      const posted = await post(app, QUESTION, { 'if-none-match': names })
      expect([posted.status, posted.text]).toEqual([200, ANSWER])
    }
    const other = await get(app, QUESTION, { 'if-none-match': '"other"' })
    expect([other.status, other.text]).toEqual([200, ANSWER])
  })

  it('is 200 again once it says something else', async () => {
    await serve()
    const { etag = '' } = (await get(app, QUESTION)).headers
    Object.assign(app.world, { count: 2, confirms: async () => false })
    const changed = await get(app, QUESTION, { 'if-none-match': etag })
    expect([changed.status, changed.text]).toEqual([200, '{"data":{"count":2}}\n'])
    expect(changed.headers.etag).not.toBe(etag)
  })

  it.each<[string, RequestInit, number, Readonly<Record<string, string>>?]>([
    ['HEAD', { method: 'HEAD' }, 405],
    ['a GET that says it has a text', { headers: { 'content-type': 'text/plain' } }, 415],
  ])('is not for %s', async (_title, init, status) => {
    await serve()
    await get(app, QUESTION)
    const { status: seen } = await fetch(`${app.url}/graphql?${new URLSearchParams(QUESTION)}`, init)
    expect(seen).toBe(status)
  })

  it.each<[string, Readonly<Record<string, string>>, number]>([
    ['a body that is text', { 'content-type': 'text/plain' }, 415],
    ['another charset', { 'content-type': 'application/json; charset=latin1' }, 415],
    ['a compressed body', { 'content-encoding': 'gzip' }, 415],
    ['an answer nobody serves', { accept: 'image/png' }, 406],
  ])('is refused where it would be if it were not kept: %s', async (_title, headers, status) => {
    await serve()
    await post(app, QUESTION)
    const refused = await post(app, QUESTION, headers)
    expect([refused.status, Object.keys(JSON.parse(refused.text))]).toEqual([status, ['errors']])
  })

  it('is not given any more while closing', async () => {
    await serve()
    await post(app, QUESTION)
    phase = 'closing'
    const refused = await post(app, QUESTION)
    expect([refused.status, refused.headers.connection, refused.headers['retry-after']]).toEqual([503, 'close', '2'])
  })

  it('is not given to another scope, nor to who is not known', async () => {
    class NobodyError extends AggregraphError {
      readonly code = 'UNAUTHENTICATED'
    }
    const asked: unknown[] = []
    await serve({
      identify: async ({ headers }) => {
        asked.push(headers.authorization)
        if (headers.authorization === undefined) throw new NobodyError('Say who you are.')
        if (headers.authorization === 'b') throw new ForbiddenError('count')
        return { scope: headers.authorization, isPublic: false }
      },
    })
    const question = { query: '{ who }' }
    for (const who of ['a', 'c', 'a', 'c']) {
      expect(JSON.parse((await post(app, question, { authorization: who })).text)).toEqual({ data: { who } })
    }
    expect([(await post(app, question)).status, (await post(app, question, { authorization: 'b' })).status]).toEqual([
      401, 403,
    ])
    expect(app.outcomes).toEqual(['miss', 'miss', 'hit', 'hit', 'bypass', 'bypass'])
    // Everybody is asked once, however the answer comes about.
    expect(asked).toEqual(['a', 'c', 'a', 'c', undefined, 'b'])
  })

  describe('over a connection of its own', () => {
    /** Sends bytes as they are, and gives what came back until the server closed, or so many answers were there. */
    async function send(bytes: string, answers: number, halt = false): Promise<string> {
      return new Promise((resolve, reject) => {
        let seen = ''
        const socket = connect(app.port, '127.0.0.1', () => {
          socket.write(bytes, () => halt && socket.destroy())
        })
        socket.on('data', (chunk) => {
          seen += String(chunk)
          if (seen.split('HTTP/1.1 ').length > answers && /\}\n?$/.test(seen)) socket.end()
        })
        socket.on('error', reject)
        socket.on('close', () => resolve(seen))
      })
    }

    const request = (body: string, rest = '') =>
      `POST /graphql HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nContent-Type: application/json\r\n${rest}Content-Length: ${body.length}\r\n\r\n${body}`
    const bodies = (seen: string) => seen.match(/^\{.*\}$/gm)

    it('comes in the order of the requests, kept or not', async () => {
      await serve()
      const many = (of: number) => JSON.stringify({ query: `{ many(of: ${of}) }` })
      await send(request(many(3)), 1)
      const seen = await send([2, 3, 1, 3, 2].map((of) => request(many(of))).join(''), 5)
      const wanted = [2, 3, 1, 3, 2].map((of) => ({ data: { many: Array.from({ length: of }, (_, index) => index) } }))
      expect(bodies(seen)?.map((text) => JSON.parse(text))).toEqual(wanted)
    })

    it('comes to a body in pieces, and to one that waits to be let', async () => {
      await serve()
      const body = JSON.stringify(QUESTION)
      await send(request(body), 1)
      const whole = request(body)
      const seen = await new Promise<string>((resolve, reject) => {
        let text = ''
        const socket = connect(app.port, '127.0.0.1', () => {
          const middle = whole.length - 5
          socket.write(whole.slice(0, middle), () => setImmediate(() => socket.write(whole.slice(middle))))
        })
        socket.on('data', (chunk) => {
          text += String(chunk)
          if (text.endsWith('}\n')) socket.end()
        })
        socket.on('error', reject)
        socket.on('close', () => resolve(text))
      })
      expect([bodies(seen), seen]).toEqual([[ANSWER.trim()], expect.stringContaining('detail=response')])
      const expected = await send(request(body, 'Expect: 100-continue\r\n'), 2)
      expect([expected.startsWith('HTTP/1.1 100'), bodies(expected)]).toEqual([true, [ANSWER.trim()]])
      expect(app.outcomes).toEqual(['miss', 'hit', 'bypass'])
    })

    it("is not given under a name that is not this machine's", async () => {
      await serve()
      await post(app, QUESTION)
      const seen = await send(request(JSON.stringify(QUESTION)).replace('localhost', 'evil.example'), 1)
      expect([seen.slice(0, 12), app.outcomes]).toEqual(['HTTP/1.1 421', ['miss', 'bypass']])
    })

    it('a client that leaves within its body leaves a line and nothing else behind', async () => {
      await serve()
      await send(request(JSON.stringify(QUESTION)).slice(0, -3), 1, true)
      expect((await post(app, QUESTION)).text).toBe(ANSWER)
      const messages = app.lines
        .map(({ msg }) => msg)
        .filter((message) => !String(message).startsWith('Server listening'))
      expect(messages.sort()).toEqual(['request', 'request aborted by the client'])
      expect(app.outcomes).toEqual(['miss'])
    })

    it('a client that leaves before its answer leaves nothing behind', async () => {
      await serve()
      await post(app, QUESTION)
      let tell: (isCurrent: boolean) => void = () => undefined
      const asked = new Promise<void>((heard) => {
        app.world.confirms = () =>
          new Promise((resolve) => {
            tell = resolve
            heard()
          })
      })
      const socket = connect(app.port, '127.0.0.1', () => socket.write(request(JSON.stringify(QUESTION))))
      await asked
      await new Promise<void>((resolve) => {
        socket.on('close', () => resolve())
        socket.destroy()
      })
      tell(true)
      app.world.confirms = async () => true
      expect((await post(app, QUESTION)).text).toBe(ANSWER)
      expect(app.lines.filter(({ level }) => Number(level) >= 40)).toEqual([])
    })
  })
})
