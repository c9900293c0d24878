import { count, Dataset, Dimension, Measure, sum } from '../../src/index'
import { migrate } from '../../src/storage/migrate'
import { AddHistory1764200000000 } from '../../src/storage/migrations/1764200000000-add-history'
import { layoutId } from '../../src/storage/rollup-table'
import type { Stretch } from '../../src/time/stretch'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { findDifferences, openRefresher, type Refresher, stopServing } from '../support/refresher'

const NOW = Date.parse('2026-03-10T12:20:00Z')
const ROLLUPS = [
  { by: [], granularity: 'day', timezone: 'Europe/Madrid' },
  { by: ['country'], granularity: 'week' },
  { by: [], granularity: 'month' },
] as const

function declare(refresh: Parameters<typeof Dataset>[0]['refresh']) {
  @Dataset({ source: 'orders', time: 'at', refresh, rollups: ROLLUPS })
  class Orders {
    @Dimension() country!: string
    @Measure(count()) orders!: number
    @Measure(sum('amount')) revenue!: number
  }
  return Orders
}

/** Another layout of the same dataset. */
function declareCount() {
  @Dataset({ source: 'orders', time: 'at', refresh: { every: '24h', capture: 'trigger' } })
  class Orders {
    @Measure(count()) orders!: number
  }
  return Orders
}

const COUNTED = declareCount()
const CAPTURED = declare({ every: '24h', capture: 'trigger' })
const MODES = {
  trigger: CAPTURED,
  lookback: declare({ every: '24h', lookback: 'P3D' }),
  updatedAt: declare({ every: '24h', updatedAt: 'updated_at' }),
  manual: declare('manual'),
}

let database: TestDatabase
let refresher: Refresher

/** Orders in every hour from the middle of December on, the last of them now. */
beforeEach(async () => {
  database = await createTestDatabase()
  await database.query('CREATE TABLE orders (at timestamptz, country text, amount integer, updated_at timestamptz)')
  await database.query(`INSERT INTO orders SELECT at, country, 1, now()
    FROM generate_series('2025-12-15 00:10Z', '2026-03-10 12:10Z', interval '1 hour') AS at, unnest(ARRAY['ES', 'FR']) AS country`)
  refresher = await openRefresher(database.url)
})
afterEach(async () => {
  await refresher?.close()
  await database?.drop()
})

const refresh = (dataset: object, options: { readonly full?: boolean; readonly range?: Stretch } = {}) =>
  refresher.refresh(dataset, { clock: () => NOW, ...options })

/** What the database says last changed when: `from to seq`, in UTC to the minute. */
async function readChanges(dataset: object): Promise<string[]> {
  const id = layoutId(await refresher.define(dataset))
  const [row] = await database.query(
    `SELECT changes, lineage, left(version::text, 8) AS digits FROM aggregraph.layout WHERE id = $1`,
    [id],
  )
  expect(String(row?.lineage)).toMatch(new RegExp(`^${row?.digits}([0-9a-f]{8})*$`))
  const text = (instant: number | null, open: string) =>
    instant === null ? open : new Date(instant).toISOString().slice(0, 16)
  // As the column says.
  const changes = (row?.changes ?? []) as readonly (readonly [number | null, number | null, string])[]
  return changes.map(
    ([from, to, version]) => `${text(from, 'ever')} ${text(to, 'ever')} ${Number.parseInt(version, 10)}`,
  )
}

const touch = (where: string) =>
  database.query(`UPDATE orders SET amount = amount + 1, updated_at = now() WHERE ${where}`)
const CHANGED_HOUR = ['ever 2026-03-10T09:00 1', '2026-03-10T09:00 2026-03-10T10:00 2', '2026-03-10T10:00 ever 1']

