import { Client } from 'pg'
import { count, Dataset, Measure, sum } from '../../src/index'
import { readCells, readLayout, readTruth, refreshOne } from '../support/captured'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { eventually } from '../support/eventually'

@Dataset({ source: 'orders', time: 'at', refresh: { every: '10s', updatedAt: 'updated_at' } })
class Updated {
  @Measure(count()) orders!: number
  @Measure(sum('amount')) revenue!: number
}

/** Its clock says local times, some of them twice. */
@Dataset({ source: 'orders', time: 'at', timezone: 'Europe/Madrid', refresh: { every: '10s', updatedAt: 'changed' } })
class LocallyUpdated {
  @Measure(count()) orders!: number
  @Measure(sum('amount')) revenue!: number
}

@Dataset({ source: 'orders', time: 'at', refresh: { every: '10s', lookback: 'P3D' } })
class LookedBack {
  @Measure(count()) orders!: number
  @Measure(sum('amount')) revenue!: number
}

@Dataset({ source: 'orders', time: 'at', refresh: 'manual' })
class Told {
  @Measure(count()) orders!: number
  @Measure(sum('amount')) revenue!: number
}

@Dataset({ source: 'orders', time: 'at', refresh: { every: '10s', capture: 'trigger' } })
class Captured {
  @Measure(count()) orders!: number
  @Measure(sum('amount')) revenue!: number
}

const NOW = Date.parse('2026-03-10T12:00:00Z')
let database: TestDatabase

/** Ten days with an order each, of 1 to 10. */
beforeEach(async () => {
  database = await createTestDatabase()
  await database.query(`CREATE TABLE orders (id integer PRIMARY KEY, at timestamptz, amount integer,
    updated_at timestamptz DEFAULT now(), changed timestamp DEFAULT (now() AT TIME ZONE 'Europe/Madrid'))`)
  await database.query(`INSERT INTO orders
    SELECT i, '2026-03-01 12:30Z'::timestamptz + (i - 1) * interval '1 day', i FROM generate_series(1, 10) AS i`)
})
afterEach(() => database?.drop())

const expectRight = async () => expect(await readCells(database)).toEqual(await readTruth(database, 'orders'))
const readAsOf = async () => (await readLayout(database)).data_as_of as Date

describe('updatedAt', () => {
  const touch = (id: number) => `UPDATE orders SET amount = amount + 100, updated_at = now(),
    changed = now() AT TIME ZONE 'Europe/Madrid' WHERE id = ${id}`

  it.each([
    ['timestamptz', Updated],
    ['local timestamp', LocallyUpdated],
  ])('of type %s takes over new and changed rows', async (_, dataset) => {
    await refreshOne(database.url, dataset, { clock: () => NOW })
    for (const id of [3, 7, 9]) {
      await database.query(touch(id))
      await database.query(`INSERT INTO orders VALUES (${id + 10}, '2026-03-0${id} 20:00Z', 1)`)
      expect(await refreshOne(database.url, dataset)).toMatchObject({ hasChanged: true })
      await expectRight()
    }
    expect(await refreshOne(database.url, dataset)).toMatchObject({ hasChanged: false })
    expect(await readLayout(database)).toMatchObject({
      is_exact: false,
      rebuilt_at: (await readLayout(database)).ready_at,
    })
  })

  it('sees no delete, and no bucket that a row has left, until all is computed anew', async () => {
    await refreshOne(database.url, Updated)
    await database.query('DELETE FROM orders WHERE id = 1')
    await database.query(`UPDATE orders SET at = '2026-04-01Z', updated_at = now() WHERE id = 2`)
    await refreshOne(database.url, Updated)
    const cells = await readCells(database)
    expect([cells[0], cells[1], cells.at(-1)]).toEqual([
      '2026-03-01 12:00 1 1',
      '2026-03-02 12:00 1 2',
      '2026-04-01 00:00 1 2',
    ])
    await refreshOne(database.url, Updated, { full: true })
    await expectRight()
  })

  async function followLongTransaction(first: string): Promise<void> {
    await refreshOne(database.url, Updated)
    const client = new Client(database.url)
    await client.connect()
    try {
      await client.query('BEGIN')
      await client.query(first)
      for (const id of [4, 5, 6]) {
        await database.query(touch(id))
        await refreshOne(database.url, Updated)
        await expectRight()
      }
      await client.query(touch(3))
      await client.query('COMMIT')
    } finally {
      await client.end()
    }
    await refreshOne(database.url, Updated)
    await expectRight()
  }

  it('takes over what a transaction that wrote before several refreshes commits after them', () =>
    followLongTransaction(touch(2)))

  // Its moment is over when it writes first, and it has no number yet that the watermark could wait for.
  it('takes over what a transaction that began before several refreshes writes after them', () =>
    followLongTransaction('SELECT now()'))
})

