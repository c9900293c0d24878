import { createHash } from 'node:crypto'
import { type CachedApp, FOREVER, get, post, startCachedApp } from '../support/cached-app'

const QUESTION = { query: 'query Count { count }' }
const ANSWER = '{"data":{"count":1}}\n'
const HIT = 'aggregraph; hit; detail=response'

const hash = (text: string) => createHash('sha256').update(text).digest('hex')
const persisted = (sha256Hash: string) => ({ persistedQuery: { version: 1, sha256Hash } })

describe('a whole answer', () => {
  let app: CachedApp
  beforeEach(async () => {
    app = await startCachedApp()
  })
  afterEach(() => app.stop())

  it('is given again without being executed again, byte for byte', async () => {
    const first = await post(app, QUESTION)
    const second = await post(app, QUESTION)
    expect([first.text, second.text, app.world.executions]).toEqual([ANSWER, ANSWER, 1])
    expect([first.headers['cache-status'], second.headers['cache-status']]).toEqual([undefined, HIT])
    expect(app.outcomes).toEqual(['miss', 'hit'])
  })

  it('is the same bytes in any script', async () => {
    for (const text of ['Zürich', '東京', 'emoji 😀', 'Z\u00c3\u00bcrich']) {
      const question = { query: 'query Echo($text: String!) { echo(text: $text) }', variables: { text } }
      const seen = [await post(app, question), await post(app, question)]
      expect(seen.map((each) => JSON.parse(each.text))).toEqual([{ data: { echo: text } }, { data: { echo: text } }])
      const [first, second] = seen.map(({ headers }) => [
        headers.etag,
        headers['content-length'],
        headers['content-type'],
      ])
      expect(second).toEqual(first)
    }
    expect(app.world.executions).toBe(4)
  })

  it('is not given once a refresh came in between', async () => {
    await post(app, QUESTION)
    Object.assign(app.world, { count: 2, confirms: async () => false })
    const after = await post(app, QUESTION)
    app.world.confirms = async () => true
    const again = await post(app, QUESTION)
    expect([after.text, again.text].map((text) => JSON.parse(text).data.count)).toEqual([2, 2])
    expect(app.outcomes).toEqual(['miss', 'outdated', 'hit'])
  })

  it('makes way for the next one however often it was given', async () => {
    for (let asked = 0; asked < 5; asked += 1) await post(app, QUESTION)
    Object.assign(app.world, { count: 2, confirms: async () => false })
    await post(app, QUESTION)
    app.world.confirms = async () => true
    expect(JSON.parse((await post(app, QUESTION)).text).data.count).toBe(2)
    expect(app.outcomes).toEqual([...'miss hit hit hit hit outdated hit'.split(' ')])
    expect(app.world.executions).toBe(2)
  })

  it('is not given by a check that a refresh overtakes', async () => {
    await post(app, QUESTION)
    const verdicts: ((isCurrent: boolean) => void)[] = []
    const asked = new Promise<void>((heard) => {
      app.world.confirms = () => new Promise((resolve) => heard(void verdicts.push(resolve)))
    })
    const answer = post(app, QUESTION)
    await asked
    app.world.count = 2
    for (const tell of verdicts) tell(false)
    expect(JSON.parse((await answer).text).data.count).toBe(2)
  })

  it('is not given when its time is over', async () => {
    app.world.facts = { dependencies: [], expiresAt: app.world.now + 60_000 }
    await post(app, QUESTION)
    app.world.now += 59_999
    await post(app, QUESTION)
    app.world.now += 1
    await post(app, QUESTION)
    app.world.facts = FOREVER
    await post(app, QUESTION)
    expect(app.outcomes).toEqual(['miss', 'hit', 'outdated', 'miss'])
  })

  it.each([
    ['with an error beside an answer', { query: '{ count fail }' }, 200],
    ['with errors alone', { query: '{ fail }' }, 500],
    ['to what is not valid', { query: '{ none }' }, 400],
  ])('is not kept %s', async (_title, question, status) => {
    for (let asked = 0; asked < 2; asked += 1) {
      const seen = await post(app, question)
      expect([seen.status, seen.headers['cache-control'], seen.headers.etag]).toEqual([status, 'no-store', undefined])
    }
    expect(app.outcomes).toEqual(['miss', 'miss'])
  })

  it('is not kept when its facts say so: partial, stale, or about the schema', async () => {
    app.world.facts = null
    const seen = await post(app, QUESTION)
    await post(app, QUESTION)
    expect([seen.text, seen.headers['cache-control'], seen.headers.etag]).toEqual([ANSWER, 'no-store', undefined])
    expect([app.outcomes, app.world.executions]).toEqual([['miss', 'miss'], 2])
  })

  it('is kept by the exact request where that is a URL', async () => {
    await post(app, QUESTION)
    await get(app, QUESTION)
    await get(app, { ...QUESTION, operationName: 'Count' })
    expect([app.outcomes, app.world.executions]).toEqual([Array.from({ length: 3 }, () => 'miss'), 3])
  })

  it('is kept by its media type, however that is asked for', async () => {
    const modern = 'application/graphql-response+json'
    const accepts = [
      'application/json',
      'text/html, application/json;q=0.9',
      '*/*',
      modern,
      `${modern}, application/json;q=0.5`,
    ]
    for (const accept of [...accepts, ...accepts]) {
      const { headers } = await post(app, QUESTION, { accept })
      expect(headers['content-type']).toBe(`${accept.startsWith(modern) ? modern : 'application/json'}; charset=utf-8`)
    }
    const refused = await post(app, QUESTION, { accept: 'image/png' })
    expect([refused.status, refused.headers['cache-control']]).toEqual([406, 'no-store'])
    // A spelling is first understood by the answer to it.
    expect(app.outcomes).toEqual([...accepts.map(() => 'miss'), ...accepts.map(() => 'hit'), 'miss'])
  })

  it('is none of a larger question, and of one in chunks', async () => {
    const padded = (bytes: number) => JSON.stringify(QUESTION).padEnd(bytes, ' ')
    for (const bytes of [16_384, 16_384, 16_385, 16_385]) expect((await post(app, padded(bytes))).text).toBe(ANSWER)
    const body = new ReadableStream({
      start: (controller) => {
        controller.enqueue(Buffer.from(JSON.stringify(QUESTION)))
        controller.close()
      },
    })
    const headers = { 'content-type': 'application/json' }
    const init: RequestInit & { duplex: 'half' } = { method: 'POST', headers, body, duplex: 'half' }
    const chunked = await fetch(`${app.url}/graphql`, init)
    expect([chunked.status, await chunked.text()]).toEqual([200, ANSWER])
    expect(app.outcomes).toEqual(['miss', 'hit', 'bypass', 'bypass', 'bypass'])
  })

  it('is logged as if it had been executed', async () => {
    await post(app, QUESTION)
    await post(app, QUESTION)
    const lines = app.lines.filter((line) => line.msg === 'request')
    expect(lines).toEqual(
      [1, 2].map(() => ({
        level: 30,
        time: expect.any(Number),
        pid: expect.any(Number),
        hostname: expect.any(String),
        id: expect.any(String),
        method: 'POST',
        path: '/graphql',
        status: 200,
        ms: expect.any(Number),
        operation: 'Count',
        msg: 'request',
      })),
    )
    expect(new Set(lines.map(({ id }) => id)).size).toBe(2)
  })
})

