import { Redis as RedisConnection } from 'ioredis'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { eventually } from '../support/eventually'
import { type Redis, startRedis } from '../support/redis'
import { refreshFromOutside } from '../support/refresh'
import { ask, startTestServer, type TestServer } from '../support/server'
import { type ServerProcess, startServerProcess } from '../support/server-process'
import { createShop, Orders, placeOrder } from '../support/shop'

const REPORT = `{ orders(range: { between: { from: "2026-03-01", to: "2026-03-03" } }, where: { paid: { eq: true }, country: { ne: "PT" } }) {
  totals { orders revenue averageAmount }
  series(granularity: DAY) { start measures { orders } }
  breakdown(by: [COUNTRY], first: 2) {
    totalCount nodes { country measures { revenue } compare(to: PREVIOUS_PERIOD) { orders } series(granularity: DAY) { measures { orders } } }
    other { measures { orders } } }
  compare(to: PREVIOUS_PERIOD) { totals { orders } } } }`

/** The same question in other words. Only answered parts are compared, since aliases rename them. */
const SPELLINGS: readonly (readonly [how: string, query: string, variables: object])[] = [
  [
    'arguments, operators and conditions in another order',
    REPORT.replace(
      'range: { between: { from: "2026-03-01", to: "2026-03-03" } }, where: { paid: { eq: true }, country: { ne: "PT" } }',
      'where: { and: [{ country: { ne: "PT" } }, { paid: { in: [true, true] } }] }, timezone: "Etc/UTC", range: { between: { to: "2026-03-03T01:00:00+01:00", from: "2026-03-01T00:00:00Z" } }',
    ),
    {},
  ],
  [
    'variables',
    REPORT.replace('{ orders(', 'query ($range: RangeInput, $where: OrdersWhere) { orders(')
      .replace('{ between: { from: "2026-03-01", to: "2026-03-03" } }', '$range')
      .replace('{ paid: { eq: true }, country: { ne: "PT" } }', '$where'),
    {
      range: { between: { to: '2026-03-03', from: '2026-03-01' } },
      where: { not: { not: { country: { notIn: ['PT'] }, paid: { eq: true } } } },
    },
  ],
  ['aliases', REPORT.replace('totals {', 'sums: totals {').replace('breakdown(', 'countries: breakdown('), {}],
  [
    'fragments, defaults written out and fields in another order',
    REPORT.replace(
      'totals { orders revenue averageAmount }',
      '... on OrdersReport { totals { averageAmount revenue } totals { orders } }',
    )
      .replace('granularity: DAY) { start', 'fill: true, granularity: DAY) { start')
      .replace('first: 2)', 'orderBy: null, first: 2, having: {})'),
    {},
  ],
  ['a smaller question', REPORT.replace('compare(to: PREVIOUS_PERIOD) { totals { orders } } } }', '} }'), {}],
]

/** What the floor reads once a second, and what a version read of a question would read: the same statement. */
const VERSIONS = /^SELECT id, seq::text AS seq/
/** The transaction that limits the time of such a read. It reads nothing itself. */
const LIMITS = /^(BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SET LOCAL statement_timeout = \d+|COMMIT)$/
/** What TypeORM asks of a database that it connects to. */
const GREETINGS = /^SELECT (version\(\)|\* FROM current_schema\(\))$/
const FLOOR_MS = 1_000

interface Totals {
  readonly orders: { readonly totals: { readonly orders: number } }
}
const TOTAL = '{ orders { totals { orders } } }'
const countOrders = async (url: string) => (await ask<Totals>(url, TOTAL)).data?.orders.totals.orders

const cacheStatus = (answer: { readonly response: Response }) => answer.response.headers.get('cache-status')

