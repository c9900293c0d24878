import { avg, count, Dataset, Dimension, Measure, sum } from '../../src/index'
import { rollupTables } from '../../src/storage/rollup-table'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { findDifferences, openRefresher, type Refresher, readLayout, stopServing } from '../support/refresher'
import { startTestServer } from '../support/server'

const BASE = {
  source: 'visits',
  time: 'at',
  refresh: { every: '24h', capture: 'trigger' },
  sourceKeeps: 'P90D',
} as const
const MONTHS = { by: [], granularity: 'month' } as const
const DAYS = { by: ['country'], granularity: 'day', timezone: 'Europe/Madrid' } as const

@Dataset({ ...BASE, rollups: [MONTHS, DAYS] })
class Visits {
  @Dimension() country!: string | null
  @Measure(count()) visits!: number
  @Measure(sum('pages')) pages!: number
  @Measure(avg('seconds')) seconds!: number | null
}

/** Releases after it, by the same name. */
const NARROWER = (() => {
  @Dataset({ ...BASE, rollups: [MONTHS] })
  class Visits {
    @Dimension({ column: 'country' }) land!: string | null
    @Measure(count()) visits!: number
    @Measure(sum('pages')) pages!: number
  }
  return Visits
})()
const WIDER = (() => {
  @Dataset({ ...BASE, rollups: [MONTHS] })
  class Visits {
    @Dimension() country!: string | null
    @Measure(count()) visits!: number
    @Measure(sum({ sql: 'pages * 2' })) pages!: number
  }
  return Visits
})()

const HOUR_MS = 3_600_000
const NOW = Date.parse('2026-07-01T12:30:00Z')
/** Ninety days before: in the middle of an hour, a day and a month. */
const BOUNDARY = '2026-04-02 12:30Z'

let database: TestDatabase
let refresher: Refresher

/** Writes to the source, and to the ledger that nothing is ever purged from. */
async function write(sql: (table: string) => string): Promise<void> {
  for (const table of ['visits', 'ledger']) await database.query(sql(table))
}

beforeEach(async () => {
  database = await createTestDatabase()
  const columns = '(at timestamptz, country text, pages integer, seconds double precision)'
  await write((table) => `CREATE TABLE ${table} ${columns}`)
  await write(
    (table) => `INSERT INTO ${table} SELECT '2026-01-01 00:15Z'::timestamptz + i * interval '2 hours 7 minutes',
      (ARRAY['ES', 'FR', NULL])[i % 3 + 1], i, i FROM generate_series(0, 2050) AS i`,
  )
  await database.query('ANALYZE visits')
  refresher = await openRefresher(database.url)
  await refresh(Visits)
  // Half of an hour goes with the rest, and some of April stays.
  await database.query('DELETE FROM visits WHERE at < $1', [BOUNDARY])
})
afterEach(async () => {
  await refresher?.close()
  await database?.drop()
})

function refresh(dataset: object, options: Parameters<Refresher['refresh']>[1] = {}) {
  return refresher.refresh(dataset, { clock: () => NOW, ...options })
}

/** What the rollups would be if nothing had been purged. */
async function differences(dataset: object): Promise<string[]> {
  return findDifferences(database, { ...(await refresher.define(dataset)), sourceSql: 'ledger' })
}

async function countMarks(): Promise<unknown> {
  const [row] = await database.query('SELECT count(*)::integer AS marks FROM aggregraph.dirty')
  return row?.marks
}

const layoutOf = async (dataset: object) => readLayout(database, await refresher.define(dataset))
const changeKept = () =>
  write((table) => `INSERT INTO ${table} VALUES ('2026-04-02 13:10Z', 'PT', 1, 1), ('2026-06-20 10:10Z', 'ES', 1, 1)`)

