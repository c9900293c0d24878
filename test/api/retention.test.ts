import { count, Dataset, Dimension, Measure, sum } from '../../src/index'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { findDifferences, openRefresher, type Refresher, readLayout } from '../support/refresher'
import { startTestServer } from '../support/server'

@Dataset({
  source: 'visits',
  time: 'at',
  base: false,
  refresh: { every: '24h', capture: 'trigger' },
  rollups: [
    { by: ['country'], granularity: 'hour', keep: 'P30D' },
    { by: ['country'], granularity: 'day', keep: 'P2M' },
    { by: [], granularity: 'month' },
  ],
})
class Visits {
  @Dimension() country!: string | null
  @Measure(count()) visits!: number
  @Measure(sum('pages')) pages!: number
}

const DAY_MS = 86_400_000
const NOW = Date.parse('2026-07-01T12:30:00Z')
/** Visits, one every three hours and seven minutes. */
const ROWS = 1400

let database: TestDatabase
let refresher: Refresher

beforeEach(async () => {
  database = await createTestDatabase()
  await database.query('CREATE TABLE visits (at timestamptz, country text, pages integer)')
  await database.query(`INSERT INTO visits SELECT '2026-01-01 00:15Z'::timestamptz + i * interval '3 hours 7 minutes',
    (ARRAY['ES', 'FR', NULL])[i % 3 + 1], i FROM generate_series(1, ${ROWS}) AS i`)
  refresher = await openRefresher(database.url)
  await refresh(0)
})
afterEach(async () => {
  await refresher?.close()
  await database?.drop()
})

const refresh = (days: number, full = false) => refresher.refresh(Visits, { clock: () => NOW + days * DAY_MS, full })

/** Compares each rollup with the source from where it is kept on. */
async function differences(hour: string, day: string): Promise<string[]> {
  return findDifferences(database, await refresher.define(Visits), ({ granularity }) =>
    granularity === 'hour' ? hour : granularity === 'day' ? day : '-infinity',
  )
}

async function readKeptFrom(): Promise<unknown[]> {
  const rows = await database.query(
    `SELECT to_char(kept_from AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS kept_from FROM aggregraph.rollup ORDER BY position`,
  )
  return rows.map((row) => row.kept_from)
}

const seq = async () => Number((await readLayout(database, await refresher.define(Visits)))?.seq)

describe('a rollup that is kept for a while', () => {
  it('begins where it is kept from, from its first build on', async () => {
    expect(await readKeptFrom()).toEqual(['2026-06-01', '2026-05-01', null])
    expect(await differences('2026-06-01Z', '2026-05-01Z')).toEqual([])
  })

  it('loses a day every day, with a new version, and nothing in between', async () => {
    const before = await seq()
    expect((await refresh(0.4)).hasChanged).toBe(false)
    expect((await refresh(1)).hasChanged).toBe(true)
    expect(await seq()).toBe(before + 1)
    expect(await readKeptFrom()).toEqual(['2026-06-02', '2026-05-02', null])
    expect(await differences('2026-06-02Z', '2026-05-02Z')).toEqual([])
    expect((await refresh(1.4)).hasChanged).toBe(false)
    expect((await refresh(12)).hasChanged).toBe(true)
    expect(await differences('2026-06-13Z', '2026-05-13Z')).toEqual([])
  })

  it('leaves coarser ones right, also where it does not reach any more', async () => {
    // The 31st of May is in no hour that is kept, the 10th of February in no day; the 1st of June is at the edge.
    await database.query(`INSERT INTO visits VALUES ('2026-02-10 10:10Z', 'ES', 1), ('2026-05-31 23:10Z', 'ES', 1),
      ('2026-06-01 00:10Z', 'ES', 1), ('2026-05-01 00:10Z', 'PT', 1), ('2026-04-30 23:10Z', 'PT', 1)`)
    await database.query(`DELETE FROM visits WHERE pages % 10 = 0`)
    await refresh(0)
    expect(await differences('2026-06-01Z', '2026-05-01Z')).toEqual([])
    await database.query(`UPDATE visits SET at = at - interval '20 days' WHERE pages % 10 = 1`)
    await refresh(10)
    expect(await differences('2026-06-11Z', '2026-05-11Z')).toEqual([])
    expect((await refresh(10, true)).hasChanged).toBe(false)
    expect(await differences('2026-06-11Z', '2026-05-11Z')).toEqual([])
  })

  it('answers no question that begins before; those over all data are answered by what keeps all', async () => {
    const server = await startTestServer({ databaseUrl: database.url, datasets: [Visits], clock: () => NOW })
    try {
      const all = await server.ask('{ visits { meta { from } totals { visits } } }')
      expect(all.data).toMatchObject({ visits: { meta: { from: '2026-01-01T03:00:00Z' }, totals: { visits: ROWS } } })
      const range = (from: string) => `range: { between: { from: "${from}", to: "2026-07-01" } }`
      const hours = (from: string) => `{ visits(${range(from)}) { series(granularity: HOUR) { start } } }`
      expect((await server.ask(hours('2026-06-20'))).errors).toBeUndefined()
      const [error] = (await server.ask(hours('2026-05-31'))).errors ?? []
      expect(error?.extensions.code).toBe('NO_ROLLUP')
      expect(error?.message).toContain('it keeps buckets from 2026-06-01T00:00:00Z on')
      const days = `{ visits(${range('2026-05-31')}) { series(granularity: DAY) { start } } }`
      expect((await server.ask(days)).errors).toBeUndefined()
    } finally {
      await server.stop()
    }
  })

  it('is over for a kept answer whose first day is kept no more, also where that day was empty', async () => {
    // Neither rollup that forgets has a row on the first day that it is to lose.
    await database.query(
      `DELETE FROM visits WHERE at >= '2026-05-01Z' AND at < '2026-05-02Z' OR at >= '2026-06-01Z' AND at < '2026-06-02Z'`,
    )
    await refresh(0)
    let now = Date.parse('2026-07-01T23:59:00Z')
    const server = await startTestServer({ databaseUrl: database.url, datasets: [Visits], clock: () => now })
    const hours = (from: string) =>
      server.ask(
        `{ visits(range: { between: { from: "${from}", to: "2026-06-04" } }) { series(granularity: HOUR) { start } } }`,
      )
    const statusOf = async (from: string) => (await hours(from)).response.headers.get('cache-status')
    try {
      for (const from of ['2026-06-01', '2026-06-02']) {
        expect((await hours(from)).errors).toBeUndefined()
        expect(await statusOf(from)).toContain('detail=response')
      }
      now = Date.parse('2026-07-02T00:00:30Z')
      await refresher.refresh(Visits, { clock: () => now })
      expect((await hours('2026-06-01')).errors?.[0]?.extensions.code).toBe('NO_ROLLUP')
      expect(await statusOf('2026-06-02')).toContain('detail=response')
    } finally {
      await server.stop()
    }
  })
})
