import { DeclarationError } from '../../src/errors'
import { count, Dataset, Dimension, Measure, sum } from '../../src/index'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { eventually } from '../support/eventually'
import { refreshFromOutside } from '../support/refresh'
import { startTestServer, type TestServer } from '../support/server'
import { createShop, Orders, placeOrder } from '../support/shop'

@Dataset({ source: 'nowhere', time: 'at', refresh: 'manual' })
class Lost {
  @Dimension() place!: string
  @Measure(count()) rows!: number
}

@Dataset({ source: 'orders', time: 'placed_at', refresh: 'manual' })
class Mistyped {
  @Dimension() town!: string
  @Measure(sum('price')) revenue!: number
}

/** Its view fails on some rows. */
@Dataset({ source: 'shares', time: 'at', refresh: 'manual' })
class Shares {
  @Measure(sum('share')) share!: number
}

const TOTAL = '{ orders { totals { orders } } }'

describe('a source', () => {
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
  async function serve(datasets: readonly object[], waits = true): Promise<TestServer> {
    const server = await startTestServer({ databaseUrl: database.url, datasets, waits })
    stops.push(() => server.stop())
    return server
  }
  const readReadiness = async (server: TestServer) => {
    const response = await fetch(`${server.url}/readyz`)
    return { status: response.status, body: (await response.json()) as { status: string; reasons: readonly string[] } }
  }

  it('that is missing keeps the server from starting, and every fault of every dataset is told', async () => {
    const refusal = await startTestServer({ databaseUrl: database.url, datasets: [Lost, Orders, Mistyped] }).then(
      () => null,
      (error: unknown) => error,
    )
    expect(refusal).toBeInstanceOf(DeclarationError)
    const { faults } = refusal as DeclarationError
    const subjects = faults.map(({ subject }) => subject)
    expect(subjects).toEqual(expect.arrayContaining(['Lost', 'Mistyped.town', 'Mistyped.revenue']))
    expect(String(refusal)).toContain('nowhere')
    expect(String(refusal)).toContain('placed_at')
    expect(subjects.filter((subject) => subject.startsWith('Orders'))).toEqual([])
  })

  it('that is dropped later fails its refresh with the reason, and what was built is still served', async () => {
    const server = await serve([Orders])
    await database.query('DROP TABLE orders')
    await expect(refreshFromOutside(database.url, [Orders])).rejects.toThrow(/orders.*(not exist|not there|no table)/i)
    const { response, data } = await server.ask(TOTAL)
    expect({ status: response.status, data }).toEqual({ status: 200, data: { orders: { totals: { orders: 48 } } } })
    expect((await readReadiness(server)).body).toEqual({ status: 'ready', reasons: [] })

    await createShop(database)
    await placeOrder(database)
    await refreshFromOutside(database.url, [Orders])
    expect((await server.ask(TOTAL)).data).toEqual({ orders: { totals: { orders: 49 } } })
  })

  it('whose rows fail a refresh leaves the last version as it was, and the reason is kept', async () => {
    await database.query('CREATE VIEW shares AS SELECT at, 100 / amount AS share FROM orders')
    const server = await serve([Shares])
    const before = await server.ask('{ shares { meta { version } totals { share } } }')
    await database.query("INSERT INTO orders VALUES ('2026-03-01', 'ES', true, 0)")
    await expect(refreshFromOutside(database.url, [Shares])).rejects.toThrow('division by zero')
    expect((await server.ask('{ shares { meta { version } totals { share } } }')).data).toEqual(before.data)
    expect(await database.query('SELECT dataset, last_error FROM aggregraph.layout')).toEqual([
      { dataset: 'shares', last_error: expect.stringContaining('division by zero') },
    ])

    await database.query('DELETE FROM orders WHERE amount = 0')
    await refreshFromOutside(database.url, [Shares])
    expect(await database.query('SELECT last_error FROM aggregraph.layout')).toEqual([{ last_error: null }])
  })

  it('that cannot be built leaves the datasets after it alone, and is tried again', async () => {
    await database.query('CREATE VIEW shares AS SELECT at, 100 / (amount - 1) AS share FROM orders')
    const server = await serve([Shares, Orders], false)
    const readiness = await eventually(async () => {
      const now = await readReadiness(server)
      return now.body.reasons.length === 1 && now.status === 200 ? now : null
    })
    expect(readiness.body).toEqual({
      status: 'degraded',
      reasons: ['The rollups of "shares" cannot be built; the log says why.'],
    })
    expect((await server.ask(TOTAL)).data).toEqual({ orders: { totals: { orders: 48 } } })
    const both = await server.ask('{ shares { totals { share } } orders { totals { orders } } }')
    expect({ status: both.response.status, data: both.data, code: both.errors?.[0]?.extensions.code }).toEqual({
      status: 200,
      data: { shares: null, orders: { totals: { orders: 48 } } },
      code: 'DATASET_NOT_READY',
    })
    const alone = await server.ask('{ shares { totals { share } } }')
    expect({ status: alone.response.status, code: alone.errors?.[0]?.extensions.code }).toEqual({
      status: 503,
      code: 'DATASET_NOT_READY',
    })

    await database.query('DELETE FROM orders WHERE amount = 1')
    await eventually(async () => ((await readReadiness(server)).body.status === 'ready' ? true : null))
    expect((await server.ask('{ shares { totals { share } } }')).response.status).toBe(200)
  })
})