describe('lookback', () => {
  const refreshNow = () => refreshOne(database.url, LookedBack, { clock: () => NOW })

  it('computes the buckets of its window anew, and no other', async () => {
    await refreshNow()
    await database.query('UPDATE orders SET amount = amount + 100')
    await database.query('DELETE FROM orders WHERE id = 9')
    await database.query(`INSERT INTO orders VALUES (11, '2027-01-01Z', 1)`)
    await refreshNow()
    // Three days before now is noon of the seventh.
    const kept = Array.from({ length: 6 }, (_, index) => `2026-03-0${index + 1} 12:00 1 ${index + 1}`)
    expect((await readCells(database)).slice(0, 6)).toEqual(kept)
    expect((await readCells(database)).slice(6)).toEqual((await readTruth(database, 'orders')).slice(6))
    expect(await readLayout(database)).toMatchObject({ is_exact: false, source_rows: '10' })
    await refreshOne(database.url, LookedBack, { clock: () => NOW, full: true })
    await expectRight()
  })
})

describe('manual', () => {
  it('computes all anew when told to', async () => {
    await refreshOne(database.url, Told)
    await database.query('UPDATE orders SET amount = amount + 100; DELETE FROM orders WHERE id = 1')
    await database.query('INSERT INTO orders VALUES (11, NULL, 1)')
    expect(await refreshOne(database.url, Told)).toMatchObject({ hasChanged: true, rowsWithoutTime: 1 })
    await expectRight()
  })
})

describe('a refresh of a range', () => {
  it.each([
    ['manual', Told],
    ['updatedAt', Updated],
    ['lookback', LookedBack],
  ])('computes its buckets anew and no other, under %s', async (_, dataset) => {
    const clock = () => NOW
    await refreshOne(database.url, dataset, { clock })
    const asOf = await readAsOf()
    await database.query('UPDATE orders SET amount = amount + 100')
    const range = { from: Date.parse('2026-03-03T12:59Z'), to: Date.parse('2026-03-05T12:31Z') }
    await refreshOne(database.url, dataset, { clock, range })
    const sums = (await readCells(database)).map((cell) => Number(cell.split(' ').at(-1)))
    expect(sums).toEqual([1, 2, 103, 104, 105, 6, 7, 8, 9, 10])
    // The rest is as old as it was.
    expect(await readAsOf()).toEqual(asOf)
  })
})

describe('the moment that rollups show', () => {
  it.each([
    ['manual', Told],
    ['updatedAt', Updated],
    ['lookback', LookedBack],
    ['capture', Captured],
  ])('is one at which their source looked like that, under %s', async (_, dataset) => {
    const readClock = async () => (await database.query('SELECT clock_timestamp() AS now'))[0]?.now as Date
    for (const amount of [1, 2]) {
      await database.query(`UPDATE orders SET amount = ${amount}, updated_at = now() WHERE id = 10`)
      const before = await readClock()
      await refreshOne(database.url, dataset, { clock: () => NOW })
      const asOf = await readAsOf()
      expect(asOf.getTime()).toBeGreaterThanOrEqual(before.getTime())
      expect(asOf.getTime()).toBeLessThanOrEqual((await readClock()).getTime())
      await expectRight()
    }
  })

  async function changeBetweenTransactions(dataset: object): Promise<void> {
    const clock = () => NOW
    await refreshOne(database.url, dataset, { clock })
    await database.query('UPDATE orders SET amount = amount + 100, updated_at = now()')
    const LOCK = 77
    await database.query(`CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN PERFORM pg_advisory_xact_lock(${LOCK}); RETURN NEW; END $$;
        CREATE TRIGGER pause BEFORE UPDATE ON aggregraph.layout FOR EACH ROW EXECUTE FUNCTION pause()`)
    const client = new Client(database.url)
    await client.connect()
    try {
      await client.query(`SELECT pg_advisory_lock(${LOCK})`)
      // A transaction for each row, the newest first; it stops at the end of the first.
      const refreshing = refreshOne(database.url, dataset, { clock, sliceRows: 1 })
      await eventually(async () => {
        const waiting = await database.query(
          `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = ${LOCK}`,
        )
        return waiting.length > 0 || null
      })
      const changed = await client.query(
        'UPDATE orders SET amount = -1, updated_at = now() WHERE id = 10 RETURNING now() AS at',
      )
      await client.query(`SELECT pg_advisory_unlock(${LOCK})`)
      await refreshing
      expect((await readCells(database)).at(-1)).toBe('2026-03-10 12:00 1 110')
      expect((await readAsOf()).getTime()).toBeLessThan(changed.rows[0].at.getTime())
    } finally {
      await client.end()
    }
    await refreshOne(database.url, dataset, { clock })
    expect((await readCells(database)).at(-1)).toBe('2026-03-10 12:00 1 -1')
  }

  it('comes before a change that a refresh in several transactions was too late for, under capture', () =>
    changeBetweenTransactions(Captured))

  // The last transaction says its own moment, though the first ones read the source before.
  it.each([
    ['updatedAt', Updated],
    ['lookback', LookedBack],
  ])('comes before a change that a refresh in several transactions was too late for, under %s', (_, dataset) =>
    changeBetweenTransactions(dataset),
  )
})
