import { Client } from 'pg'
import { count, Dataset, Dimension, Measure, sum } from '../../src/index'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { refreshFromOutside } from '../support/refresh'
import { startTestServer, type TestServer } from '../support/server'
import { createShop, Orders, placeOrder } from '../support/shop'

/** Local days of a zone, and months of another built from them where they can be. */
@Dataset({
  source: 'readings',
  time: 'at',
  timezone: 'Europe/Madrid',
  refresh: 'manual',
  rollups: [
    { by: ['place'], granularity: 'day' },
    { by: [], granularity: 'month', timezone: 'America/New_York' },
  ],
})
class Readings {
  @Dimension() place!: string | null
  @Measure(count()) readings!: number
  @Measure(sum('level')) level!: number
}

const NOW = Date.parse('2026-03-05T12:00:00Z')
const TOTALS = '{ orders { meta { version dataAsOf } totals { orders revenue } } }'

interface Totals {
  readonly orders: {
    readonly meta: { version: string; dataAsOf: string }
    readonly totals: { orders: number; revenue: number }
  }
}

describe('a refresh', () => {
  let database: TestDatabase
  let server: TestServer

  beforeEach(async () => {
    database = await createTestDatabase()
    await createShop(database)
    server = await startTestServer({ databaseUrl: database.url, datasets: [Orders], clock: () => NOW })
  })
  afterEach(async () => {
    await server?.stop()
    await database?.drop()
  })

  const ask = async () => {
    const { data, errors } = await server.ask<Totals>(TOTALS)
    expect(errors).toBeUndefined()
    if (data === undefined) throw new Error('No answer')
    return data.orders
  }

  it('that finds nothing new keeps the version and says when it looked', async () => {
    const before = await ask()
    const [outcome] = await refreshFromOutside(database.url, [Orders])
    const after = await ask()
    expect(outcome?.hasChanged).toBe(false)
    expect(after.meta.version).toBe(before.meta.version)
    expect(Date.parse(after.meta.dataAsOf)).toBeGreaterThan(Date.parse(before.meta.dataAsOf))
    expect(after.totals).toEqual(before.totals)
  })

  it('writes only the rows that differ, and raises the version once', async () => {
    const [table] = await database.query(`SELECT table_name FROM aggregraph.rollup WHERE position = 0`)
    const rollup = `aggregraph."${table?.table_name}"`
    const placesBefore = await database.query(`SELECT ctid::text AS place FROM ${rollup}`)
    const before = await ask()
    await placeOrder(database)
    await database.query(`DELETE FROM orders WHERE amount = 48`)
    await refreshFromOutside(database.url, [Orders])
    const placesAfter = await database.query(`SELECT ctid::text AS place FROM ${rollup}`)
    const kept = placesAfter.filter(({ place }) => placesBefore.some((row) => row.place === place))
    // Of 48 rows one was deleted and one written anew.
    expect([placesBefore.length, placesAfter.length, kept.length]).toEqual([48, 47, 46])
    const after = await ask()
    expect(Number.parseInt(after.meta.version, 10)).toBe(Number.parseInt(before.meta.version, 10) + 1)
    expect(after.totals).toEqual({ orders: 48, revenue: before.totals.revenue + 1000 - 48 })
  })

  it('works beside another on the same dataset', async () => {
    await placeOrder(database)
    const outcomes = await Promise.all([1, 2, 3].map(() => refreshFromOutside(database.url, [Orders])))
    expect(
      outcomes
        .flat()
        .map(({ hasChanged }) => hasChanged)
        .sort(),
    ).toEqual([false, false, true])
    expect((await ask()).totals.orders).toBe(49)
  })

  it('whose connection is cut changes nothing, and runs again', async () => {
    const before = await ask()
    await placeOrder(database)
    const blocker = new Client({ connectionString: database.url })
    await blocker.connect()
    // The refresh waits for the rollup at its first write, in the middle of its transaction.
    await blocker.query('BEGIN')
    const [table] = await database.query(`SELECT table_name FROM aggregraph.rollup WHERE position = 0`)
    await blocker.query(`LOCK TABLE aggregraph."${table?.table_name}" IN SHARE MODE`)
    const refreshing = refreshFromOutside(database.url, [Orders])
    const refused = expect(refreshing).rejects.toThrow()
    let ended = 0
    while (ended === 0) {
      const killed = await database.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'WITH n AS%'`)
      ended = killed.length
    }
    await refused
    await blocker.query('ROLLBACK')
    await blocker.end()
    expect((await ask()).totals).toEqual(before.totals)
    await refreshFromOutside(database.url, [Orders])
    expect((await ask()).totals.orders).toBe(49)
  })
})

describe('rollups', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createTestDatabase()
    await database.query('CREATE TABLE readings (at timestamptz, place text, level integer)')
    await database.query(`INSERT INTO readings SELECT '2026-03-01Z'::timestamptz + i * interval '37 minutes', 'p' || i % 3, i
      FROM generate_series(0, 2000) AS i`)
  })
  afterAll(() => database.drop())

  it('keep the local days and months of their zone, clock changes included', async () => {
    await database.query(`INSERT INTO readings VALUES (NULL, 'p0', 1), ('infinity', 'p0', 1)`)
    const [outcome] = await refreshWithMigration(database.url)
    expect(outcome).toMatchObject({ sourceRows: 2003, rowsWithoutTime: 2 })
    const tables = await database.query('SELECT position, table_name FROM aggregraph.rollup ORDER BY position')
    const rowsOf = (position: number, columns: string) =>
      database.query(`SELECT ${columns} FROM aggregraph."${tables[position]?.table_name}" ORDER BY 1, 2`)
    const columns = 'extract(epoch from bucket)::text AS at'
    expect(await rowsOf(1, `${columns}, place, readings_count::text AS n`)).toEqual(
      await database.query(`SELECT extract(epoch from date_trunc('day', at, 'Europe/Madrid'))::text AS at, place, count(*)::text AS n
        FROM readings WHERE isfinite(at) GROUP BY 1, 2 ORDER BY 1, 2`),
    )
    expect(await rowsOf(2, `${columns}, readings_count::text AS n`)).toEqual(
      await database.query(`SELECT extract(epoch from date_trunc('month', at, 'America/New_York'))::text AS at, count(*)::text AS n
        FROM readings WHERE isfinite(at) GROUP BY 1 ORDER BY 1, 2`),
    )
  })

  it('of a text too long for an index are kept without the index', async () => {
    await database.query(
      `INSERT INTO readings SELECT '2026-03-01Z', string_agg(md5(i::text), ''), 5 FROM generate_series(1, 400) AS i`,
    )
    await refreshWithMigration(database.url)
    const server = await startTestServer({ databaseUrl: database.url, datasets: [Readings], clock: () => NOW })
    try {
      const { data, errors } = await server.ask(
        '{ readings(where: { place: { contains: "C4CA4238a0b9" } }) { totals { readings level } } }',
      )
      expect(errors).toBeUndefined()
      expect(data).toEqual({ readings: { totals: { readings: 1, level: 5 } } })
    } finally {
      await server.stop()
    }
  })
})

/** Starts a server once, which migrates and builds, then refreshes from outside. */
async function refreshWithMigration(databaseUrl: string) {
  const server = await startTestServer({ databaseUrl, datasets: [Readings], clock: () => NOW })
  await server.stop()
  return refreshFromOutside(databaseUrl, [Readings])
}
