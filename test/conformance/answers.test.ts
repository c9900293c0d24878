import { createHash } from 'node:crypto'
import { DatasetNotReadyError, ForbiddenError } from '../../src/errors'
import { createFailingSchema, SECRET } from '../support/failing-schema'
import { startTestApp, type TestApp } from '../support/http-app'

const MODERN = 'application/graphql-response+json'

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: { readonly data?: unknown; readonly errors?: readonly ErrorBody[] }
}

interface ErrorBody {
  readonly message: string
  readonly path?: readonly string[]
  readonly extensions: Readonly<Record<string, unknown>>
}

async function ask(url: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(url, init)
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, body: text === '' ? {} : JSON.parse(text) }
}

function post(body: unknown, headers: Readonly<Record<string, string>> = {}): RequestInit {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: MODERN, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  }
}

const query = (text: string, rest: object = {}) => post({ query: text, ...rest })
const get = (search: string, headers: Readonly<Record<string, string>> = {}): [RequestInit, string] => [
  { headers: { accept: MODERN, ...headers } },
  search,
]
const hash = (text: string) => createHash('sha256').update(text).digest('hex')
const persisted = (sha256Hash: string) => ({ extensions: { persistedQuery: { version: 1, sha256Hash } } })

describe('every situation has its answer', () => {
  let app: TestApp
  beforeAll(async () => {
    app = await startTestApp({ schema: createFailingSchema(), apollo: { suggestions: false } })
  })
  afterAll(() => app.stop())

  afterEach(async () => {
    const { status, body } = await ask(`${app.url}/graphql`, query('{ ok }'))
    expect({ status, body }).toEqual({ status: 200, body: { data: { ok: true } } })
  })

  async function answer(situation: RequestInit | readonly [RequestInit, string]): Promise<Answer> {
    const [init, search] = Array.isArray(situation) ? situation : [situation, '']
    const given = await ask(`${app.url}/graphql${search}`, init)
    expect(given.text).not.toContain(SECRET)
    expect(given.text).not.toMatch(/node_modules|stacktrace|\bat .*:\d+:\d+/)
    const { method } = init
    if (given.status >= 400 && method !== 'HEAD') expect(Object.keys(given.body)).toEqual(['errors'])
    return given
  }

  describe('refused before it is executed', () => {
    it.each<[string, RequestInit | readonly [RequestInit, string], number, string]>([
      ['a body that is not JSON', post('{"query'), 400, 'BAD_REQUEST'],
      ['an empty body', post(''), 400, 'BAD_REQUEST'],
      ['no body', { method: 'POST', headers: { 'content-type': 'application/json' } }, 400, 'BAD_REQUEST'],
      ['a body that is text', post('"{ ok }"'), 400, 'BAD_REQUEST'],
      ['a body that is null', post('null'), 400, 'BAD_REQUEST'],
      ['a batch', post([{ query: '{ ok }' }]), 400, 'BAD_REQUEST'],
      ['a query that is no string', post({ query: 1 }), 400, 'BAD_REQUEST'],
      ['variables that are a list', query('{ ok }', { variables: [] }), 400, 'BAD_REQUEST'],
      ['bytes that are not UTF-8', { ...post(''), body: Buffer.from([0x22, 0xff, 0x22]) }, 400, 'BAD_REQUEST'],
      ['no query', post({ query: '' }), 400, 'BAD_REQUEST'],
      ['no query by GET', get(''), 400, 'BAD_REQUEST'],
      ['a query given twice', get('?query={ok}&query={ok}'), 400, 'BAD_REQUEST'],
      ['variables by GET that are not JSON', get('?query={ok}&variables={'), 400, 'BAD_REQUEST'],
      ['a document that does not parse', query('{ ok'), 400, 'GRAPHQL_PARSE_FAILED'],
      ['too many tokens', query(`{ ${'ok '.repeat(2_000)} }`), 400, 'GRAPHQL_PARSE_FAILED'],
      ['a document that is not valid', query('{ nothing }'), 400, 'GRAPHQL_VALIDATION_FAILED'],
      [
        'a variable that does not fit',
        query('query ($n: Int) { echo(n: $n) }', { variables: { n: 'x' } }),
        400,
        'BAD_USER_INPUT',
      ],
      ['a variable that is missing', query('query ($n: Int!) { echo(n: $n) }'), 400, 'BAD_USER_INPUT'],
      [
        'an operation that is not there',
        query('query A { ok }', { operationName: 'B' }),
        400,
        'OPERATION_RESOLUTION_FAILURE',
      ],
      ['one of two operations', query('query A { ok } query B { ok }'), 400, 'OPERATION_RESOLUTION_FAILURE'],
      ['too deep', query(`{ ${'part { '.repeat(15)} ok ${'}'.repeat(15)} }`), 400, 'QUERY_TOO_COMPLEX'],
      [
        'too deep, and not valid',
        query(`{ ${'part { '.repeat(15)} nothing ${'}'.repeat(15)} }`),
        400,
        'QUERY_TOO_COMPLEX',
      ],
      ['a wrong hash', query('{ ok }', persisted(hash('{ part }'))), 400, 'BAD_REQUEST'],
      [
        'an unknown version of persisted queries',
        query('{ ok }', { extensions: { persistedQuery: { version: 2 } } }),
        400,
        'BAD_REQUEST',
      ],
      [
        'a persisted query that is not known',
        post(persisted(hash('{ part { ok } }'))),
        200,
        'PERSISTED_QUERY_NOT_FOUND',
      ],
      ['a media type that nobody serves', query('{ ok }', {}), 406, 'BAD_REQUEST'],
      ['text', post('{"query":"{ ok }"}', { 'content-type': 'text/plain' }), 415, 'BAD_REQUEST'],
      ['a form', post('query={ok}', { 'content-type': 'application/x-www-form-urlencoded' }), 415, 'BAD_REQUEST'],
      [
        'another charset',
        post({ query: '{ ok }' }, { 'content-type': 'application/json; charset=latin1' }),
        415,
        'BAD_REQUEST',
      ],
      ['a compressed body', post({ query: '{ ok }' }, { 'content-encoding': 'gzip' }), 415, 'BAD_REQUEST'],
      ['a body too large', query(`{ ok } #${'x'.repeat(100_000)}`), 413, 'BAD_REQUEST'],
      ['a URI too long', get(`?query={ok}&x=${'x'.repeat(16_384)}`), 414, 'BAD_REQUEST'],
      ['a URI that is no URI', get('/%zz'), 400, 'BAD_REQUEST'],
      ['a path that is not there', get('/elsewhere'), 404, 'BAD_REQUEST'],
    ])('%s', async (title, situation, status, code) => {
      const accept =
        title === 'a media type that nobody serves'
          ? { headers: { 'content-type': 'application/json', accept: 'image/png' } }
          : {}
      const init = Array.isArray(situation) ? situation : { ...situation, ...accept }
      const given = await answer(init)
      expect([given.status, given.body.errors?.[0]?.extensions.code]).toEqual([status, code])
    })

    it.each([
      ['HEAD', 'GET, POST'],
      ['PUT', 'GET, POST'],
      ['DELETE', 'GET, POST'],
      ['PATCH', 'GET, POST'],
      ['OPTIONS', 'GET, POST'],
    ])('%s is not a method of it', async (method, allow) => {
      const given = await answer({ method })
      expect([given.status, given.headers.get('allow')]).toEqual([405, allow])
      if (method !== 'HEAD') expect(given.body.errors?.[0]?.extensions).toEqual({ code: 'BAD_REQUEST' })
    })

    it('a mutation by GET is told to use POST', async () => {
      const given = await answer(get('?query=mutation{ok}'))
      expect([given.status, given.headers.get('allow')]).toEqual([405, 'POST'])
      expect(given.body.errors?.[0]?.extensions).toEqual({ code: 'BAD_REQUEST' })
    })

    it('lists at most five errors, and no names of the schema', async () => {
      const invalid = await answer(query('{ okk a b c d e f g h }'))
      const misfit = { variables: { f: { and: Array.from({ length: 20 }, () => ({ m: 'x' })) } } }
      const coerced = await answer(query('query ($f: Filter) { echo(filter: $f) }', misfit))
      expect(invalid.body.errors).toHaveLength(5)
      expect(coerced.body.errors).toHaveLength(5)
      expect(new Set(coerced.body.errors?.map((error) => error.extensions.code))).toEqual(new Set(['BAD_USER_INPUT']))
      expect(invalid.text + coerced.text).not.toContain('Did you mean')
    })

    it('says which limit was passed, and by how much', async () => {
      const { body } = await answer(
        query(`{ ${Array.from({ length: 101 }, (_, n) => `a${n}: __typename`).join(' ')} }`),
      )
      expect(body.errors).toEqual([
        {
          message: 'This operation asks for 101 aliases; at most 100 are allowed.',
          extensions: { code: 'QUERY_TOO_COMPLEX', limit: 100, actual: 101 },
        },
      ])
    })

    it('a variable of any depth is refused, not choked on', async () => {
      const deep = `${'{"and":['.repeat(9_000)}null${']}'.repeat(9_000)}`
      const given = await answer(post(`{"query":"query ($f: Filter) { echo(filter: $f) }","variables":{"f":${deep}}}`))
      expect([given.status, given.body.errors?.[0]?.extensions.code]).toEqual([400, 'QUERY_TOO_COMPLEX'])
    })
  })

  describe('failed while it was executed', () => {
    it.each<[string, string, number, unknown, readonly string[], string | null]>([
      ['a wrong argument', '{ fail(how: input) }', 200, { fail: null }, ['BAD_USER_INPUT'], null],
      [
        'a wrong argument inside a literal',
        'query ($n: Int = 1) { echo(ns: [$n]) }',
        200,
        { echo: null },
        ['BAD_USER_INPUT'],
        null,
      ],
      ['no rollup', '{ fail(how: rollup) }', 200, { fail: null }, ['NO_ROLLUP'], null],
      ['too complex', '{ fail(how: complex) }', 200, { fail: null }, ['QUERY_TOO_COMPLEX'], null],
      ['forbidden', '{ fail(how: forbidden) }', 403, undefined, ['FORBIDDEN'], null],
      ['forbidden beside an answer', '{ ok fail(how: forbidden) }', 200, { ok: true, fail: null }, ['FORBIDDEN'], null],
      ['not built', '{ fail(how: unready) }', 503, undefined, ['DATASET_NOT_READY'], '2'],
      [
        'not built beside an answer',
        '{ ok fail(how: unready) }',
        200,
        { ok: true, fail: null },
        ['DATASET_NOT_READY'],
        null,
      ],
      ['database down', '{ fail(how: down) }', 503, undefined, ['UPSTREAM_UNAVAILABLE'], '2'],
      ['database down, no null allowed', '{ must(how: down) }', 503, undefined, ['UPSTREAM_UNAVAILABLE'], '2'],
      [
        'database down for each part',
        '{ part { fail(how: down) part { fail(how: down) } } }',
        503,
        undefined,
        ['UPSTREAM_UNAVAILABLE', 'UPSTREAM_UNAVAILABLE'],
        '2',
      ],
      [
        'database down beside a part',
        '{ part { list fail(how: down) } }',
        200,
        { part: { list: [], fail: null } },
        ['UPSTREAM_UNAVAILABLE'],
        null,
      ],
      ['late', '{ fail(how: late) }', 504, undefined, ['TIMEOUT'], null],
      ['unknown', '{ fail(how: unknown) }', 500, undefined, ['INTERNAL_SERVER_ERROR'], null],
      [
        'unknown beside an answer',
        '{ ok fail(how: unknown) }',
        200,
        { ok: true, fail: null },
        ['INTERNAL_SERVER_ERROR'],
        null,
      ],
      ['a null where none may be', '{ hollow }', 500, undefined, ['INTERNAL_SERVER_ERROR'], null],
      [
        'two kinds',
        '{ a: fail(how: down) b: fail(how: late) }',
        200,
        { a: null, b: null },
        ['UPSTREAM_UNAVAILABLE', 'TIMEOUT'],
        null,
      ],
      [
        'two kinds, one of them its own fault',
        '{ a: fail(how: down) b: fail(how: input) }',
        200,
        { a: null, b: null },
        ['UPSTREAM_UNAVAILABLE', 'BAD_USER_INPUT'],
        null,
      ],
    ])('%s', async (_title, text, status, data, codes, retryAfter) => {
      for (const accept of [MODERN, 'application/json']) {
        const given = await answer(post({ query: text, variables: { n: null } }, { accept }))
        expect(given.status).toBe(status)
        expect(given.headers.get('content-type')).toBe(`${accept}; charset=utf-8`)
        expect(given.body.data).toEqual(data)
        expect(given.body.errors?.map((error) => error.extensions.code)).toEqual(codes)
        expect(given.headers.get('retry-after')).toBe(retryAfter)
      }
    })

    it('an error says where it is and what would be right', async () => {
      const { body } = await answer(query('{ part { fail(how: input) } }'))
      expect(body.errors).toEqual([
        {
          message: 'Give a date.',
          locations: [{ line: 1, column: 10 }],
          path: ['part', 'fail'],
          extensions: { code: 'BAD_USER_INPUT', argument: 'range.between.from' },
        },
      ])
    })

    it('an unknown fault is masked, and whole in the log under the same id', async () => {
      const { body } = await answer(query('{ fail(how: unknown) }'))
      const [error] = body.errors ?? []
      expect(error).toMatchObject({ message: 'Internal error', path: ['fail'] })
      const { errorId } = error?.extensions ?? {}
      expect(errorId).toEqual(expect.any(String))
      expect(app.lines.filter((line) => line.errorId === errorId)).toEqual([
        expect.objectContaining({ path: ['fail'], err: expect.objectContaining({ message: SECRET, query: SECRET }) }),
      ])
    })
  })

  it('serves persisted queries by GET once they are registered', async () => {
    const text = '{ part { ok } }'
    await answer(query(text, persisted(hash(text))))
    const given = await answer(
      get(`?extensions=${encodeURIComponent(JSON.stringify(persisted(hash(text)).extensions))}`),
    )
    expect([given.status, given.body.data]).toEqual([200, { part: { ok: true } }])
  })

  it('logs one line a request, with no value of it', async () => {
    const { length } = app.lines
    await answer(query('query Busy { part { ok } fail(how: input) }'))
    await answer(get(`?query=${encodeURIComponent('{ ok } # token-1234')}`, { authorization: 'Bearer token-1234' }))
    const lines = app.lines.slice(length).filter((line) => line.msg === 'request')
    expect(lines).toEqual([
      expect.objectContaining({
        method: 'POST',
        path: '/graphql',
        status: 200,
        operation: 'Busy',
        codes: ['BAD_USER_INPUT'],
        ms: expect.any(Number),
      }),
      expect.objectContaining({ method: 'GET', path: '/graphql', status: 200 }),
    ])
    expect(JSON.stringify(app.lines)).not.toContain('token-1234')
  })
})

