import { avg, count, Dataset, Dimension, Measure, max, sum } from '../../src/index'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { type GraphQLResult, startTestServer, type TestServer } from '../support/server'
import {
  FILTERS,
  ODD_FILTERS,
  PARTS,
  REPORT_ARGUMENTS,
  TIMEZONES,
  TOO_MANY_POINTS,
  type Verdict,
} from './bad-arguments'

@Dataset({ source: 'orders', time: 'at', refresh: 'manual' })
class Orders {
  @Dimension() country!: string | null
  @Dimension() paid!: boolean | null
  @Dimension() items!: number | null
  @Dimension() due!: string | null
  @Dimension() customer!: string | null
  /** Named like a member of the resolvers' own data. */
  @Dimension({ column: 'country' }) request!: string | null
  @Measure(count()) orders!: number
  @Measure(sum('amount')) revenue!: number
  @Measure(avg('amount')) averageAmount!: number | null
  @Measure(max('due')) lastDue!: string | null
}

/** Serves minutes, so that the schema has a unit which Orders does not keep. */
@Dataset({ source: 'orders', time: 'at', refresh: 'manual', granularity: 'minute' })
class Ticks {
  @Measure(count()) ticks!: number
}

@Dataset({
  source: 'orders',
  time: 'at',
  refresh: 'manual',
  granularity: 'day',
  base: false,
  rollups: [{ by: ['country'], granularity: 'day' }],
})
class Days {
  @Dimension() country!: string | null
  @Dimension() paid!: boolean | null
  @Measure(count()) orders!: number
}

