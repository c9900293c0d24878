import { Client } from 'pg'
import { count, Dataset, Dimension, Measure, max, sum } from '../../src/index'
import type { RefreshProgress } from '../../src/refresh/refresher'
import { rollupTables } from '../../src/storage/rollup-table'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { findDifferences, openRefresher, type Refresher, readLayout } from '../support/refresher'

const CALENDAR = ['day', 'week', 'month', 'quarter', 'year'] as const
const REFRESH = { every: '24h', capture: 'trigger' } as const

/** Buckets of every size, in zones whose hours begin with those of UTC and in one whose hours do not. */
@Dataset({
  source: 'readings',
  time: 'at',
  refresh: REFRESH,
  rollups: ['UTC', 'Europe/Madrid', 'Asia/Kolkata'].flatMap((timezone) =>
    CALENDAR.map((granularity) => ({ by: ['place'], granularity, timezone })),
  ),
})
class Readings {
  @Dimension() place!: string | null
  @Measure(count()) readings!: number
  @Measure(sum('level')) level!: number
  @Measure(max('level')) highest!: number | null
}

/** The release before, by the same name. */
const BEFORE = (() => {
  @Dataset({ source: 'readings', time: 'at', refresh: REFRESH })
  class Readings {
    @Measure(count()) readings!: number
  }
  return Readings
})()

/** Nobody notes its changes. */
const UNCAPTURED = (() => {
  @Dataset({ source: 'readings', time: 'at', refresh: 'manual' })
  class ManualReadings {
    @Measure(count()) readings!: number
  }
  return ManualReadings
})()

const SLICE_ROWS = 200
const ROWS = 1000

let database: TestDatabase
let refresher: Refresher

beforeEach(async () => {
  database = await createTestDatabase()
  await database.query('CREATE TABLE readings (at timestamptz, place text, level integer)')
  // 417 days: over clock changes and the turn of a year.
  await database.query(`INSERT INTO readings
    SELECT '2025-01-20 00:10Z'::timestamptz + i * interval '10 hours', (ARRAY['a', 'b', NULL])[i % 3 + 1], i
    FROM generate_series(1, ${ROWS}) AS i`)
  await database.query('ANALYZE readings')
  refresher = await openRefresher(database.url)
})
afterEach(async () => {
  await refresher?.close()
  await database?.drop()
})

const differences = async () => findDifferences(database, await refresher.define(Readings))
const layout = async () => readLayout(database, await refresher.define(Readings))
const isSlice = ({ label }: RefreshProgress) => label.startsWith('building slice')

/** Builds until a slice is about to begin, and ends there as a process would that dies. */
async function buildUntil(slice: number, dataset: object = Readings): Promise<void> {
  const onProgress = ({ label }: RefreshProgress) => {
    if (label.startsWith(`building slice ${slice} of`)) throw new Error('Died')
  }
  await expect(refresher.refresh(dataset, { sliceRows: SLICE_ROWS, onProgress })).rejects.toThrow('Died')
}

/** Builds to the end, and tells what was said on the way. */
async function buildOn(): Promise<RefreshProgress[]> {
  const told: RefreshProgress[] = []
  await refresher.refresh(Readings, { sliceRows: SLICE_ROWS, onProgress: (progress) => told.push(progress) })
  return told
}

/** Moves, adds and removes rows all over the source. */
async function changeAll(): Promise<void> {
  await database.query(`UPDATE readings SET at = at + interval '40 days', place = 'moved' WHERE level % 10 = 0`)
  await database.query('DELETE FROM readings WHERE level % 7 = 0')
  await database.query(
    `INSERT INTO readings SELECT at - interval '3 days', 'new', -level FROM readings WHERE level % 9 = 0`,
  )
}