describe('a new version names what it changed', () => {
  it('everything, when a layout is served for the first time', async () => {
    await refresh(CAPTURED)
    expect(await readChanges(CAPTURED)).toEqual(['ever ever 1'])
  })

  it.each(Object.entries(MODES))(
    'one hour, under %s, whatever else was computed anew and whatever the hour is part of',
    async (_, dataset) => {
      await refresh(dataset)
      await touch(`at = '2026-03-10 09:10Z' AND country = 'ES'`)
      expect(await refresh(dataset)).toMatchObject({ hasChanged: true, version: { seq: 2 } })
      expect(await readChanges(dataset)).toEqual(CHANGED_HOUR)
      expect(await findDifferences(database, await refresher.define(dataset))).toEqual([])
    },
  )

  it.each(Object.entries(MODES))(
    'nothing, under %s, where no row differs: there is no new version',
    async (_, dataset) => {
      await refresh(dataset)
      await database.query('UPDATE orders SET updated_at = now()')
      expect(await refresh(dataset, { full: true })).toMatchObject({ hasChanged: false, version: { seq: 1 } })
      expect(await readChanges(dataset)).toEqual(['ever ever 1'])
    },
  )

  it('one hour, of a whole recomputation in slices, and of a range', async () => {
    const { manual } = MODES
    await refresh(manual)
    await touch(`at = '2026-03-10 09:10Z' AND country = 'ES'`)
    await refresher.refresh(manual, { clock: () => NOW, full: true, sliceRows: 500 })
    expect(await readChanges(manual)).toEqual(CHANGED_HOUR)
    await touch(`at = '2026-02-01 00:10Z'`)
    await refresh(manual, { range: { from: Date.parse('2026-01-20Z'), to: Date.parse('2026-02-10Z') } })
    expect(await readChanges(manual)).toEqual([
      'ever 2026-02-01T00:00 1',
      '2026-02-01T00:00 2026-02-01T01:00 3',
      '2026-02-01T01:00 2026-03-10T09:00 1',
      ...CHANGED_HOUR.slice(1),
    ])
  })

  it('both hours, when a row moves from one day to another', async () => {
    await refresh(CAPTURED)
    await database.query(`UPDATE orders SET at = '2026-01-05 06:30Z' WHERE at = '2026-03-02 20:10Z' AND country = 'FR'`)
    await refresh(CAPTURED)
    expect(await readChanges(CAPTURED)).toEqual([
      'ever 2026-01-05T06:00 1',
      '2026-01-05T06:00 2026-01-05T07:00 2',
      '2026-01-05T07:00 2026-03-02T20:00 1',
      '2026-03-02T20:00 2026-03-02T21:00 2',
      '2026-03-02T21:00 ever 1',
    ])
  })

  it('the hour that a deletion emptied, and one that an order opened', async () => {
    await refresh(CAPTURED)
    await database.query(`DELETE FROM orders WHERE at = '2026-03-01 05:10Z'`)
    await database.query(`INSERT INTO orders VALUES ('2026-06-01 05:10Z', 'PT', 1)`)
    await refresh(CAPTURED)
    expect((await readChanges(CAPTURED)).filter((change) => change.endsWith(' 2'))).toEqual([
      '2026-03-01T05:00 2026-03-01T06:00 2',
      '2026-06-01T05:00 2026-06-01T06:00 2',
    ])
  })

  it('the days between the first and the last hour, where they are too many to be listed', async () => {
    await refresh(CAPTURED)
    await touch(`at >= '2026-03-01' AND at < '2026-03-09'`)
    await refresh(CAPTURED)
    expect(await readChanges(CAPTURED)).toEqual([
      'ever 2026-03-01T00:00 1',
      '2026-03-01T00:00 2026-03-09T00:00 2',
      '2026-03-09T00:00 ever 1',
    ])
  })

  it('of a month what was computed anew, where no finer rollup tells when', async () => {
    @Dataset({
      source: 'orders',
      time: 'at',
      base: false,
      refresh: { every: '24h', lookback: 'P3D' },
      rollups: [
        { by: [], granularity: 'hour' },
        { by: ['country'], granularity: 'month' },
      ],
    })
    class Orders {
      @Dimension() country!: string
      @Measure(count()) orders!: number
      @Measure(sum('amount')) revenue!: number
    }
    await refresh(Orders)
    // Too old to be looked at, but the month is made from the source again.
    await touch(`at = '2026-03-02 09:10Z'`)
    await refresh(Orders)
    expect(await readChanges(Orders)).toEqual([
      'ever 2026-03-07T12:00 1',
      '2026-03-07T12:00 2026-04-01T00:00 2',
      '2026-04-01T00:00 ever 1',
    ])
  })

  it('at most 64 stretches, however many refreshes there were', async () => {
    await refresh(CAPTURED)
    for (let index = 0; index < 40; index += 1) {
      await touch(`at = '2026-01-01 00:10Z'::timestamptz + ${index} * interval '5 hours'`)
      await refresh(CAPTURED)
    }
    const changes = await readChanges(CAPTURED)
    expect(changes.length).toBeLessThanOrEqual(64)
    expect(changes.slice(-2)).toEqual(['2026-01-09T03:00 2026-01-09T04:00 41', '2026-01-09T04:00 ever 1'])
  })
})

