import { count, Dataset, Dimension, Measure, sum } from '../../src/index'
import { layoutId } from '../../src/storage/rollup-table'
import { ALWAYS } from '../../src/time/stretch'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { findDifferences, openRefresher, type Refresher, readLayout, stopServing } from '../support/refresher'
import { startTestServer, type TestServer } from '../support/server'
import { createShop, placeOrder } from '../support/shop'

/** Servers look for changes of their own accord only after the tests. */
const REFRESH = { every: '24h', capture: 'trigger' } as const

function declareOld() {
  @Dataset({ source: 'orders', time: 'at', refresh: REFRESH, rollups: [{ by: [], granularity: 'day' }] })
  class Orders {
    @Dimension() country!: string | null
    @Dimension() paid!: boolean
    @Measure(count()) orders!: number
  }
  return Orders
}

/** The next release: another measure, one dimension less, other rollups. */
function declareNew(value = 'amount') {
  @Dataset({ source: 'orders', time: 'at', refresh: REFRESH, rollups: [{ by: ['country'], granularity: 'month' }] })
  class Orders {
    @Dimension() country!: string | null
    @Measure(count()) orders!: number
    @Measure(sum({ sql: value })) revenue!: number
  }
  return Orders
}

const OLD = declareOld()
const NEW = declareNew()
const TOTALS = '{ orders { meta { version } totals { orders } } }'

interface Totals {
  readonly orders: { readonly meta: { readonly version: string }; readonly totals: { readonly orders: number } }
}

let database: TestDatabase
let refresher: Refresher
let servers: TestServer[]

beforeEach(async () => {
  servers = []
  database = await createTestDatabase()
  await createShop(database)
  refresher = await openRefresher(database.url)
})
afterEach(async () => {
  for (const server of servers) await server.stop()
  await refresher?.close()
  await database?.drop()
})

async function serve(dataset: object): Promise<TestServer> {
  const server = await startTestServer({ databaseUrl: database.url, datasets: [dataset] })
  servers.push(server)
  return server
}

async function ask(server: TestServer): Promise<{ readonly seq: number; readonly orders: number }> {
  const { data, errors } = await server.ask<Totals>(TOTALS)
  expect(errors).toBeUndefined()
  if (data === undefined) throw new Error('No answer')
  return { seq: Number.parseInt(data.orders.meta.version, 10), orders: data.orders.totals.orders }
}

const layoutOf = async (dataset: object) => readLayout(database, await refresher.define(dataset))
const differencesOf = async (dataset: object) => findDifferences(database, await refresher.define(dataset))

async function countMarks(): Promise<unknown> {
  const [row] = await database.query('SELECT count(*)::integer AS marks FROM aggregraph.dirty')
  return row?.marks
}

describe('an old and a new release at once', () => {
  it('are both kept current by the refreshes of either, each on its own version', async () => {
    const [before, after] = [await serve(OLD), await serve(NEW)]
    const [first, second] = [await ask(before), await ask(after)]
    expect([first.orders, second.orders]).toEqual([48, 48])
    await placeOrder(database)
    await refresher.refresh(OLD)
    expect(await ask(before)).toEqual({ seq: first.seq + 1, orders: 49 })
    expect(await ask(after)).toEqual({ seq: second.seq + 1, orders: 49 })
    await placeOrder(database)
    await refresher.refresh(NEW)
    expect(await ask(before)).toEqual({ seq: first.seq + 2, orders: 50 })
    expect(await ask(after)).toEqual({ seq: second.seq + 2, orders: 50 })
    // A change of what one of them does not look at is a change of the other alone.
    await database.query('UPDATE orders SET paid = NOT paid WHERE amount = 7')
    await refresher.refresh(NEW)
    expect(await ask(before)).toEqual({ seq: first.seq + 3, orders: 50 })
    expect(await ask(after)).toEqual({ seq: second.seq + 2, orders: 50 })
    expect([await differencesOf(OLD), await differencesOf(NEW)]).toEqual([[], []])
  })

  it('serve the new one only once all of it is built', async () => {
    const before = await serve(OLD)
    const stop = ({ label }: { readonly label: string }) => {
      if (label.startsWith('building slice 3')) throw new Error('Stopped')
    }
    await database.query('ANALYZE orders')
    await expect(refresher.refresh(NEW, { sliceRows: 10, onProgress: stop })).rejects.toThrow('Stopped')
    expect(await layoutOf(NEW)).toMatchObject({ isReady: false, builtFrom: expect.stringMatching(/^2026-03-0/) })
    expect(await ask(before)).toMatchObject({ orders: 48 })
    const after = await serve(NEW)
    expect(await layoutOf(NEW)).toMatchObject({ isReady: true, builtFrom: '-infinity', lastError: null })
    expect(await ask(after)).toMatchObject({ orders: 48 })
  })
})