describe('a persisted query by GET', () => {
  let app: CachedApp
  beforeEach(async () => {
    app = await startCachedApp()
  })
  afterEach(() => app.stop())
  const code = (text: string) => JSON.parse(text).errors?.[0].extensions.code

  it('is asked for by its hash, which clients and caches can keep the answer by', async () => {
    const extensions = persisted(hash(QUESTION.query))
    const unknown = await get(app, { extensions })
    expect([unknown.status, code(unknown.text), unknown.headers['cache-control']]).toEqual([
      200,
      'PERSISTED_QUERY_NOT_FOUND',
      'no-store',
    ])
    const registered = await get(app, { ...QUESTION, extensions })
    const first = await get(app, { extensions })
    const second = await get(app, { extensions })
    const known = await get(app, { extensions }, { 'if-none-match': second.headers.etag ?? '' })
    expect([registered.text, first.text, second.text]).toEqual([ANSWER, ANSWER, ANSWER])
    expect([known.status, known.text]).toEqual([304, ''])
    expect(app.outcomes).toEqual(['miss', 'miss', 'miss', 'hit', 'not-modified'])
  })

  it('is refused under the hash of another', async () => {
    for (let asked = 0; asked < 2; asked += 1) {
      const { status, text, headers } = await get(app, { ...QUESTION, extensions: persisted(hash('{ who }')) })
      expect([status, code(text), headers['cache-control']]).toEqual([400, 'BAD_REQUEST', 'no-store'])
    }
    expect(code((await get(app, { extensions: persisted(hash('{ who }')) })).text)).toBe('PERSISTED_QUERY_NOT_FOUND')
  })
})