describe('a cached answer', () => {
  let database: TestDatabase
  const stops: (() => Promise<void>)[] = []

  beforeEach(async () => {
    database = await createTestDatabase()
    await createShop(database)
  })
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop()
    await database.drop()
  })

  async function serve(env: Readonly<Record<string, string>> = {}): Promise<TestServer> {
    const server = await startTestServer({ databaseUrl: database.url, datasets: [Orders], env })
    stops.push(() => server.stop())
    return server
  }

  describe('with Redis', () => {
    let redis: Redis
    let server: TestServer

    beforeEach(async () => {
      redis = await startRedis()
      stops.push(() => redis.stop())
      server = await serve({ REDIS_URL: redis.url })
      await isConnected(server.url)
    })
    const serveAnother = async () => {
      const another = await serve({ REDIS_URL: redis.url })
      await isConnected(another.url)
      return another
    }
    const serveInProcess = async (): Promise<ServerProcess> => {
      const child = await startServerProcess(database.url, redis.url)
      stops.push(() => child.stop())
      await isConnected(child.url)
      return child
    }
    const isConnected = (url: string) =>
      eventually(async () => ((await (await fetch(`${url}/readyz`)).text()).includes('"ready"') ? true : null))

    it('comes without a statement, however often it is asked for', async () => {
      const first = await server.ask(REPORT)
      expect({ status: cacheStatus(first), errors: first.errors }).toEqual({
        status: 'aggregraph; fwd=miss',
        errors: undefined,
      })
      expect(server.statements.partReads()).toBeGreaterThan(0)

      server.statements.clear()
      const began = performance.now()
      for (let asked = 0; asked < 50; asked += 1) {
        const { response, ...answer } = await server.ask(REPORT)
        expect(response.headers.get('cache-status')).toBe('aggregraph; hit; detail=response')
        expect(answer.data).toEqual(first.data)
      }
      // Fifty version reads would stand out: the floor reads versions with the same text, but once a second.
      const polls = Math.ceil((performance.now() - began) / FLOOR_MS) + 1
      const { statements } = server.statements
      expect(statements.filter(({ sql }) => ![VERSIONS, LIMITS, GREETINGS].some((known) => known.test(sql)))).toEqual(
        [],
      )
      expect(statements.filter(({ sql }) => VERSIONS.test(sql)).length).toBeLessThanOrEqual(polls)
    })

    it.each(SPELLINGS)('is found by %s', async (_, query, variables) => {
      await server.ask(REPORT)
      server.statements.clear()
      const answer = await server.ask(query, variables)
      expect(answer.errors).toBeUndefined()
      expect({ status: cacheStatus(answer), reads: server.statements.partReads() }).toEqual({
        status: 'aggregraph; hit',
        reads: 0,
      })
    })

    it.each([
      ['another operand', REPORT.replace('"PT"', '"ES"')],
      ['another range', REPORT.replace('to: "2026-03-03"', 'to: "2026-03-02"')],
      ['one more measure', REPORT.replace('averageAmount }', 'averageAmount largest }')],
      ['another page', REPORT.replace('first: 2', 'first: 1')],
    ])('is not taken for the answer to %s', async (_, query) => {
      await server.ask(REPORT)
      const fresh = await serve()
      const answer = await server.ask(query)
      expect(cacheStatus(answer)).toBe('aggregraph; fwd=miss')
      expect(answer.data).toEqual((await fresh.ask(query)).data)
    })

    it('is found by another server and by another process', async () => {
      const { data } = await server.ask(REPORT)
      const another = await serveAnother()
      another.statements.clear()
      const answer = await another.ask(REPORT)
      expect({ status: cacheStatus(answer), reads: another.statements.partReads(), data: answer.data }).toEqual({
        status: 'aggregraph; hit',
        reads: 0,
        data,
      })

      const child = await serveInProcess()
      await child.clear()
      const far = await ask(child.url, REPORT)
      expect({ status: cacheStatus(far), reads: await child.partReads(), data: far.data }).toEqual({
        status: 'aggregraph; hit',
        reads: 0,
        data,
      })
    })

    it('is replaced at once in every process by a refresh of any of them', async () => {
      const child = await serveInProcess()
      const urls = [server.url, child.url]
      for (let orders = 49; orders < 54; orders += 1) {
        for (const url of urls) await ask(url, TOTAL)
        await placeOrder(database)
        if (orders % 2 === 0) await child.refresh()
        else await refreshFromOutside(database.url, [Orders], redis.url)
        const answers = await Promise.all([...urls, ...urls, ...urls].map(countOrders))
        expect(answers).toEqual(answers.map(() => orders))
      }
    })

    it('is replaced within the floor by a refresh that knows no Redis, and never comes back', async () => {
      const another = await serveAnother()
      const urls = [server.url, another.url]
      for (const url of urls) expect(await countOrders(url)).toBe(48)
      await placeOrder(database)
      await refreshFromOutside(database.url, [Orders])
      const committed = performance.now()
      for (const url of urls) await eventually(async () => ((await countOrders(url)) === 49 ? true : null), 3_000)
      // A second, and what a poll and a question take on a busy machine.
      expect(performance.now() - committed).toBeLessThan(2 * FLOOR_MS)
      // The register was repaired: whoever comes now sees the new answer, too.
      const late = await serveAnother()
      const answers = await Promise.all([...urls, late.url, ...urls, late.url].map(countOrders))
      expect(answers).toEqual(answers.map(() => 49))
    })

    it.each([
      [
        '0 and null',
        'totals { orders averageAmount largest }',
        { totals: { orders: 0, averageAmount: null, largest: null } },
      ],
      ['no points', 'series(granularity: HOUR, fill: false) { start }', { series: [] }],
      [
        'no groups',
        'breakdown(by: [COUNTRY]) { totalCount nodes { key } }',
        { breakdown: { totalCount: 0, nodes: [] } },
      ],
      ['no rest', 'breakdown(by: [COUNTRY]) { other { measures { orders } } }', { breakdown: { other: null } }],
    ])('may say %s', async (_, part, expected) => {
      const query = `{ orders(where: { country: { eq: "nowhere" } }) { ${part} } }`
      expect((await server.ask(query)).data).toEqual({ orders: expected })
      const another = await serveAnother()
      for (const one of [server, another]) {
        one.statements.clear()
        const answer = await one.ask(query)
        expect({ status: cacheStatus(answer), reads: one.statements.partReads() }).toEqual({
          status: expect.stringMatching(/^aggregraph; hit/),
          reads: 0,
        })
        expect(answer.data).toEqual({ orders: expected })
      }
    })

    it.each<[string, (entry: Buffer) => Buffer]>([
      ['garbage', () => Buffer.from('garbage')],
      ['nothing', () => Buffer.alloc(0)],
      ['half of it', (entry) => entry.subarray(0, entry.length >> 1)],
      [
        'one bit flipped',
        (entry) => Buffer.from(entry.map((byte, index) => (index === entry.length - 2 ? byte ^ 1 : byte))),
      ],
    ])('is asked for anew, and replaced, where Redis holds %s', async (_, corrupt) => {
      const { data } = await server.ask(TOTAL)
      const connection = new RedisConnection(redis.url)
      stops.push(async () => connection.disconnect())
      const [key = ''] = await connection.keys('aggregraph:2:entry:*')
      const entry = await connection.hgetBuffer(key, 'b')
      if (entry === null) throw new Error('Redis keeps no entry')
      await connection.hset(key, 'b', corrupt(entry))

      const another = await serveAnother()
      const answer = await another.ask(TOTAL)
      expect({ status: cacheStatus(answer), data: answer.data }).toEqual({ status: 'aggregraph; fwd=miss', data })
      expect(await connection.hgetBuffer(key, 'b')).not.toEqual(corrupt(entry))
      const third = await serveAnother()
      expect(cacheStatus(await third.ask(TOTAL))).toBe('aggregraph; hit')
    })

    it('is not believed where the database was replaced under a Redis that remembers', async () => {
      for (let orders = 49; orders < 52; orders += 1) {
        await placeOrder(database)
        await refreshFromOutside(database.url, [Orders], redis.url)
        await server.ask(TOTAL)
      }
      const other = await createTestDatabase()
      stops.push(() => other.drop())
      await createShop(other)
      const another = await startTestServer({
        databaseUrl: other.url,
        datasets: [Orders],
        env: { REDIS_URL: redis.url },
      })
      stops.push(() => another.stop())
      expect(await countOrders(another.url)).toBe(48)
    })
  })

  describe('without Redis', () => {
    it('comes from memory, and is replaced at once by a refresh of another process', async () => {
      const server = await serve()
      const { data } = await server.ask(REPORT)
      server.statements.clear()
      const again = await server.ask(REPORT)
      expect({ status: cacheStatus(again), data: again.data }).toEqual({
        status: 'aggregraph; hit; detail=response',
        data,
      })
      // The version is read from Postgres; no rollup is.
      const others = server.statements.statements.filter(
        ({ sql }) => ![VERSIONS, LIMITS, GREETINGS].some((known) => known.test(sql)),
      )
      expect(others).toEqual([])

      for (let orders = 49; orders < 52; orders += 1) {
        await placeOrder(database)
        await refreshFromOutside(database.url, [Orders])
        const answers = await Promise.all([1, 2, 3].map(() => countOrders(server.url)))
        expect(answers).toEqual(answers.map(() => orders))
      }
    })
  })
})
