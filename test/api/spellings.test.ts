import { type CachedApp, post, startCachedApp } from '../support/cached-app'

const HIT = 'aggregraph; hit; detail=response'

describe('an operation in other words', () => {
  let app: CachedApp
  beforeEach(async () => {
    app = await startCachedApp()
  })
  afterEach(() => app.stop())

  const ask = (query: string, more: object = {}) => post(app, { query, ...more })

  it('gets what is kept, under its own aliases', async () => {
    await ask('query First { a: count b: many(of: 2) }')
    const other = await ask('# mine\nquery Second {\n  b: count, second: many(of: 2)\n}')
    expect([other.status, other.text]).toEqual([200, '{"data":{"b":1,"second":[0,1]}}\n'])
    expect([app.outcomes, app.world.executions]).toEqual([['miss', 'hit'], 1])
  })

  it('gets the very answer that it would get from a server that has kept nothing', async () => {
    const question = 'query Mine { mine: echo(text: "\\"a\\":, Zürich") }'
    await ask('{ a: echo(text: "\\"a\\":, Zürich") }')
    const kept = await ask(question)
    app.world.now += 600_000
    const executed = await ask(question)
    const { 'cache-status': status, date: _date, ...headers } = kept.headers
    const { 'cache-status': _status, date: _other, ...expected } = executed.headers
    expect([kept.text, headers, status]).toEqual([executed.text, expected, HIT])
    expect([app.outcomes, app.world.executions]).toEqual([['miss', 'hit', 'outdated'], 2])
  })

  it('is the same whatever its variables are called, and in whatever order they come', async () => {
    const document = (a: string, b: string) =>
      `query ($${a}: Int, $${b}: String!) { maybe(of: $${a}) echo(text: $${b}) }`
    await ask(document('a', 'b'), { variables: { a: 1, b: 'x' } })
    await ask(document('a', 'b'), { variables: { b: 'x', a: 1 } })
    expect(JSON.parse((await ask(document('b', 'a'), { variables: { b: 1, a: 'x' } })).text).data).toEqual({
      maybe: 1,
      echo: 'x',
    })
    expect(app.outcomes).toEqual(['miss', 'hit', 'hit'])
    // Not given is not null, another value is another question, and what is not asked for may be too large.
    for (const variables of [{ b: 'x' }, { a: null, b: 'x' }, { a: 2, b: 'x' }, { a: 1, b: 'x', c: 1 }]) {
      const { data } = JSON.parse((await ask(document('a', 'b'), { variables })).text)
      expect(data).toEqual({ maybe: 'a' in variables ? variables.a : null, echo: 'x' })
    }
    expect(app.outcomes.slice(3)).toEqual(['miss', 'miss', 'miss', 'miss'])
  })

  it('is the same without variables, with none, and with its own name beside it', async () => {
    await ask('query Count { count }')
    await ask('query Count { count }', { variables: {} })
    await ask('query Count { count }', { variables: null, operationName: 'Count' })
    await ask('query Other { count }', { operationName: 'Other', extensions: null })
    expect(app.outcomes).toEqual(['miss', 'hit', 'hit', 'hit'])
  })

  it.each([
    ['other variables', { query: 'query A($text: String!) { a: echo(text: $text) }', variables: { text: 'b' } }],
    ['other literals', { query: '{ a: echo(text: "b") }' }],
    ['another field', { query: '{ a: count }' }],
    ['no alias', { query: 'query A($text: String!) { echo(text: $text) }', variables: { text: 'a' } }],
  ])('is another question with %s', async (_what, question) => {
    await ask('query B($text: String!) { b: echo(text: $text) }', { variables: { text: 'a' } })
    const seen = await post(app, question)
    expect(Object.keys(JSON.parse(seen.text).data)).toHaveLength(1)
    expect([app.outcomes, app.world.executions]).toEqual([['miss', 'miss'], 2])
  })

  it.each([
    ['the name of another operation beside it', { query: 'query A { count }', operationName: 'B' }, 400],
    [
      'an extension',
      { query: 'query A { count }', extensions: { persistedQuery: { version: 1, sha256Hash: 'x' } } },
      400,
    ],
    ['variables that are no object', { query: 'query A { count }', variables: [] }, 400],
    ['an operation beside it', { query: 'query A { count } query B { count }', operationName: 'A' }, 200],
    ['what does not parse behind it', { query: 'query A { count } %' }, 400],
    ['bytes that are no text', '{"query":"query A { count } # \xff"}', 400],
  ])('is left to be executed or refused with %s', async (_what, question, status) => {
    await ask('query B { count }')
    const body = typeof question === 'string' ? question : JSON.stringify(question)
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: Buffer.from(body, 'latin1'),
    })
    expect([response.status, app.outcomes]).toEqual([status, ['miss', 'miss']])
    await response.text()
  })

  it('is read however deep its variables are, and ends no process', async () => {
    const deep = `{"query":"{ count }","variables":{"a":${'['.repeat(8_000)}${']'.repeat(8_000)}}}`
    const seen = await post(app, deep)
    expect([seen.status, JSON.parse(seen.text).errors[0].extensions.code]).toEqual([400, 'QUERY_TOO_COMPLEX'])
    expect((await ask('{ count }')).status).toBe(200)
  })

  it('tells numbers that JSON cannot write from null', async () => {
    const query = 'query ($of: Int) { maybe(of: $of) }'
    expect((await post(app, `{"query":"${query}","variables":{"of":null}}`)).status).toBe(200)
    expect((await post(app, `{"query":"${query}","variables":{"of":1e400}}`)).status).toBe(400)
    expect((await post(app, `{"query":"${query}","variables":{"of":null}}`)).headers['cache-status']).toBe(HIT)
  })

  it('is not what is no JSON, though it be what the operation is kept by', async () => {
    await ask('{ count }')
    for (const body of ['query\n{\ncount\n}\n\n{}', 'spelled\nquery\n{\ncount\n}\n\n{}']) {
      expect((await post(app, body)).status).toBe(400)
    }
  })

  it('is not given once a refresh came in between', async () => {
    await ask('{ a: count }')
    Object.assign(app.world, { count: 2, confirms: async () => false })
    expect(JSON.parse((await ask('{ b: count }')).text).data).toEqual({ b: 2 })
    expect(app.outcomes).toEqual(['miss', 'outdated'])
  })

  it('is kept for itself when it comes again, for no longer than what it was made from', async () => {
    await ask('{ a: count }')
    app.world.now += 299_000
    for (let asked = 0; asked < 3; asked += 1) await ask('{ b: count }')
    app.world.now += 999
    await ask('{ b: count }')
    app.world.now += 1
    await ask('{ b: count }')
    expect(app.outcomes).toEqual(['miss', 'hit', 'hit', 'hit', 'hit', 'outdated'])
  })

  it('is logged under its own name', async () => {
    await ask('query First { count }')
    await ask('query Second { count }')
    const lines = app.lines.filter((line) => line.msg === 'request')
    expect(lines.map(({ operation }) => operation)).toEqual(['First', 'Second'])
  })
})

it('is not given to whoever may see something else', async () => {
  const app = await startCachedApp({
    identify: ({ headers }) => ({ scope: String(headers.authorization ?? ''), isPublic: false }),
  })
  try {
    const ask = (query: string, authorization: string) => post(app, { query }, { authorization })
    const seen = [await ask('{ a: who }', 'A'), await ask('{ b: who }', 'B'), await ask('{ c: who }', 'A')]
    expect(seen.map(({ text }) => JSON.parse(text).data)).toEqual([{ a: 'A' }, { b: 'B' }, { c: 'A' }])
    expect(app.outcomes).toEqual(['miss', 'miss', 'hit'])
  } finally {
    await app.stop()
  }
})
