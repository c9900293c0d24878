import { DeclarationError } from '../../src/errors'
import { count, Dataset, Dimension, Measure, sum } from '../../src/index'
import { readCells, readLayout, readMarks, readTruth, refreshOne } from '../support/captured'
import { createTestDatabase, type TestDatabase } from '../support/database'

const refresh = { every: '10s', capture: 'trigger', rebuildAtMost: '10m' } as const
const JOINED = `SELECT orders.at, orders.amount, shops.region FROM orders LEFT JOIN shops ON shops.id = shop`
const HOUR_MS = 3_600_000

@Dataset({ source: { sql: JOINED, dependsOn: ['orders', 'shops'] }, time: 'at', refresh })
class Joined {
  @Dimension() region!: string | null
  @Measure(count()) orders!: number
  @Measure(sum('amount')) revenue!: number
}

@Dataset({
  source: { sql: JOINED, dependsOn: { orders: { columns: ['amount'] }, shops: { columns: ['region'] } } },
  time: 'at',
  refresh,
})
class Named {
  @Dimension() region!: string | null
  @Measure(count()) orders!: number
  @Measure(sum('amount')) revenue!: number
}

function createQuery(sql: string, dependsOn: readonly string[] = ['orders']): object {
  @Dataset({ source: { sql, dependsOn }, time: 'at', refresh })
  class Queried {
    @Measure(count()) orders!: number
    @Measure(sum('amount')) revenue!: number
  }
  return Queried
}

let database: TestDatabase

beforeEach(async () => {
  database = await createTestDatabase()
  await database.query(`CREATE TABLE orders (id integer PRIMARY KEY, at timestamptz, amount integer, shop integer, earlier integer);
    CREATE TABLE shops (id integer PRIMARY KEY, region text, owner point);
    CREATE TABLE returns (at timestamptz, amount integer);
    CREATE TABLE parts (id integer, at timestamptz, amount integer, earlier integer) PARTITION BY RANGE (at);
    CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2026-03-01Z') TO ('2026-03-02Z');
    CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM ('2026-03-02Z') TO ('2026-03-03Z')`)
  await database.query(`INSERT INTO orders
    SELECT i, '2026-03-01 00:30Z'::timestamptz + i * interval '1 hour', i, i % 3, i - 1 FROM generate_series(0, 30) AS i`)
  await database.query('INSERT INTO parts SELECT id, at, amount, earlier FROM orders')
  await database.query(`INSERT INTO shops VALUES (0, 'north', '(0,0)'), (1, 'south', '(0,0)')`)
})
afterEach(() => database?.drop())

const readRebuilds = async () => (await readLayout(database)).rebuilt_at

describe('a query of several tables', () => {
  const cellsOf = async () => (await readCells(database)).sort()
  const truthOf = async () =>
    (
      await database.query(`SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24') || ':00 ' || count(*) || ' ' || sum(amount) AS cell
        FROM (${JOINED}) AS source GROUP BY date_trunc('hour', at), to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24'), region`)
    )
      .map(({ cell }) => String(cell))
      .sort()

  it('computes the buckets anew whose rows changed in the table of the time', async () => {
    await refreshOne(database.url, Joined)
    await database.query(`INSERT INTO orders VALUES (31, '2026-03-01 03:00Z', 31, 0), (32, '2026-03-01 03:10Z', 32, 2)`)
    expect(await readMarks(database)).toEqual(['2026-03-01 03:00 2026-03-01 04:00'])
    const before = await readRebuilds()
    await refreshOne(database.url, Joined)
    expect(await cellsOf()).toEqual(await truthOf())
    expect(await readRebuilds()).toEqual(before)
  })

  it('is computed anew for changes of another table, but not more often than it may be', async () => {
    await refreshOne(database.url, Joined)
    const opened = Number(await readRebuilds())
    const clock = { now: opened + HOUR_MS }
    const refreshNow = () => refreshOne(database.url, Joined, { clock: () => clock.now })
    await database.query(`UPDATE shops SET region = 'east' WHERE id = 1`)
    expect(await readMarks(database)).toEqual(['whole'])
    await refreshNow()
    const rebuilt = Number(await readRebuilds())
    expect(rebuilt).toBeGreaterThan(opened)
    const asOf = (await readLayout(database)).data_as_of

    clock.now = rebuilt + 599_000
    await database.query(`INSERT INTO shops VALUES (2, 'west')`)
    await database.query(`INSERT INTO orders VALUES (31, '2026-03-01 03:00Z', 31, 0)`)
    await refreshNow()
    // The order is there; the shop waits, and the moment that the rollups show stays before it.
    expect((await readCells(database)).join()).toContain(' 2 34')
    expect(await readMarks(database)).toEqual(['whole'])
    expect((await readLayout(database)).data_as_of).toEqual(asOf)

    clock.now = rebuilt + 600_001
    await refreshNow()
    expect(await readMarks(database)).toEqual([])
    expect(await cellsOf()).toEqual(await truthOf())
    expect(Number(await readRebuilds())).toBeGreaterThan(rebuilt)
  })

  it.each([
    ['an update of a column that is not named', `UPDATE shops SET owner = '(1,1)'`, []],
    ['an update to the same value', `UPDATE shops SET region = region`, []],
    ['an update of a named column', `UPDATE shops SET region = NULL WHERE id = 1`, ['whole']],
    [
      'two rows that swap their values',
      `UPDATE shops SET region = CASE id WHEN 0 THEN 'south' ELSE 'north' END`,
      ['whole'],
    ],
    ['a changed key', 'UPDATE shops SET id = 7 WHERE id = 0', ['whole']],
    ['a new row', `INSERT INTO shops VALUES (2, 'west')`, ['whole']],
    ['a deleted row', 'DELETE FROM shops WHERE id = 0', ['whole']],
    ['a statement without rows', 'DELETE FROM shops WHERE id = 9', []],
    ['a truncate', 'TRUNCATE shops', ['whole']],
  ])('with named columns marks for %s: %s', async (_, statement, marks) => {
    await refreshOne(database.url, Named)
    await database.query(statement)
    expect(await readMarks(database)).toEqual(marks)
    await refreshOne(database.url, Named, { clock: () => Date.now() + HOUR_MS })
    expect(await cellsOf()).toEqual(await truthOf())
  })

  it('is exact only if all its tables are captured', async () => {
    const isExact = async () => (await readLayout(database)).is_exact
    await refreshOne(database.url, createQuery(JOINED))
    expect(await isExact()).toBe(false)
    await refreshOne(database.url, createQuery(JOINED, ['orders', 'shops']))
    expect(await isExact()).toBe(true)
  })

  it('must name the table of the time, and some table', async () => {
    for (const dependsOn of [['shops'], []]) {
      const refused = refreshOne(database.url, createQuery(JOINED, dependsOn))
      await expect(refused).rejects.toThrow(DeclarationError)
      await expect(refused).rejects.toThrow(/Queried.*dependsOn (leaves out public\.orders|names none)/s)
    }
  })
})

