import { Client } from 'pg'
import { RefreshError } from '../../src/errors'
import { count, Dataset, Measure, sum } from '../../src/index'
import { readCells, readLayout, readMarks, readRollup, readTruth, refreshOne } from '../support/captured'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { eventually } from '../support/eventually'

const refresh = { every: '10s', capture: 'trigger' } as const

@Dataset({ source: 'orders', time: 'at', refresh })
class Orders {
  @Measure(count()) orders!: number
  @Measure(sum('amount')) revenue!: number
}

describe('triggers', () => {
  let database: TestDatabase

  /** Ten hours with an order each, of 1 to 10, built and captured. */
  beforeEach(async () => {
    database = await createTestDatabase()
    await database.query('CREATE TABLE orders (id integer PRIMARY KEY, at timestamptz, amount integer)')
    await database.query(`INSERT INTO orders
      SELECT i, '2026-03-01 00:30Z'::timestamptz + (i - 1) * interval '1 hour', i FROM generate_series(1, 10) AS i`)
    await refreshOne(database.url, Orders)
  })
  afterEach(() => database?.drop())

  const expectRight = async () => expect(await readCells(database)).toEqual(await readTruth(database, 'orders'))
  const placesOf = async () => new Map((await readRollup(database)).map(({ at, place }) => [String(at), place]))

  it.each([
    ['an insert', `INSERT INTO orders VALUES (11, '2026-03-01 03:59:59Z', 100)`, ['03']],
    ['an insert of nothing', 'INSERT INTO orders SELECT * FROM orders WHERE false', []],
    ['an update in place', 'UPDATE orders SET amount = 70 WHERE id = 7', ['06']],
    ['an update that moves a row', `UPDATE orders SET at = '2026-03-01 08:00Z' WHERE id = 1`, ['00', '08']],
    ['a delete', 'DELETE FROM orders WHERE id IN (2, 9)', ['01', '08']],
    ['an upsert', 'INSERT INTO orders VALUES (3, now(), 1) ON CONFLICT (id) DO UPDATE SET amount = 33', ['02']],
    [
      'a merge',
      `MERGE INTO orders USING (VALUES (4), (99)) AS new (key) ON id = key WHEN MATCHED THEN DELETE
       WHEN NOT MATCHED THEN INSERT VALUES (key, '2026-03-01 09:00Z', 1)`,
      ['03', '09'],
    ],
    ['a statement without rows', 'DELETE FROM orders WHERE id = 1000', []],
  ])('mark the buckets that %s touches, and only these are written anew', async (_, statement, hours) => {
    const before = await placesOf()
    await database.query(statement)
    const buckets = hours.map((hour) => `2026-03-01 ${hour}:00`)
    const next = (bucket: string) =>
      bucket.replace(/(\d\d):00$/, (_all, hour) => `${String(Number(hour) + 1).padStart(2, '0')}:00`)
    expect(await readMarks(database)).toEqual(buckets.map((bucket) => `${bucket} ${next(bucket)}`))

    const { hasChanged } = await refreshOne(database.url, Orders)
    expect({ hasChanged, marks: await readMarks(database) }).toEqual({ hasChanged: hours.length > 0, marks: [] })
    await expectRight()
    const after = await placesOf()
    const untouched = [...before].filter(([at, place]) => after.get(at) === place).map(([at]) => at)
    expect(untouched).toEqual([...before.keys()].filter((at) => !buckets.includes(at)))
  })

  it('take over a truncate, and what comes after it', async () => {
    await database.query('TRUNCATE orders')
    expect(await readMarks(database)).toEqual(['always'])
    await database.query(`INSERT INTO orders VALUES (1, '2026-03-02 00:00Z', 5)`)
    await refreshOne(database.url, Orders)
    expect(await readCells(database)).toEqual(['2026-03-02 00:00 1 5'])
    expect(await readLayout(database)).toMatchObject({ source_rows: '1', is_exact: true })
  })

  it.each([
    [1000, 1000],
    [1001, 1],
  ])('leave %d buckets of one statement in %d mark(s)', async (buckets, marks) => {
    await database.query(`INSERT INTO orders SELECT 100 + i, '2026-05-01 00:00Z'::timestamptz + i * interval '1 hour', 1
      FROM generate_series(0, ${buckets - 1}) AS i`)
    const [first, ...rest] = await readMarks(database)
    expect(1 + rest.length).toBe(marks)
    expect(first).toBe(marks === 1 ? '2026-05-01 00:00 2026-06-11 17:00' : '2026-05-01 00:00 2026-05-01 01:00')
    await refreshOne(database.url, Orders)
    await expectRight()
  })

  it('count rows without a usable time, and take them in once they have one', async () => {
    await database.query(`INSERT INTO orders VALUES (11, NULL, 1), (12, 'infinity', 1), (13, '-infinity', 1),
      (14, '294276-01-01Z', 1), (15, '4000-01-01Z BC', 1), (16, '2026-03-01 00:00Z', 1)`)
    expect(await readMarks(database)).toEqual(['2026-03-01 00:00 2026-03-01 01:00', 'timeless'])
    expect(await refreshOne(database.url, Orders)).toMatchObject({ sourceRows: 16, rowsWithoutTime: 5 })
    await database.query(`UPDATE orders SET at = '2026-03-01 05:00Z' WHERE id BETWEEN 11 AND 13`)
    expect(await refreshOne(database.url, Orders)).toMatchObject({ sourceRows: 16, rowsWithoutTime: 2 })
    await database.query('DELETE FROM orders WHERE id > 13')
    expect(await refreshOne(database.url, Orders)).toMatchObject({ sourceRows: 13, rowsWithoutTime: 0 })
    await expectRight()
  })

  it('miss nothing of transactions that commit after a refresh, prepared ones among them', async () => {
    const [early, late] = [new Client(database.url), new Client(database.url)]
    await Promise.all([early.connect(), late.connect()])
    const [setting] = await database.query('SHOW max_prepared_transactions')
    const isPrepared = setting?.max_prepared_transactions !== '0'
    try {
      for (const [client, id] of [
        [early, 11],
        [late, 12],
      ] as const) {
        await client.query('BEGIN')
        await client.query(`INSERT INTO orders VALUES (${id}, '2026-03-01 02:00Z', ${id})`)
      }
      if (isPrepared) await late.query(`PREPARE TRANSACTION 'late'`)
      await database.query(`INSERT INTO orders VALUES (13, '2026-03-01 02:00Z', 13)`)
      await refreshOne(database.url, Orders)
      await expectRight()
      await early.query('COMMIT')
      await refreshOne(database.url, Orders)
      await expectRight()
      await late.query(isPrepared ? `COMMIT PREPARED 'late'` : 'COMMIT')
      await refreshOne(database.url, Orders)
      await expectRight()
      expect((await readCells(database))[2]).toBe('2026-03-01 02:00 4 39')
    } finally {
      await Promise.all([early.end(), late.end()])
    }
  })

  it('that somebody disables make the dataset inexact, and once enabled all that they missed is taken over', async () => {
    await database.query('ALTER TABLE orders DISABLE TRIGGER ALL')
    await database.query('UPDATE orders SET amount = 100')
    await refreshOne(database.url, Orders)
    expect(await readLayout(database)).toMatchObject({ is_exact: false })
    await database.query('ALTER TABLE orders ENABLE TRIGGER ALL')
    await refreshOne(database.url, Orders)
    expect(await readLayout(database)).toMatchObject({ is_exact: true })
    await expectRight()
  })

  it('that somebody drops come back, and all that they missed is taken over', async () => {
    const [trigger] = await database.query(
      `SELECT quote_ident(tgname) AS name FROM pg_trigger WHERE tgname LIKE 'aggregraph%update'`,
    )
    await database.query(`DROP TRIGGER ${trigger?.name} ON orders`)
    await database.query('UPDATE orders SET amount = 100')
    await refreshOne(database.url, Orders)
    await expectRight()
    await database.query('UPDATE orders SET amount = 200 WHERE id = 1')
    expect(await readMarks(database)).toEqual(['2026-03-01 00:00 2026-03-01 01:00'])
  })
})