describe('the server itself cannot answer', () => {
  async function answerOnce(
    options: Parameters<typeof startTestApp>[0],
    init: RequestInit = query('{ ok }'),
  ): Promise<Answer> {
    const app = await startTestApp({ schema: createFailingSchema(), ...options })
    try {
      return await ask(`${app.url}/graphql`, init)
    } finally {
      await app.stop()
    }
  }

  it.each<[string, Parameters<typeof startTestApp>[0], number, string, Readonly<Record<string, string>>]>([
    ['no server yet', { http: { graphql: () => null } }, 503, 'UPSTREAM_UNAVAILABLE', { 'retry-after': '2' }],
    [
      'no rollup yet',
      { http: { graphql: () => null, unavailable: () => new DatasetNotReadyError('flights') } },
      503,
      'DATASET_NOT_READY',
      { 'retry-after': '2' },
    ],
    [
      'closing',
      { http: { phase: () => 'closing' } },
      503,
      'UPSTREAM_UNAVAILABLE',
      { 'retry-after': '2', connection: 'close' },
    ],
    [
      'a context that refuses',
      { http: { createContext: async () => Promise.reject(new ForbiddenError('flights')) } },
      403,
      'FORBIDDEN',
      {},
    ],
    [
      'a context that fails',
      { http: { createContext: async () => Promise.reject(new Error(SECRET)) } },
      500,
      'INTERNAL_SERVER_ERROR',
      {},
    ],
  ])('%s', async (_title, options, status, code, headers) => {
    const given = await answerOnce(options)
    expect([given.status, given.body.errors?.map((error) => error.extensions.code)]).toEqual([status, [code]])
    expect(Object.fromEntries(given.headers)).toMatchObject(headers)
    expect(Object.keys(given.body)).toEqual(['errors'])
    expect(given.text).not.toContain(SECRET)
  })

  it('draining still answers, and asks the client to connect elsewhere', async () => {
    const given = await answerOnce({ http: { phase: () => 'draining' } })
    expect([given.status, given.headers.get('connection')]).toEqual([200, 'close'])
  })

  it.each([
    ['work that does not stop', '{ hang }', 504, undefined],
    ['work that stops, and nothing else', '{ hang(obedient: true) }', 504, undefined],
    ['work that stops beside an answer', '{ ok hang(obedient: true) }', 200, { ok: true, hang: null }],
  ])('the deadline ends %s', async (_title, text, status, data) => {
    const given = await answerOnce({ http: { requestTimeoutMs: 200 } }, query(text))
    expect([given.status, given.body.data, given.body.errors?.map((error) => error.extensions.code)]).toEqual([
      status,
      data,
      ['TIMEOUT'],
    ])
  })

  it('hides the schema when introspection is off', async () => {
    const given = await answerOnce({ apollo: { introspection: false } }, query('{ __schema { types { name } } }'))
    expect([given.status, given.body.errors?.[0]?.extensions.code]).toEqual([400, 'GRAPHQL_VALIDATION_FAILED'])
  })
})