/** A change of the second row below, which also bears on other buckets where rows of one table meet. */
const CHANGE = `UPDATE orders SET amount = 1000 WHERE id = 1; UPDATE parts SET amount = 1000 WHERE id = 23; INSERT INTO returns VALUES ('2026-03-01 09:00Z', 9)`
const PREVIOUS = 'SELECT o.at, coalesce(p.amount, 0) AS amount FROM'

describe.each([
  ['rows one by one', 'SELECT at, amount FROM orders WHERE amount <> 4', ['orders'], true],
  ['rows through a view', 'SELECT at, amount FROM seen', ['orders'], true],
  [
    'a union of tables',
    'SELECT at, amount FROM orders UNION ALL SELECT at, -amount FROM returns',
    ['orders', 'returns'],
    true,
  ],
  [
    'a union under a join',
    'SELECT u.* FROM (SELECT at, amount FROM orders UNION ALL SELECT at, amount FROM returns) AS u JOIN shops ON shops.id = 1',
    ['orders', 'returns', 'shops'],
    true,
  ],
  [
    'two columns of one table',
    `SELECT at, amount FROM orders UNION ALL SELECT NULL, amount FROM orders`,
    ['orders'],
    false,
  ],
  ['partitions under a join', 'SELECT parts.* FROM parts JOIN shops ON shops.id = 1', ['parts', 'shops'], true],
  ['a time that is computed', `SELECT at + interval '1 hour' AS at, amount FROM orders`, ['orders'], false],
  ['groups', 'SELECT max(at) AS at, sum(amount) AS amount FROM orders GROUP BY id % 5', ['orders'], false],
  ['a window', 'SELECT at, sum(amount) OVER (ORDER BY at)::integer AS amount FROM orders', ['orders'], false],
  [
    'a union without doubles',
    'SELECT at, amount FROM orders UNION SELECT at, amount FROM returns',
    ['orders', 'returns'],
    false,
  ],
  ['a table joined with itself', `${PREVIOUS} orders o JOIN orders p ON p.id = o.earlier`, ['orders'], false],
  [
    'an outer join with itself, which a plan can leave out',
    `${PREVIOUS} orders o LEFT JOIN orders p ON p.id = o.earlier`,
    ['orders'],
    false,
  ],
  [
    'two parts of a table joined',
    `${PREVIOUS} parts o JOIN parts p ON p.id = o.earlier WHERE o.at >= '2026-03-02Z' AND p.at < '2026-03-02Z'`,
    ['parts'],
    false,
  ],
  [
    'a subquery over the table itself',
    'SELECT at, (SELECT max(amount) FROM orders) AS amount FROM orders',
    ['orders'],
    false,
  ],
  [
    'the first of each group',
    'SELECT DISTINCT ON (id % 4) at, amount FROM orders ORDER BY id % 4, amount DESC',
    ['orders'],
    false,
  ],
  ['the first few', 'SELECT at, amount FROM orders ORDER BY amount DESC LIMIT 3', ['orders'], false],
])('a query of %s', (_, sql, dependsOn, isTraced) => {
  it('ends up right, by buckets where a row bears on its own alone', async () => {
    await database.query('CREATE VIEW seen AS SELECT at, amount, shop AS place FROM orders')
    const dataset = createQuery(sql, dependsOn)
    await refreshOne(database.url, dataset)
    await database.query(CHANGE)
    expect((await readMarks(database)).includes('whole')).toBe(!isTraced)
    await refreshOne(database.url, dataset, { clock: () => Date.now() + HOUR_MS })
    expect(await readCells(database)).toEqual(await readTruth(database, `(${sql})`))
    expect(await readMarks(database)).toEqual([])
  })
})