describe('the histories of two layouts', () => {
  it('are each their own: what one does not look at did not change in it', async () => {
    await refresh(CAPTURED)
    await refresh(COUNTED)
    await touch(`at = '2026-03-10 09:10Z'`)
    await refresh(COUNTED)
    expect(await readChanges(CAPTURED)).toEqual(CHANGED_HOUR)
    expect(await readChanges(COUNTED)).toEqual(['ever ever 1'])
    await database.query(`DELETE FROM orders WHERE at = '2026-03-10 10:10Z'`)
    await refresh(CAPTURED)
    expect((await readChanges(CAPTURED)).at(-2)).toBe('2026-03-10T10:00 2026-03-10T11:00 3')
    expect((await readChanges(COUNTED)).at(-2)).toBe('2026-03-10T10:00 2026-03-10T11:00 2')
  })

  it('begin anew in one that nobody serves, and once more when it is served again', async () => {
    await refresh(CAPTURED)
    await touch(`at = '2026-03-10 09:10Z'`)
    await refresh(CAPTURED)
    await stopServing(database, await refresher.define(CAPTURED))
    await refresh(COUNTED)
    await touch(`at = '2026-03-10 09:10Z'`)
    await refresh(COUNTED)
    expect(await readChanges(CAPTURED)).toEqual(['ever ever 3'])
    await refresh(CAPTURED)
    expect(await readChanges(CAPTURED)).toEqual(['ever ever 4'])
  })
})

describe('retention', () => {
  it('changes what lies before the day from which a rollup is kept', async () => {
    @Dataset({
      source: 'orders',
      time: 'at',
      refresh: { every: '24h', capture: 'trigger' },
      rollups: [{ by: [], granularity: 'day', keep: 'P30D' }],
    })
    class Orders {
      @Measure(count()) orders!: number
    }
    await refresh(Orders)
    await refresher.refresh(Orders, { clock: () => NOW + 86_400_000 })
    expect(await readChanges(Orders)).toEqual(['ever 2026-02-09T00:00 2', '2026-02-09T00:00 ever 1'])
    await database.query(`DELETE FROM orders WHERE at = '2026-03-10 09:10Z'`)
    await refresher.refresh(Orders, { clock: () => NOW + 2 * 86_400_000 })
    expect(await readChanges(Orders)).toEqual([
      'ever 2026-02-10T00:00 3',
      '2026-02-10T00:00 2026-03-10T09:00 1',
      '2026-03-10T09:00 2026-03-10T10:00 3',
      '2026-03-10T10:00 ever 1',
    ])
  })
})

describe('a release that knows of no history', () => {
  it('makes the next one that does begin anew', async () => {
    await refresh(CAPTURED)
    // As it writes a new version.
    await database.query('UPDATE aggregraph.layout SET seq = seq + 1, version = gen_random_uuid()')
    await touch(`at = '2026-03-10 09:10Z'`)
    await refresh(CAPTURED)
    expect(await readChanges(CAPTURED)).toEqual([
      'ever 2026-03-10T09:00 2',
      '2026-03-10T09:00 2026-03-10T10:00 3',
      '2026-03-10T10:00 ever 2',
    ])
  })

  it('leaves layouts of which the next one knows no more than their version', async () => {
    await refresh(CAPTURED)
    const { dataSource } = refresher
    const runner = dataSource.createQueryRunner()
    await new AddHistory1764200000000().down(runner)
    await runner.release()
    await database.query(`DELETE FROM aggregraph.migration WHERE name = 'AddHistory1764200000000'`)
    await migrate(dataSource)
    expect(await readChanges(CAPTURED)).toEqual(['ever ever 1'])
  })
})
