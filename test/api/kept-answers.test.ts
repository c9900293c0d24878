import { createTestDatabase, type TestDatabase } from '../support/database'
import { type Redis, startRedis } from '../support/redis'
import { refreshFromOutside } from '../support/refresh'
import { startTestServer, type TestServer } from '../support/server'
import { createShop, Orders, placeOrder } from '../support/shop'

const SECOND_DAY = 'range: { between: { from: "2026-03-02", to: "2026-03-03" } }'

interface Report {
  readonly orders: {
    readonly id: string
    readonly meta: { readonly version: string; readonly dataAsOf: string }
    readonly breakdown: { readonly nodes: readonly { readonly compare: { readonly orders: number } }[] }
    readonly compare: { readonly totals: { readonly orders: number } }
  }
}

/** A whole answer that is kept, with Redis and without: only the first day is ever changed. */
describe.each([true, false])('a kept answer, with Redis: %s', (hasRedis) => {
  let database: TestDatabase
  let redis: Redis | null = null
  let server: TestServer

  beforeEach(async () => {
    database = await createTestDatabase()
    await createShop(database)
    redis = hasRedis ? await startRedis() : null
    const env: Record<string, string> = redis === null ? {} : { REDIS_URL: redis.url }
    server = await startTestServer({ databaseUrl: database.url, datasets: [Orders], env })
  })
  afterEach(async () => {
    await server.stop()
    await redis?.stop()
    await database.drop()
  })

  const refresh = () => refreshFromOutside(database.url, [Orders], redis?.url)
  async function ask(query: string) {
    const { data, errors, response } = await server.ask<Report>(query)
    expect(errors).toBeUndefined()
    if (data === undefined) throw new Error('There is no answer')
    return { ...data.orders, status: response.headers.get('cache-status') ?? '' }
  }

  it.each([
    ['a report', `{ orders(${SECOND_DAY}) { id compare(to: PREVIOUS_PERIOD) { totals { orders } } } }`],
    [
      'the groups of a page',
      `{ orders(${SECOND_DAY}, where: { country: { eq: "ES" } }) { id breakdown(by: [COUNTRY]) { nodes { compare(to: PREVIOUS_PERIOD) { orders } } } } }`,
    ],
  ])('is over when only the range changes that %s is compared with', async (_, query) => {
    const compared = (report: Report['orders']) =>
      report.compare?.totals.orders ?? report.breakdown.nodes[0]?.compare.orders ?? 0
    const before = await ask(query)
    expect((await ask(query)).status).toContain('detail=response')
    await placeOrder(database)
    await refresh()
    const after = await ask(query)
    expect(compared(after)).toBe(compared(before) + 1)
    expect(after.id).not.toBe(before.id)
  })

  it('stays, with its id and version, when a refresh changes another time', async () => {
    const query = `{ orders(${SECOND_DAY}) { id meta { version } totals { orders } } }`
    const before = await ask(query)
    await ask(query)
    const later = `INSERT INTO orders VALUES ('2026-03-05 00:30Z', 'ES', true, 1)`
    await database.query(later)
    await refresh()
    const after = await ask(query)
    expect(after).toEqual({ ...before, status: expect.stringContaining('detail=response') })
  })

  it('says when the source was last looked at, in whatever words it is asked', async () => {
    const query = (name: string) => `query ${name} { orders(${SECOND_DAY}) { meta { dataAsOf } totals { orders } } }`
    const before = await ask(query('First'))
    await refresh()
    for (const name of ['Second', 'Second', 'First']) {
      const { meta } = await ask(query(name))
      expect(Date.parse(meta.dataAsOf)).toBeGreaterThan(Date.parse(before.meta.dataAsOf))
    }
  })
})
