import { avg, count, Dataset, Dimension, Measure, max, ratio, sum } from '../../src/index'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { startTestServer, type TestServer } from '../support/server'

@Dataset({ description: 'Orders of a shop', source: 'orders', time: 'at', refresh: 'manual' })
class Orders {
  @Dimension() country!: string | null
  @Dimension() paid!: boolean
  @Measure(count()) orders!: number
  @Measure(sum('amount'), { unit: 'EUR' }) revenue!: number
  @Measure(count({ where: 'paid' })) paidOrders!: number
  @Measure(avg('amount')) averageAmount!: number | null
  @Measure(max('amount')) largest!: number | null
  @Measure(ratio('paidOrders', 'orders'), { format: 'percent' }) paidShare!: number | null
}

describe('a report', () => {
  let database: TestDatabase
  let server: TestServer

  beforeAll(async () => {
    database = await createTestDatabase()
    await database.query(
      'CREATE TABLE orders (at timestamptz NOT NULL, country text, paid boolean NOT NULL, amount integer)',
    )
    await database.query(`INSERT INTO orders VALUES
      ('2026-03-01 10:15Z', 'ES', true, 10), ('2026-03-01 10:45Z', 'ES', false, 30),
      ('2026-03-02 08:00Z', 'FR', true, 5), ('2026-03-04 23:30Z', NULL, true, NULL)`)
    server = await startTestServer({ databaseUrl: database.url, datasets: [Orders] })
  })
  afterAll(async () => {
    await server?.stop()
    await database?.drop()
  })

  it('answers totals, series, a breakdown with the rest, and a comparison from one version', async () => {
    const { data, errors } = await server.ask(`{
      orders(range: { between: { from: "2026-03-01", to: "2026-03-05" } }) {
        id
        meta { from to timezone version stale }
        totals { orders revenue averageAmount largest paidShare }
        series(granularity: DAY) { start date partial measures { orders averageAmount } }
        breakdown(by: [COUNTRY], first: 1) {
          totalCount
          nodes { key country measures { orders } series(granularity: DAY) { date measures { orders } } compare(to: PREVIOUS_PERIOD) { orders largest } }
          pageInfo { hasNextPage endCursor }
          other { measures { orders revenue } series(granularity: DAY) { measures { orders } } }
        }
        compare(to: PREVIOUS_PERIOD) { meta { from to } totals { orders averageAmount } }
      }
    }`)
    expect(errors).toBeUndefined()
    expect(data).toMatchSnapshot({
      orders: {
        id: expect.any(String),
        meta: { version: expect.any(String) },
        breakdown: { pageInfo: { endCursor: expect.any(String) } },
      },
    } as never)
  })
})
