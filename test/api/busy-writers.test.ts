import { count, Dataset, Measure } from '../../src/index'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { findDifferences, openRefresher, type Refresher } from '../support/refresher'

@Dataset({
  source: 'events',
  time: 'at',
  refresh: { every: '24h', capture: 'trigger' },
  rollups: [{ by: [], granularity: 'month' }],
})
class Events {
  @Measure(count()) events!: number
}

const DAYS = 60

describe('a writer that never stops', () => {
  let database: TestDatabase
  let refresher: Refresher

  beforeAll(async () => {
    database = await createTestDatabase()
    await database.query('CREATE TABLE events (at timestamptz)')
    await database.query(
      `INSERT INTO events SELECT '2026-01-01Z'::timestamptz + i * interval '1 hour' FROM generate_series(0, ${DAYS * 24 - 1}) AS i`,
    )
    refresher = await openRefresher(database.url)
    await refresher.refresh(Events)
  })
  afterAll(async () => {
    await refresher?.close()
    await database?.drop()
  })

  const write = (from: string) =>
    database.query(
      `INSERT INTO events SELECT $1::timestamptz + i * interval '1 hour' FROM generate_series(0, 23) AS i`,
      [from],
    )

  it('cannot keep old marks waiting: a refresh takes over what was marked when it began, and ends', async () => {
    // A row more in every hour: ten windows of six days.
    await database.query('INSERT INTO events SELECT at FROM events')
    const labels: string[] = []
    const events: string[] = []
    await refresher.refresh(Events, {
      sliceRows: (DAYS * 24) / 10,
      onProgress: ({ label }) => labels.push(label),
      register: {
        prepare: async () => true,
        // After every batch the newest day, which was taken over first, changes again.
        publish: async () => {
          events.push('written')
          await write('2026-03-01Z')
          return true
        },
      },
    })
    expect(labels.filter((label) => label.startsWith('part'))).toEqual(
      Array.from({ length: 10 }, (_, index) => `part ${index + 1} of 10`),
    )
    expect(events).toHaveLength(10)
    const marks = await database.query('SELECT DISTINCT lower::date::text AS day FROM aggregraph.dirty')
    expect(marks).toEqual([{ day: '2026-03-01' }])
    // All but the newest day, of which nine changes are still marked.
    const [table] = await database.query('SELECT table_name FROM aggregraph.rollup WHERE position = 0')
    const [row] = await database.query(
      `SELECT sum(events_count)::integer AS events FROM aggregraph."${table?.table_name}" WHERE bucket < '2026-03-01Z'`,
    )
    expect(row?.events).toBe(2 * (DAYS - 1) * 24)
    await refresher.refresh(Events)
    expect(await findDifferences(database, await refresher.define(Events))).toEqual([])
  })

  it('waits for no more than its windows: each batch leaves the older ones as they are', async () => {
    // More hours than have a mark each: one mark is over all of them.
    await database.query('DELETE FROM events WHERE ctid IN (SELECT min(ctid) FROM events GROUP BY at)')
    expect(await database.query('SELECT FROM aggregraph.dirty')).toHaveLength(1)
    const seen: number[] = []
    const definition = await refresher.define(Events)
    await refresher.refresh(Events, {
      sliceRows: 500,
      register: {
        prepare: async () => true,
        publish: async () => {
          seen.push((await findDifferences(database, definition)).length)
          return true
        },
      },
    })
    expect(seen.length).toBeGreaterThan(2)
    expect(seen.slice(0, -1).every((differences) => differences > 0)).toBe(true)
    expect(seen.at(-1)).toBe(0)
  })
})
