import { count, Dataset, Measure, sum } from '../../src/index'
import { readCells, readLayout, readMarks, readTruth, refreshOne } from '../support/captured'
import { createTestDatabase, type TestDatabase } from '../support/database'

const refresh = { every: '10s', capture: 'trigger' } as const

@Dataset({ source: 'orders', time: 'at', refresh })
class Orders {
  @Measure(count()) orders!: number
  @Measure(sum('amount')) revenue!: number
}

/** By months on the clocks of a place where they change, and by a column that is not the time below that. */
@Dataset({ source: 'local_orders', time: 'at', timezone: 'Europe/Madrid', refresh })
class LocalOrders {
  @Measure(count()) orders!: number
  @Measure(sum('amount')) revenue!: number
}

describe('a partitioned source', () => {
  let database: TestDatabase

  beforeEach(async () => {
    database = await createTestDatabase()
    await database.query(`CREATE TABLE orders (at timestamptz, amount integer) PARTITION BY RANGE (at);
      CREATE TABLE orders_march PARTITION OF orders FOR VALUES FROM ('2026-03-01Z') TO ('2026-04-01Z');
      CREATE TABLE orders_april PARTITION OF orders FOR VALUES FROM ('2026-04-01Z') TO ('2026-05-01Z')`)
    await database.query(
      `INSERT INTO orders SELECT '2026-03-01 00:30Z'::timestamptz + i * interval '1 day', i FROM generate_series(0, 59) AS i`,
    )
    await refreshOne(database.url, Orders)
  })
  afterEach(() => database?.drop())

  const refreshed = async () => {
    const outcome = await refreshOne(database.url, Orders)
    expect(await readCells(database)).toEqual(await readTruth(database, 'orders'))
    return outcome
  }
  const MARCH = '2026-03-01 00:00 2026-04-01 00:00'
  const APRIL = '2026-04-01 00:00 2026-05-01 00:00'

  it.each([
    ['rows put into the parent', `INSERT INTO orders VALUES ('2026-03-05 10:00Z', 1)`],
    ['rows put into a partition', `INSERT INTO orders_april VALUES ('2026-04-05 10:00Z', 1)`],
    [
      'rows that an update moves to another partition',
      `UPDATE orders SET at = at + interval '1 month' WHERE amount < 5`,
    ],
    ['rows deleted from a partition', 'DELETE FROM orders_march WHERE amount < 5'],
    ['a partition truncated by itself', 'TRUNCATE orders_march'],
    ['a truncated parent', 'TRUNCATE orders'],
  ])('hears of %s', async (_, statement) => {
    await database.query(statement)
    expect(await refreshed()).toMatchObject({ hasChanged: true })
    expect(await readLayout(database)).toMatchObject({ is_exact: true })
  })

  it('takes over a partition that was created, and what is written to it later', async () => {
    await database.query(
      `CREATE TABLE orders_may PARTITION OF orders FOR VALUES FROM ('2026-05-01Z') TO ('2026-06-01Z')`,
    )
    await database.query(`INSERT INTO orders_may VALUES ('2026-05-05 10:00Z', 500)`)
    await refreshed()
    await database.query(`INSERT INTO orders_may VALUES ('2026-05-06 10:00Z', 500)`)
    expect(await readMarks(database)).toEqual(['2026-05-06 10:00 2026-05-06 11:00'])
    await refreshed()
  })

  it.each([
    ['detached', 'ALTER TABLE orders DETACH PARTITION orders_april'],
    ['dropped', 'DROP TABLE orders_april'],
  ])('takes over that a partition was %s, and looks at its time alone', async (_, statement) => {
    await database.query(statement)
    await database.query(`UPDATE orders_march SET amount = amount + 1 WHERE amount = 0`)
    const before = await readLayout(database)
    await refreshed()
    expect(await readLayout(database)).toMatchObject({ seq: String(Number(before.seq) + 1), source_rows: '31' })
    expect(await database.query('SELECT count(*)::integer AS relations FROM aggregraph.capture')).toEqual([
      { relations: 2 },
    ])
  })

  it('takes over a partition that was attached with its rows', async () => {
    await database.query(`CREATE TABLE orders_may (LIKE orders); INSERT INTO orders_may VALUES ('2026-05-05 10:00Z', 500);
      ALTER TABLE orders ATTACH PARTITION orders_may FOR VALUES FROM ('2026-05-01Z') TO ('2026-06-01Z')`)
    await refreshed()
  })

  it('takes over a partition that was detached, changed, and attached again, with a refresh between or without', async () => {
    const detach = 'ALTER TABLE orders DETACH PARTITION orders_april'
    const attach = `ALTER TABLE orders ATTACH PARTITION orders_april FOR VALUES FROM ('2026-04-01Z') TO ('2026-05-01Z')`
    const change = 'UPDATE orders_april SET amount = amount + 1 WHERE at < $$2026-04-03$$'
    await database.query(`${detach}; ${change}; ${attach}`)
    await refreshed()
    await database.query(detach)
    await refreshed()
    await database.query(`${change}; ${attach}`)
    await refreshed()
  })

  it('marks no more than the bounds of a part that came or went', async () => {
    await database.query('ALTER TABLE orders DETACH PARTITION orders_march')
    const refused = `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not now'; END $$;
      CREATE TRIGGER refuse BEFORE UPDATE ON aggregraph.layout FOR EACH ROW WHEN (NEW.seq > OLD.seq) EXECUTE FUNCTION refuse()`
    // Marks that a refresh has set, and failed to take over.
    await database.query(refused)
    await expect(refreshOne(database.url, Orders)).rejects.toThrow('not now')
    expect(await readMarks(database)).toEqual([MARCH])
    await database.query('DROP TABLE orders_april')
    await expect(refreshOne(database.url, Orders)).rejects.toThrow('not now')
    expect(await readMarks(database)).toEqual([MARCH, APRIL])
    await database.query('DROP TRIGGER refuse ON aggregraph.layout')
    expect(await refreshed()).toMatchObject({ sourceRows: 0 })
  })

  it('may be parted on local time and further by other columns, and have a part for all the rest', async () => {
    await database.query(`CREATE TABLE local_orders (at timestamp, shop integer, amount integer) PARTITION BY RANGE (at);
      CREATE TABLE local_march PARTITION OF local_orders FOR VALUES FROM (MINVALUE) TO ('2026-04-01') PARTITION BY LIST (shop);
      CREATE TABLE local_march_1 PARTITION OF local_march FOR VALUES IN (1);
      CREATE TABLE local_march_2 PARTITION OF local_march DEFAULT;
      CREATE TABLE local_rest PARTITION OF local_orders DEFAULT`)
    const truth = () => readTruth(database, `(SELECT at AT TIME ZONE 'Europe/Madrid' AS at, amount FROM local_orders)`)
    const insert = (at: string, shop: number) => database.query(`INSERT INTO local_orders VALUES ('${at}', ${shop}, 1)`)
    await refreshOne(database.url, LocalOrders)
    // An hour that the clocks leave out, and one that they show twice.
    for (const at of ['2026-03-29 02:30', '2026-03-29 03:30', '2026-10-25 02:30', '2026-03-31 23:59'])
      await insert(at, 1)
    await database.query(`INSERT INTO local_march_2 VALUES ('2026-03-01', 2, 7)`)
    await refreshOne(database.url, LocalOrders)
    expect(await readCells(database)).toEqual(await truth())
    await database.query('DROP TABLE local_march_1')
    await refreshOne(database.url, LocalOrders)
    expect(await readCells(database)).toEqual(await truth())
    expect(await readCells(database)).toHaveLength(2)
  })
})