const GOOD = 'good: orders { totals { orders } }'
const GOOD_ANSWER = { totals: { orders: 5 } }
/** Traces of the inside: our SQL, Postgres' complaints, files and stacks. */
const INSIDE =
  /\bWITH state\b|\bFROM aggregraph\b|syntax error|relation "|column "|invalid input syntax|\$\d+::|node_modules|\/src\/|\.ts:\d|\bat \w+ \(/

type Answer = GraphQLResult<Record<string, unknown>> & { readonly response: Response }

describe('a wrong argument', () => {
  let database: TestDatabase
  let server: TestServer

  beforeAll(async () => {
    database = await createTestDatabase()
    await database.query(
      'CREATE TABLE orders (at timestamptz NOT NULL, country text, paid boolean, items integer, due date, customer uuid, amount bigint)',
    )
    await database.query(`INSERT INTO orders VALUES
      ('2026-03-01 10:15Z', 'ES', true, 1, '2026-03-05', '11111111-1111-4111-8111-111111111111', 10),
      ('2026-03-01 10:45Z', 'E%S_\\"', false, 2, '2026-03-06', 'abcdefab-1111-4111-8111-111111111111', 30),
      ('2026-03-02 08:00Z', 'FR', true, NULL, NULL, NULL, 5),
      ('2026-03-04 23:30Z', NULL, NULL, -2147483648, '0001-01-01', NULL, NULL),
      ('2026-03-04 23:30Z', '', NULL, 2147483647, '9999-12-31', NULL, 7)`)
    server = await startTestServer({ databaseUrl: database.url, datasets: [Orders, Ticks, Days] })
  })
  afterAll(async () => {
    await server?.stop()
    await database?.drop()
  })

  function checkSentences(answer: Answer): void {
    for (const { message, extensions } of answer.errors ?? []) {
      expect(message).not.toBe('')
      expect(message).not.toMatch(INSIDE)
      expect(extensions).not.toHaveProperty('stacktrace')
      expect(extensions.code).not.toBe('INTERNAL_SERVER_ERROR')
    }
  }

  async function expectRefused(answer: Answer, verdict: Verdict): Promise<void> {
    const [code, status, argument] = verdict.split(' ')
    const [first] = answer.errors ?? []
    expect({
      status: answer.response.status,
      code: first?.extensions.code,
      argument: first?.extensions.argument,
    }).toEqual({ status: Number(status), code, argument })
    checkSentences(answer)
    if (answer.response.status === 200) expect(answer.data?.good).toEqual(GOOD_ANSWER)
    else expect(answer).not.toHaveProperty('data')
    const next = await server.ask(`{ ${GOOD} }`)
    expect({ status: next.response.status, data: next.data }).toEqual({ status: 200, data: { good: GOOD_ANSWER } })
  }

  it.each(TIMEZONES)('timezone: %j is refused: %s', async (zone, verdict) => {
    const query = `query ($zone: TimeZone) { bad: orders(timezone: $zone) { totals { orders } } ${GOOD} }`
    await expectRefused(await server.ask(query, { zone }), verdict)
  })

  it.each(REPORT_ARGUMENTS)('orders(%s) is refused: %s', async (text, verdict) => {
    const answer = await server.ask(`{ bad: orders(${text}) { totals { orders } } ${GOOD} }`)
    await expectRefused(answer, verdict)
    if (answer.response.status === 200) expect(answer.data?.bad).toBeNull()
  })

  it.each(FILTERS)('where: %j is refused: %s', async (where, verdict) => {
    const query = `query ($where: OrdersWhere) { bad: orders(where: $where) { totals { orders } } ${GOOD} }`
    await expectRefused(await server.ask(query, { where }), verdict)
  })

  it.each(PARTS)('%s is refused: %s', async (text, verdict) => {
    const answer = await server.ask(`{ orders { totals { orders } bad: ${text} } ${GOOD} }`)
    await expectRefused(answer, verdict)
    // The other parts of the same report are served.
    if (answer.response.status === 200) expect(answer.data?.orders).toEqual({ ...GOOD_ANSWER, bad: null })
  })

  it.each([
    ['series(granularity: HOUR) { start }', /day × country/],
    ['breakdown(by: [PAID]) { totalCount }', /does not keep paid/],
    ['breakdown(by: [HOUR_OF_DAY]) { totalCount }', /day buckets do not make up hour buckets/],
  ])('%s that no rollup covers is told the nearest one', async (text, sentence) => {
    const answer = await server.ask(`{ days { totals { orders } bad: ${text} } ${GOOD} }`)
    await expectRefused(answer, 'NO_ROLLUP 200')
    expect(answer.errors?.[0]?.message).toMatch(sentence)
    expect(answer.data?.days).toEqual({ ...GOOD_ANSWER, bad: null })
  })

  it.each(TOO_MANY_POINTS)('%s asks for too many points', async (query, variables, points) => {
    server.statements.clear()
    const answer = await server.ask(query, variables)
    if (points <= 10_000) {
      expect({ status: answer.response.status, errors: answer.errors }).toEqual({ status: 200, errors: undefined })
      return
    }
    await expectRefused(answer, 'QUERY_TOO_COMPLEX 400')
    expect(answer.errors?.[0]?.extensions).toMatchObject({ limit: 10_000, actual: points })
  })

  it('is found before anything is read where points are counted', async () => {
    server.statements.clear()
    const { response } = await server.ask(
      '{ orders(range: { last: { count: 20000, unit: HOUR } }) { totals { revenue lastDue } series(granularity: HOUR) { start } } }',
    )
    expect({ status: response.status, reads: server.statements.partReads() }).toEqual({ status: 400, reads: 0 })
  })

  describe('as a cursor', () => {
    const BY = 'by: [COUNTRY, ITEMS, DUE, PAID]'
    const PAGE = `query ($after: String) { orders { totals { orders }
      bad: breakdown(${BY}, first: 2, after: $after, orderBy: [{ field: REVENUE }]) { totalCount pageInfo { endCursor } } } ${GOOD} }`
    interface Cursor {
      q: string
      v: unknown[]
      k: unknown[]
    }
    let real: Cursor

    beforeAll(async () => {
      const { data } = await server.ask<{ orders: { bad: { pageInfo: { endCursor: string } } } }>(PAGE, {})
      real = JSON.parse(Buffer.from(data?.orders.bad.pageInfo.endCursor ?? '', 'base64url').toString()) as Cursor
    })
    const ask = (cursor: object) =>
      server.ask(PAGE, { after: Buffer.from(JSON.stringify(cursor)).toString('base64url') })
    const put = (list: readonly unknown[], place: number, value: unknown) =>
      list.map((old, index) => (index === place ? value : old))

    it.each<[string, (cursor: Cursor) => object]>([
      ['of another question', (cursor) => ({ ...cursor, q: 'x'.repeat(22) })],
      ['without a question', ({ v, k }) => ({ v, k })],
      ['with one more member', (cursor) => ({ ...cursor, x: 1 })],
      ['with one value less', (cursor) => ({ ...cursor, v: cursor.v.slice(1) })],
      ['with one key more', (cursor) => ({ ...cursor, k: [...cursor.k, 1] })],
      ['with a number for a value', (cursor) => ({ ...cursor, v: put(cursor.v, 0, 5) })],
      ['with an object for a key', (cursor) => ({ ...cursor, k: put(cursor.k, 0, {}) })],
      ['with text for a number', (cursor) => ({ ...cursor, v: put(cursor.v, 0, 'many') })],
      ['with nothing for a number', (cursor) => ({ ...cursor, v: put(cursor.v, 0, '') })],
      ['with SQL for a number', (cursor) => ({ ...cursor, v: put(cursor.v, 0, '1); DROP TABLE orders') })],
      ['with NUL in a value', (cursor) => ({ ...cursor, v: put(cursor.v, 1, 'E\0') })],
      ['with a number beyond every type', (cursor) => ({ ...cursor, v: put(cursor.v, 0, '1e1000000') })],
      ['with a huge integer', (cursor) => ({ ...cursor, v: put(cursor.v, 2, '99999999999') })],
      ['with no date', (cursor) => ({ ...cursor, v: put(cursor.v, 3, '2026-02-30') })],
      ['with no boolean', (cursor) => ({ ...cursor, v: put(cursor.v, 4, 'perhaps') })],
      ['with NUL in a key', (cursor) => ({ ...cursor, k: put(cursor.k, 0, '\0') })],
      ['with a fraction for an integer key', (cursor) => ({ ...cursor, k: put(cursor.k, 1, 1.5) })],
      ['with a huge integer key', (cursor) => ({ ...cursor, k: put(cursor.k, 1, 1e300) })],
      ['with a boolean for a date key', (cursor) => ({ ...cursor, k: put(cursor.k, 2, true) })],
      ['with a number for a boolean key', (cursor) => ({ ...cursor, k: put(cursor.k, 3, 7) })],
      ['of 70,000 characters', (cursor) => ({ ...cursor, v: put(cursor.v, 1, 'x'.repeat(52_000)) })],
    ])('%s is refused', async (_, forge) => {
      await expectRefused(await ask(forge(real)), 'BAD_USER_INPUT 200 after')
    })

    it.each<[string, (cursor: Cursor) => object]>([
      ['NaN', (cursor) => ({ ...cursor, v: put(cursor.v, 0, 'NaN') })],
      ['a lone surrogate', (cursor) => ({ ...cursor, v: put(cursor.v, 1, '\ud800') })],
      ['nothing at all', (cursor) => ({ ...cursor, v: cursor.v.map(() => null), k: cursor.k.map(() => null) })],
    ])('that says %s continues at that position', async (_, forge) => {
      const answer = await ask(forge(real))
      expect({ status: answer.response.status, errors: answer.errors }).toEqual({ status: 200, errors: undefined })
    })

    it('is refused for another filter, range, order or dataset, and accepted for another page size', async () => {
      const after = Buffer.from(JSON.stringify(real)).toString('base64url')
      const page = (arguments_: string, report = '') =>
        server.ask(
          `query ($after: String) { orders${report} { totals { orders } bad: breakdown(${BY}, after: $after, ${arguments_}) { totalCount } } ${GOOD} }`,
          { after },
        )
      const order = 'orderBy: [{ field: REVENUE }]'
      for (const answer of [
        await page(`${order}, having: { orders: { gt: 0 } }`),
        await page('orderBy: [{ field: REVENUE, direction: ASC }]'),
        await page('first: 2'),
        await page(order, '(where: { paid: { ne: true } })'),
        await page(order, '(timezone: "Europe/Madrid")'),
      ]) {
        await expectRefused(answer, 'BAD_USER_INPUT 200 after')
      }
      expect((await page(`${order}, first: 1`)).errors).toBeUndefined()
    })
  })

  describe('that is only odd', () => {
    it.each(ODD_FILTERS)('where: %j finds %i', async (where, orders) => {
      const query = 'query ($where: OrdersWhere) { orders(where: $where) { totals { orders } } }'
      expect(await server.ask(query, { where })).toMatchObject({ data: { orders: { totals: { orders } } } })
    })

    it.each([
      ['range: { between: { from: "0001-01-01", to: "9999-12-31" } }', 5],
      ['timezone: "Etc/GMT-9", range: { between: { from: "0001-01-01", to: "2026-03-02" } }', 2],
      ['timezone: "Etc/GMT+9", range: { between: { from: "2026-01-01", to: "9999-12-31" } }', 5],
      [
        'timezone: "asia/calcutta", range: { between: { from: "2026-03-01T10:00:00+00:00", to: "2026-03-01t11:00:00z" } }',
        2,
      ],
      ['range: { between: { from: "2026-03-01T10:00:00.000Z", to: "2026-03-01T11:00:00-00:00" } }', 2],
      ['range: { last: { count: 1000000, unit: YEAR } }', 5],
      ['range: { last: { count: 1000000, unit: HOUR } }', 5],
    ])('orders(%s) has all its parts', async (text, orders) => {
      const answer = await server.ask(`{ orders(${text}) { totals { orders }
        series(granularity: YEAR, fill: false) { measures { orders } } compare(to: PREVIOUS_YEAR) { totals { orders } } } }`)
      const verdict = text.includes('calcutta') ? 'timezone' : undefined
      expect(answer.errors?.[0]?.extensions.argument).toBe(verdict)
      expect(answer.data).toMatchObject({ orders: { totals: { orders }, compare: { totals: { orders: 0 } } } })
      const series = verdict === undefined ? [{ measures: { orders } }] : null
      expect(answer.data).toMatchObject({ orders: { series } })
    })

    it('spellings of the same breakdown under several aliases each get their measures', async () => {
      const { data, errors } = await server.ask(`{ orders(where: { country: { eq: "ES" } }) {
        a: breakdown(by: [REQUEST]) { nodes { request measures { orders } } }
        b: breakdown(by: [REQUEST], orderBy: null, having: {}, after: null) { nodes { measures { revenue } } }
        c: breakdown(first: 10, orderBy: [], by: REQUEST) { edges { node { measures { lastDue } } } } } }`)
      expect(errors).toBeUndefined()
      expect(data).toEqual({
        orders: {
          a: { nodes: [{ request: 'ES', measures: { orders: 1 } }] },
          b: { nodes: [{ measures: { revenue: 10 } }] },
          c: { edges: [{ node: { measures: { lastDue: '2026-03-05' } } }] },
        },
      })
    })

    it('groups with odd keys keep their own series and comparison', async () => {
      const { data, errors } =
        await server.ask(`{ orders(range: { between: { from: "2026-03-01", to: "2026-03-05" } }) {
        breakdown(by: [COUNTRY], orderBy: [{ field: COUNTRY, direction: ASC }]) {
          nodes { country series(granularity: MONTH) { measures { orders } } compare(to: PREVIOUS_YEAR) { orders } } } } }`)
      expect(errors).toBeUndefined()
      const rest = { series: [{ measures: { orders: 1 } }], compare: { orders: 0 } }
      const nodes = ['', 'E%S_\\"', 'ES', 'FR', null].map((country) => ({ country, ...rest }))
      expect(data).toEqual({ orders: { breakdown: { nodes } } })
    })
  })
})