describe('a layout whose SQL fails', () => {
  it('while it is built leaves the other serving, and says why until it can be built', async () => {
    const wrong = declareNew('100 / (amount - 5)')
    const before = await serve(OLD)
    await expect(refresher.refresh(wrong)).rejects.toThrow(
      'Orders: its source cannot be read as declared: division by zero.',
    )
    const failed = { isReady: false, lastError: expect.stringContaining('division by zero') }
    expect(await layoutOf(wrong)).toMatchObject(failed)
    await placeOrder(database)
    await refresher.refresh(OLD)
    expect(await ask(before)).toMatchObject({ orders: 49 })
    expect(await layoutOf(wrong)).toMatchObject(failed)
    await database.query('DELETE FROM orders WHERE amount = 5')
    await refresher.refresh(wrong)
    expect(await layoutOf(wrong)).toMatchObject({ isReady: true, lastError: null })
    expect(await differencesOf(wrong)).toEqual([])
  })

  it('after a column went leaves the other current, and is computed whole when it can be again', async () => {
    const [before, after] = [await serve(OLD), await serve(NEW)]
    const old = await refresher.define(OLD)
    await database.query('ALTER TABLE orders DROP COLUMN paid')
    await database.query(`INSERT INTO orders VALUES ('2026-03-01 10:30Z', 'ES', 7)`)
    await refresher.refresh(NEW)
    expect((await ask(after)).orders).toBe(49)
    expect((await ask(before)).orders).toBe(48)
    expect(await readLayout(database, old)).toMatchObject({
      isReady: true,
      isBehind: true,
      lastError: expect.stringContaining('paid'),
    })
    await database.query('ALTER TABLE orders ADD COLUMN paid boolean NOT NULL DEFAULT true')
    await refresher.refresh(NEW)
    expect(await readLayout(database, old)).toMatchObject({ isBehind: false, lastError: null })
    expect((await ask(before)).orders).toBe(49)
    expect([await differencesOf(OLD), await differencesOf(NEW)]).toEqual([[], []])
  })
})

describe('a layout that nobody has served for an hour', () => {
  beforeEach(async () => {
    await refresher.refresh(OLD)
    await refresher.refresh(NEW)
    await stopServing(database, await refresher.define(OLD))
  })

  it('does not follow changes, is not served as it is, and is computed anew for the release that comes back', async () => {
    const left = await layoutOf(OLD)
    await placeOrder(database)
    await refresher.refresh(NEW)
    const lapsed = await layoutOf(OLD)
    expect(lapsed).toMatchObject({ isReady: false, isBehind: true, seq: Number(left?.seq) + 1 })
    expect(await differencesOf(OLD)).not.toEqual([])
    // Told once: it grows no further with every change that it does not follow.
    await placeOrder(database)
    await refresher.refresh(NEW)
    expect(await layoutOf(OLD)).toEqual(lapsed)
    const server = await serve(OLD)
    expect((await ask(server)).orders).toBe(50)
    expect(await layoutOf(OLD)).toMatchObject({ isReady: true, isBehind: false })
    expect([await differencesOf(OLD), await differencesOf(NEW)]).toEqual([[], []])
  })

  it('is told to readers like any other new version when it does not follow a change', async () => {
    const left = await layoutOf(OLD)
    const old = layoutId(await refresher.define(OLD))
    const told: unknown[] = []
    await placeOrder(database)
    await refresher.refresh(NEW, {
      register: {
        prepare: async (_, topic, { seq }, stretches) => {
          if (topic !== old) return true
          const [lock] = await database.query(
            `SELECT count(*)::integer AS held FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock'
               AND classid = 411774 AND objid = hashtext($1)::bigint & 4294967295 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
            [old],
          )
          told.push({ seq, stretches, isLocked: lock?.held === 1, isCommitted: (await layoutOf(OLD))?.seq === seq })
          return true
        },
        publish: async (_, topic, { version, data }) => {
          if (topic === old) told.push({ seq: version.seq, isReady: data.isReady })
          return true
        },
      },
    })
    const seq = Number(left?.seq) + 1
    expect(told).toEqual([
      { seq, stretches: [ALWAYS], isLocked: true, isCommitted: false },
      { seq, isReady: false },
    ])
    expect(await layoutOf(OLD)).toMatchObject({ seq, isReady: false })
  })

  it('is served as it is when nothing has changed meanwhile', async () => {
    const left = await layoutOf(OLD)
    await refresher.refresh(NEW)
    expect(await layoutOf(OLD)).toMatchObject({ isReady: true, isBehind: false, seq: left?.seq })
  })
})

describe('a layout of a newer release', () => {
  const NEWER = 'A newer release serves "orders" and refreshes it for every release. This one leaves it alone.'
  const raiseFormat = (id: string) =>
    database.query(`UPDATE aggregraph.layout SET recipe = jsonb_set(recipe, '{format}', '99') WHERE id LIKE $1`, [id])
  const readFormats = () => database.query(`SELECT recipe->>'format' AS format FROM aggregraph.layout ORDER BY 1`)

  it.each([
    ['beside the own one', NEW],
    ['of the same definition', OLD],
  ])('%s is left alone, with its marks', async (_, dataset) => {
    await refresher.refresh(OLD)
    await refresher.refresh(NEW)
    await raiseFormat(`orders:${(await refresher.define(dataset)).hash}`)
    const formats = await readFormats()
    await placeOrder(database)
    expect(await countMarks()).toBe(1)
    await expect(refresher.refresh(OLD)).rejects.toThrow(NEWER)
    expect(await countMarks()).toBe(1)
    expect(await readFormats()).toEqual(formats)
    expect((await layoutOf(OLD))?.lastError).toBe(NEWER)
  })
})
