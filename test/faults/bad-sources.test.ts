import { RefreshError } from '../../src/errors'
import { count, Dataset, Dimension, Measure, sum } from '../../src/index'
import { openRefresher, readCells, readMarks, readTruth, refreshOne, type TestRefresher } from '../support/captured'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { eventually } from '../support/eventually'
import { startTestServer, type TestServer } from '../support/server'
import { createShop } from '../support/shop'

// No turn comes in the time of a test: the tests themselves refresh.
const refresh = { every: '7d', capture: 'trigger' } as const

@Dataset({ source: 'orders', time: 'at', refresh })
class Orders {
  @Measure(count()) orders!: number
  @Measure(sum('amount')) revenue!: number
}

@Dataset({ source: 'visits', time: 'at', refresh })
class Visits {
  @Measure(count()) visits!: number
}

let database: TestDatabase
beforeEach(async () => {
  database = await createTestDatabase()
  await createShop(database)
  await database.query(`CREATE TABLE visits (at timestamptz); INSERT INTO visits VALUES ('2026-03-01Z')`)
})
afterEach(() => database?.drop())

const readError = async () =>
  (await database.query(`SELECT last_error FROM aggregraph.layout WHERE dataset = 'orders'`))[0]?.last_error

describe('a source that goes bad while a server runs', () => {
  let server: TestServer
  let refreshers: Record<'orders' | 'visits', TestRefresher>

  beforeEach(async () => {
    server = await startTestServer({ databaseUrl: database.url, datasets: [Orders, Visits] })
    refreshers = {
      orders: await openRefresher(database.url, Orders),
      visits: await openRefresher(database.url, Visits),
    }
  })
  afterEach(async () => {
    await refreshers.orders.close()
    await refreshers.visits.close()
    await server.stop()
  })

  const ask = async () => {
    const { data, errors } = await server.ask('{ orders { totals { orders revenue } } visits { totals { visits } } }')
    return errors ?? data
  }
  const answer = (orders: number, revenue: number, visits: number) => ({
    orders: { totals: { orders, revenue } },
    visits: { totals: { visits } },
  })
  /** The versions of the register reach a server within a second. */
  const answers = (expected: object) =>
    eventually(async () => {
      expect(await ask()).toEqual(expected)
      return true
    })

  it.each([
    ['is renamed', 'ALTER TABLE orders RENAME TO hidden', 'ALTER TABLE hidden RENAME TO orders'],
    [
      'is moved',
      'CREATE SCHEMA attic; ALTER TABLE orders SET SCHEMA attic',
      'ALTER TABLE attic.orders SET SCHEMA public',
    ],
    ['loses its time', 'ALTER TABLE orders RENAME at TO gone', 'ALTER TABLE orders RENAME gone TO at'],
    ['loses a column', 'ALTER TABLE orders RENAME amount TO gone', 'ALTER TABLE orders RENAME gone TO amount'],
    [
      'gets another type',
      'ALTER TABLE orders ALTER amount TYPE text',
      'ALTER TABLE orders ALTER amount TYPE integer USING amount::integer',
    ],
  ])('%s: the error names it, all serve on, and nothing is lost once it is put back', async (_, spoil, repair) => {
    await database.query(`INSERT INTO orders VALUES ('2026-03-01 00:30Z', 'ES', true, 1000)`)
    await database.query(`${spoil}; INSERT INTO visits VALUES ('2026-03-01Z')`)
    const refused = refreshers.orders.refresh()
    await expect(refused).rejects.toThrow(RefreshError)
    await expect(refused).rejects.toThrow(/^Orders: .*(orders|at|amount|sum)/)
    expect(await readError()).toMatch(/^Orders: /)
    await refreshers.visits.refresh()
    await answers(answer(48, 1176, 2))

    await database.query(repair)
    await database.query(`INSERT INTO orders VALUES ('2026-03-02 00:30Z', 'ES', true, 2000)`)
    await refreshers.orders.refresh()
    await answers(answer(50, 4176, 2))
    expect(await readError()).toBeNull()
  })

  it('is replaced by a view goes on, but is not exact until it is a table again', async () => {
    const readExact = async () =>
      (await database.query(`SELECT is_exact FROM aggregraph.layout WHERE dataset = 'orders'`))[0]?.is_exact
    await database.query('ALTER TABLE orders RENAME TO stored; CREATE VIEW public.orders AS TABLE stored')
    await database.query('DELETE FROM orders WHERE amount > 40')
    await refreshers.orders.refresh()
    await answers(answer(40, 820, 1))
    expect(await readExact()).toBe(false)
    await database.query('DROP VIEW orders; ALTER TABLE stored RENAME TO orders; DELETE FROM orders WHERE amount > 30')
    await refreshers.orders.refresh()
    await answers(answer(30, 465, 1))
    expect(await readExact()).toBe(true)
  })

  it('is dropped, and made again: what it holds then is taken over', async () => {
    await database.query('CREATE TABLE public.spare AS TABLE orders; DROP TABLE orders')
    await expect(refreshers.orders.refresh()).rejects.toThrow(/^Orders: its source table public\.orders does not exist/)
    await answers(answer(48, 1176, 1))
    await database.query('ALTER TABLE spare RENAME TO orders; DELETE FROM orders WHERE amount > 40')
    await refreshers.orders.refresh()
    await answers(answer(40, 820, 1))
    await database.query('DELETE FROM orders WHERE amount > 30')
    await refreshers.orders.refresh()
    await answers(answer(30, 465, 1))
  })
})