@Dataset({
  source: {
    sql: 'SELECT * FROM logs JOIN tags ON tags.new = tag',
    dependsOn: { logs: { columns: ['amount'] }, tags: { columns: ['tg_op'] } },
  },
  time: 'found',
  refresh,
})
class Named {
  @Measure(count()) orders!: number
  @Measure(sum('amount')) revenue!: number
}

describe('a writer', () => {
  let database: TestDatabase
  beforeEach(async () => {
    database = await createTestDatabase()
    await database.query('CREATE TABLE orders (id integer, at timestamptz, amount integer)')
    await database.query(`INSERT INTO orders VALUES (1, '2026-03-01 00:30Z', 1)`)
  })
  afterEach(() => database?.drop())

  it('needs no right on the rollups, whatever is on its search path', async () => {
    await refreshOne(database.url, Orders)
    const role = `writer_${new URL(database.url).pathname.slice(-12)}`
    await database.query(`CREATE ROLE ${role}; GRANT INSERT, UPDATE, DELETE, TRUNCATE, SELECT ON orders TO ${role}`)
    // Each of them would fail the write, or mark another bucket, if the trigger took it for PostgreSQL's own.
    await database.query(`CREATE SCHEMA evil; GRANT USAGE ON SCHEMA evil TO ${role};
      CREATE FUNCTION evil.fail() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE 'hijacked by %', current_user; END $$;
      CREATE FUNCTION evil.date_bin(interval, timestamptz, timestamptz) RETURNS timestamptz LANGUAGE sql AS 'SELECT evil.fail()';
      CREATE FUNCTION evil.fails(timestamptz, timestamptz) RETURNS boolean LANGUAGE sql AS 'SELECT evil.fail() IS NULL';
      CREATE OPERATOR evil.>= (LEFTARG = timestamptz, RIGHTARG = timestamptz, FUNCTION = evil.fails);
      CREATE FUNCTION public.count(timestamptz) RETURNS bigint LANGUAGE sql AS 'SELECT 5000::bigint';
      CREATE TABLE evil.dirty (dataset text, lower timestamptz, upper timestamptz)`)
    const client = new Client(database.url)
    await client.connect()
    try {
      await client.query(`SET ROLE ${role}; SET search_path = evil, public, pg_catalog`)
      await client.query('CREATE TEMPORARY TABLE new_rows (at text); CREATE TEMPORARY TABLE dirty (dataset integer)')
      await client.query(`INSERT INTO orders VALUES (2, '2026-03-01 04:30Z', 2)`)
      await client.query('UPDATE orders SET amount = 20 WHERE id = 2')
      await client.query('DELETE FROM orders WHERE id = 1')
      await expect(client.query('SELECT * FROM aggregraph.dirty')).rejects.toThrow('permission denied')
      expect(await readMarks(database)).toEqual([
        '2026-03-01 00:00 2026-03-01 01:00',
        '2026-03-01 04:00 2026-03-01 05:00',
      ])
      await client.query('TRUNCATE orders')
    } finally {
      await client.end()
      await database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    }
    await refreshOne(database.url, Orders)
    expect(await readCells(database)).toEqual([])
  })

  it('may have columns that are called as the variables of triggers are', async () => {
    await database.query(`CREATE TABLE logs (found timestamptz, lowest timestamptz, highest timestamptz, tag integer, amount integer);
      CREATE TABLE tags (new integer PRIMARY KEY, tg_op text); INSERT INTO tags VALUES (1, 'a')`)
    await refreshOne(database.url, Named)
    await database.query(`INSERT INTO logs VALUES ('2026-03-01 03:30Z', '2026-03-02Z', '2026-03-03Z', 1, 5)`)
    await database.query(`UPDATE tags SET tg_op = 'a'`)
    expect(await readMarks(database)).toEqual(['2026-03-01 03:00 2026-03-01 04:00'])
    await database.query(`UPDATE tags SET tg_op = 'b'`)
    expect(await readMarks(database)).toEqual(['2026-03-01 03:00 2026-03-01 04:00', 'whole'])
  })

  it.each([
    ['renamed', 'ALTER TABLE orders RENAME at TO happened', 'ALTER TABLE orders RENAME happened TO at'],
    [
      'given another type',
      'ALTER TABLE orders ALTER at TYPE text',
      'ALTER TABLE orders ALTER at TYPE timestamptz USING at::timestamptz',
    ],
  ])('goes on when the column of the time was %s, and misses nothing', async (_, change, undo) => {
    await refreshOne(database.url, Orders)
    await database.query(change)
    await database.query(`INSERT INTO orders VALUES (2, '2026-03-01 04:30Z', 2)`)
    await database.query('UPDATE orders SET amount = 10 WHERE id = 1')
    await expect(refreshOne(database.url, Orders)).rejects.toThrow()
    await database.query(undo)
    await refreshOne(database.url, Orders)
    expect(await readCells(database)).toEqual(await readTruth(database, 'orders'))
  })

  it('goes on when a column that matters of another table was dropped', async () => {
    await database.query(`CREATE TABLE logs (found timestamptz, lowest timestamptz, highest timestamptz, tag integer, amount integer);
      CREATE TABLE tags (new integer PRIMARY KEY, tg_op text); INSERT INTO tags VALUES (1, 'a')`)
    await refreshOne(database.url, Named)
    await database.query('ALTER TABLE tags DROP COLUMN tg_op')
    await database.query('UPDATE tags SET new = 2')
    expect(await readMarks(database)).toEqual(['whole'])
  })

  it('that holds the table when triggers are first created is told of within seconds, and they come when it has ended', async () => {
    const client = new Client(database.url)
    await client.connect()
    try {
      await client.query(`BEGIN; INSERT INTO orders VALUES (2, '2026-03-01 00:40Z', 2)`)
      const refused = refreshOne(database.url, Orders)
      // Others go on writing: the trigger waits in front of them for moments only.
      const write = `INSERT INTO orders VALUES (3, '2026-03-01 00:50Z', 3)`
      const other = eventually(async () => (await isWaiting(database)) || null).then(() => database.query(write))
      await expect(refused).rejects.toThrow(RefreshError)
      await expect(refused).rejects.toThrow(
        /triggers could not be put on public\.orders: transactions that write to it stay open/,
      )
      await other
      expect(await readLayout(database)).toMatchObject({ last_error: expect.stringContaining('stay open') })
      const tried = refreshOne(database.url, Orders)
      await eventually(async () => (await isWaiting(database)) || null)
      await client.query('COMMIT')
      await tried
    } finally {
      await client.end()
    }
    expect(await readCells(database)).toEqual(['2026-03-01 00:00 3 6'])
    expect(await readLayout(database)).toMatchObject({ last_error: null, is_exact: true })
  })
})

async function isWaiting({ query }: TestDatabase): Promise<boolean> {
  const waiting = await query(`SELECT FROM pg_stat_activity WHERE datname = current_database()
    AND wait_event_type = 'Lock' AND query LIKE 'CREATE OR REPLACE TRIGGER%'`)
  return waiting.length > 0
}