describe('a source that is purged', () => {
  it('keeps its history in the rollups, and the marks of it are counted and discarded', async () => {
    const before = await layoutOf(Visits)
    expect(await countMarks()).toBeGreaterThan(0)
    expect((await refresh(Visits)).hasChanged).toBe(false)
    expect(await countMarks()).toBe(0)
    const after = await layoutOf(Visits)
    expect(after).toMatchObject({ seq: before?.seq, version: before?.version })
    expect(after?.frozenMarks).toBeGreaterThan(0)
    expect(await differences(Visits)).toEqual([])
  })

  it('ignores late rows of its history, and takes over those of the time it keeps', async () => {
    await changeKept()
    await database.query(
      `INSERT INTO visits VALUES ('2026-02-03 10:10Z', 'ES', 9, 9), ('2026-04-02 12:10Z', 'ES', 9, 9)`,
    )
    expect((await refresh(Visits)).hasChanged).toBe(true)
    // April and the second of April have hours on both sides.
    expect(await differences(Visits)).toEqual([])
  })

  it('keeps its history through a computation of every bucket anew, in slices too', async () => {
    await changeKept()
    await refresh(Visits, { full: true })
    expect(await differences(Visits)).toEqual([])
    await refresh(Visits, { full: true, sliceRows: 100 })
    expect(await differences(Visits)).toEqual([])
    await refresh(Visits, { range: { from: Date.parse('2026-03-01Z'), to: Date.parse('2026-05-01Z') } })
    expect(await differences(Visits)).toEqual([])
  })

  it('is purged further as time goes by', async () => {
    for (const days of [10, 45]) {
      await database.query(`DELETE FROM visits WHERE at < $1::timestamptz + $2 * interval '1 day'`, [BOUNDARY, days])
      await refresh(Visits, { clock: () => NOW + days * 24 * HOUR_MS })
      expect(await differences(Visits)).toEqual([])
    }
  })
})

describe('a new definition of a source that was purged', () => {
  beforeEach(() => refresh(Visits))

  it('takes the history over when its states are among those that were kept', async () => {
    await refresh(NARROWER)
    expect(await layoutOf(NARROWER)).toMatchObject({ isReady: true, lastError: null })
    expect(await differences(NARROWER)).toEqual([])
    await changeKept()
    await refresh(NARROWER)
    expect([await differences(Visits), await differences(NARROWER)]).toEqual([[], []])
  })

  it('takes it over in a build of many slices, which lasts for hours', async () => {
    let now = NOW
    const clock = () => {
      now += HOUR_MS
      return now
    }
    await refresh(NARROWER, { clock, sliceRows: 100 })
    expect(await differences(NARROWER)).toEqual([])
  })

  it('takes it over from one that nobody serves any more', async () => {
    await stopServing(database, await refresher.define(Visits))
    await changeKept()
    const stop = ({ label }: { readonly label: string }) => {
      if (label.startsWith('building slice 4')) throw new Error('Died')
    }
    await expect(refresh(NARROWER, { sliceRows: 100, onProgress: stop })).rejects.toThrow('Died')
    expect(await layoutOf(Visits)).toMatchObject({ isReady: false, isBehind: true })
    await refresh(NARROWER)
    expect(await differences(NARROWER)).toEqual([])
  })

  it('that needs what was not kept is refused, while the one before is served on', async () => {
    const sentence =
      'Visits: its source keeps P90D, and no rollup built so far holds what hour × country needs of the time before.'
    await expect(refresh(WIDER)).rejects.toThrow(sentence)
    expect(await layoutOf(WIDER)).toMatchObject({ isReady: false, lastError: expect.stringContaining(sentence) })
    await changeKept()
    await refresh(Visits)
    expect(await differences(Visits)).toEqual([])
    const server = await startTestServer({ databaseUrl: database.url, datasets: [Visits], clock: () => NOW })
    try {
      const { data } = await server.ask('{ visits { totals { visits } } }')
      expect(data).toEqual({ visits: { totals: { visits: 2053 } } })
    } finally {
      await server.stop()
    }
  })
})

describe('a source that was purged before it was first read', () => {
  const ask = async (question: string) => {
    const server = await startTestServer({ databaseUrl: database.url, datasets: [Visits], clock: () => NOW })
    try {
      return await server.ask(question)
    } finally {
      await server.stop()
    }
  }

  beforeEach(async () => {
    await database.query('DROP SCHEMA aggregraph CASCADE')
    await refresher.close()
    refresher = await openRefresher(database.url)
    await refresh(Visits)
  })

  it('answers over all there is, and refuses what begins before', async () => {
    const tables = rollupTables(await refresher.define(Visits))
    expect(tables.map(({ rollup }) => rollup.name)).toHaveLength(3)
    const [row] = await database.query('SELECT count(*)::integer AS visits FROM visits')
    expect((await ask('{ visits { totals { visits } } }')).data).toEqual({
      visits: { totals: { visits: row?.visits } },
    })
    const range = (from: string) => `range: { between: { from: "${from}", to: "2026-07-01" } }`
    const early = await ask(`{ visits(${range('2026-03-01')}) { totals { visits } } }`)
    expect(early.errors?.[0]?.extensions).toMatchObject({
      code: 'NO_ROLLUP',
      missing: 'it needs data from 2026-03-01T00:00:00Z on',
    })
    const late = await ask(`{ visits(${range('2026-04-04')}) { totals { visits } } }`)
    expect(late.errors).toBeUndefined()
  })
})