describe('a role that may not', () => {
  let role: string
  let url: string

  beforeEach(async () => {
    role = `refresher_${new URL(database.url).pathname.slice(-12)}`
    const login = new URL(database.url)
    login.username = role
    login.password = 'secret'
    url = login.href
    await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`)
    await database.query(`GRANT CREATE ON DATABASE ${login.pathname.slice(1)} TO ${role}`)
  })
  afterEach(() => database.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`))

  it('create triggers is told so, and of the other modes; all comes right once it may', async () => {
    await database.query(`GRANT SELECT ON orders TO ${role}`)
    const refused = refreshOne(url, Orders)
    await expect(refused).rejects.toThrow(RefreshError)
    await expect(refused).rejects.toThrow(
      /^Orders: .*right to create triggers on public\.orders.*GRANT TRIGGER ON public\.orders.*updatedAt, lookback or "manual"/,
    )
    expect(await readError()).toContain('GRANT TRIGGER')
    await database.query(`GRANT TRIGGER ON orders TO ${role}`)
    await refreshOne(url, Orders)
    expect(await readCells(database)).toEqual(await readTruth(database, 'orders'))
    // What the triggers need to run belongs to their owner, not to who fires them.
    await database.query('UPDATE orders SET amount = 0')
    await refreshOne(url, Orders)
    expect(await readCells(database)).toEqual(await readTruth(database, 'orders'))
  })

  it('read the source any more keeps what it has, says so, and catches up', async () => {
    await database.query(`GRANT SELECT, TRIGGER ON orders TO ${role}`)
    const refresher = await openRefresher(url, Orders)
    try {
      await refresher.refresh()
      await database.query(`REVOKE SELECT ON orders FROM ${role}; UPDATE orders SET amount = 1`)
      await expect(refresher.refresh()).rejects.toThrow(/^Orders: .*permission denied for table orders/)
      expect(await readError()).toContain('permission denied')
      expect((await readCells(database))[1]).toBe('2026-03-01 01:00 1 2')
      await database.query(`GRANT SELECT ON orders TO ${role}`)
      await refresher.refresh()
    } finally {
      await refresher.close()
    }
    expect(await readCells(database)).toEqual(await readTruth(database, 'orders'))
  })
})

/** Days of a place whose clocks change, built into weeks. */
@Dataset({
  source: 'moments',
  time: 'at',
  timezone: 'America/Santiago',
  granularity: 'day',
  refresh,
  rollups: [{ by: ['kind'], granularity: 'week' }],
})
class Moments {
  @Dimension() kind!: string
  @Measure(count()) orders!: number
  @Measure(sum('amount')) revenue!: number
}

describe('times far from now', () => {
  const IN_ZONE = `date_trunc('day', at, 'America/Santiago')`

  async function buildAndRefresh(type: string, bucket: string): Promise<void> {
    await database.query(`CREATE TABLE moments (at ${type}, kind text NOT NULL, amount integer)`)
    const insert = async (texts: readonly (string | null)[]) => {
      for (const text of texts) await database.query(`INSERT INTO moments VALUES ($1, 'a', 1)`, [text])
    }
    const instant = {
      timestamptz: 'at',
      timestamp: `at AT TIME ZONE 'America/Santiago'`,
      date: `at::timestamp AT TIME ZONE 'UTC'`,
    }[type]
    const usable = `(SELECT ${instant} AS at, amount FROM moments WHERE at >= '0001-01-03' AND at < '9998-12-31')`
    await insert(['0001-01-03', '9998-12-29', '2026-03-01', null, 'infinity'])
    const began = performance.now()
    expect(await refreshOne(database.url, Moments)).toMatchObject({ sourceRows: 5, rowsWithoutTime: 2 })
    expect(await readCells(database)).toEqual(await readTruth(database, usable, bucket))
    await insert(['1500-06-01', '4713-01-02 BC', '20000-12-31', '-infinity', '9999-06-01', '7777-07-07'])
    expect(await refreshOne(database.url, Moments)).toMatchObject({ sourceRows: 11, rowsWithoutTime: 6 })
    expect(await readCells(database)).toEqual(await readTruth(database, usable, bucket))
    expect(performance.now() - began).toBeLessThan(10_000)
  }

  it('in a date column get days and weeks from the year 1 to 9998, and those beyond are counted', () =>
    buildAndRefresh('date', `date_trunc('day', at, 'UTC')`))

  it.each(['timestamptz', 'timestamp'])(
    'in a %s column get local days and weeks from the year 1 to 9998, and those beyond are counted',
    (type) => buildAndRefresh(type, IN_ZONE),
  )

  it.each([
    ['timestamp', '294276-12-31 23:59:59'],
    ['date', '5874897-12-31'],
  ])('that are no instants do not keep a %s column from being written to', async (type, last) => {
    await database.query(`CREATE TABLE moments (at ${type}, kind text NOT NULL, amount integer)`)
    await refreshOne(database.url, Moments)
    await database.query(`INSERT INTO moments VALUES ('${last}', 'a', 1), ('2026-03-01', 'a', 1)`)
    await database.query('UPDATE moments SET amount = 2')
    await database.query('DELETE FROM moments WHERE amount = 1')
    expect((await readMarks(database))[1]).toBe('timeless')
  })

  // Whether a row has a bucket is asked of its instant, which it has not.
  it.each([
    ['timestamp', '294276-12-31 23:59:59'],
    ['date', '5874897-12-31'],
  ])('that are no instants are counted in a %s column', async (type, last) => {
    await database.query(`CREATE TABLE moments (at ${type}, kind text NOT NULL, amount integer)`)
    await database.query(`INSERT INTO moments VALUES ('${last}', 'a', 1), ('2026-03-01', 'a', 1)`)
    expect(await refreshOne(database.url, Moments)).toMatchObject({ sourceRows: 2, rowsWithoutTime: 1 })
  })
})