describe('a build in slices', () => {
  it('goes from the newest to the oldest, and says how far it has come', async () => {
    const told = (await buildOn()).filter(isSlice)
    expect(told.map(({ label, done, total }) => [label, done, total])).toEqual(
      [0, 1, 2, 3, 4].map((slice) => [`building slice ${slice + 1} of 5`, slice * SLICE_ROWS, ROWS]),
    )
    expect(await layout()).toMatchObject({ isReady: true, isBehind: false, builtFrom: '-infinity', seq: 1 })
    expect(await differences()).toEqual([])
  })

  it('that died goes on where it was, with what has changed in built and unbuilt slices', async () => {
    await buildUntil(3)
    const [row] = await database.query('SELECT built_from FROM aggregraph.layout')
    const builtFrom = row?.built_from
    const [newer] = await database.query('SELECT count(*)::integer AS rows FROM readings WHERE at >= $1', [builtFrom])
    expect(newer?.rows).toBe(2 * SLICE_ROWS)
    await changeAll()
    const told = (await buildOn()).filter(isSlice)
    expect(told).toHaveLength(3)
    expect(await layout()).toMatchObject({ isReady: true, builtFrom: '-infinity' })
    expect(await differences()).toEqual([])
  })

  it('that died goes on without what changed unnoticed: it shows the source as it is when it is done', async () => {
    await buildUntil(3, UNCAPTURED)
    await changeAll()
    await refresher.refresh(UNCAPTURED, { sliceRows: SLICE_ROWS })
    expect(await findDifferences(database, await refresher.define(UNCAPTURED))).toEqual([])
  })

  it('that dies again and again comes to its end', async () => {
    for (let left = 5; left > 1; left -= 1) {
      await buildUntil(2)
      await changeAll()
      await database.query('ANALYZE readings')
    }
    await buildOn()
    expect(await layout()).toMatchObject({ isReady: true })
    expect(await differences()).toEqual([])
  })

  it('whose connection is cut loses the slice under way alone', async () => {
    await buildUntil(3)
    const blocker = new Client({ connectionString: database.url })
    await blocker.connect()
    await blocker.query('BEGIN')
    const [, table] = rollupTables(await refresher.define(Readings))
    await blocker.query(`LOCK TABLE aggregraph."${table?.name}" IN SHARE MODE`)
    const refused = expect(refresher.refresh(Readings, { sliceRows: SLICE_ROWS })).rejects.toThrow()
    for (let ended = 0; ended === 0; ) {
      const killed = await database.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'INSERT INTO%'`)
      ended = killed.length
    }
    await refused
    await blocker.query('ROLLBACK')
    await blocker.end()
    expect((await layout())?.isReady).toBe(false)
    await changeAll()
    expect((await buildOn()).filter(isSlice)).toHaveLength(3)
    expect(await differences()).toEqual([])
  })

  it('is shared by two processes that build at once', async () => {
    const other = await openRefresher(database.url)
    try {
      const both = [refresher, other].map((one) => one.refresh(Readings, { sliceRows: 50 }))
      for (const { version } of await Promise.all(both)) expect(version.seq).toBe(1)
    } finally {
      await other.close()
    }
    expect(await differences()).toEqual([])
  })

  it('keeps the layout that is served current between two slices', async () => {
    await refresher.refresh(BEFORE)
    const before = await refresher.define(BEFORE)
    await buildUntil(2)
    await changeAll()
    const events: string[] = []
    await refresher.refresh(Readings, {
      sliceRows: SLICE_ROWS,
      onProgress: (progress) => {
        if (isSlice(progress)) events.push('slice')
      },
      register: {
        prepare: async () => true,
        publish: async (_, id) => {
          const hasChanged = (await findDifferences(database, before)).length > 0
          events.push(`${id.endsWith(before.hash) ? 'served' : 'new'}: ${hasChanged ? 'behind' : 'current'}`)
          return true
        },
      },
    })
    // What has changed is more than one transaction takes over, and all of it is before the next slice.
    const [first, second] = events.flatMap((event, index) => (event === 'slice' ? [index] : []))
    const between = events.slice((first ?? 0) + 1, second)
    expect(between.at(-1)).toBe('served: current')
    expect(events.slice(second).filter((event) => event.endsWith('behind'))).toEqual([])
    expect(await readLayout(database, before)).toMatchObject({ isBehind: false, lastError: null })
    expect(await differences()).toEqual([])
  })

  it('holds rows of the first and the last year there is', async () => {
    await database.query(
      `INSERT INTO readings VALUES ('0001-01-02 00:00Z', 'first', 1), ('9998-12-31 23:59:59.999Z', 'last', 1)`,
    )
    await buildOn()
    const count = async (where: string) => {
      const sums = []
      for (const { name } of rollupTables(await refresher.define(Readings))) {
        const [row] = await database.query(
          `SELECT sum(readings_count)::integer AS rows FROM aggregraph."${name}" WHERE ${where}`,
        )
        sums.push(row?.rows)
      }
      return [...new Set(sums)]
    }
    expect(await count('true')).toEqual([ROWS + 2])
    await database.query(
      `INSERT INTO readings VALUES ('0001-01-03 00:00Z', 'first', 1), ('9998-12-31 12:00Z', 'last', 1)`,
    )
    await changeAll()
    const [source] = await database.query('SELECT count(*)::integer AS rows FROM readings')
    await refresher.refresh(Readings, { sliceRows: SLICE_ROWS })
    expect(await count('true')).toEqual([source?.rows])
    await refresher.refresh(Readings, { sliceRows: SLICE_ROWS, full: true })
    expect(await count('true')).toEqual([source?.rows])
    expect(await count(`place = 'first'`)).toEqual([2])
  })
})
