import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildCli, endCommands, type RunningCli, startCli } from '../support/cli'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { eventually } from '../support/eventually'
import { runHere } from '../support/run-here'
import { createShop } from '../support/shop'

const declare = (name: string, refresh: string, measure = '') => `
import { count, Dataset, Measure, sum } from 'aggregraph'
@Dataset({ source: 'orders', time: 'at', refresh: ${refresh}, granularity: 'day' })
export class ${name} {
  @Measure(count()) orders!: number
  ${measure}
}
`

let folder: string
let database: TestDatabase
let env: Record<string, string>

beforeAll(buildCli)
beforeEach(async () => {
  database = await createTestDatabase()
  await createShop(database)
  folder = await mkdtemp(join(tmpdir(), `aggregraph-test-${process.pid}-`))
  await writeFile(join(folder, 'orders.ts'), declare('Orders', `{ every: '1s', capture: 'trigger' }`))
  await writeFile(join(folder, 'manual.ts'), declare('ManualOrders', `'manual'`))
  env = { DATABASE_URL: database.url, AGGREGRAPH_DATASETS: folder, DRAIN_SECONDS: '0' }
})
afterEach(async () => {
  await endCommands()
  await database?.drop()
  await rm(folder, { recursive: true, force: true })
})

/** What the rollup of a dataset adds up to; null before it is built. */
async function countOrders(dataset: string): Promise<number | null> {
  const [table] = await database
    .query(
      `SELECT table_name FROM aggregraph.rollup JOIN aggregraph.layout ON id = layout WHERE dataset = $1 AND ready_at IS NOT NULL`,
      [dataset],
    )
    .catch((): Record<string, unknown>[] => [])
  if (table === undefined) return null
  const [row] = await database.query(
    `SELECT sum(orders_count)::integer AS orders FROM aggregraph."${table.table_name}"`,
  )
  return Number(row?.orders)
}

const addOrder = (at: string) => database.query(`INSERT INTO orders VALUES ($1, 'ES', true, 1)`, [at])

describe('refresh --watch', () => {
  async function stop(watch: RunningCli) {
    watch.signal('SIGTERM')
    return watch.exited
  }

  it('builds, refreshes on the intervals, and ends with 0 when it is told to', async () => {
    const watch = startCli(['refresh', '--watch'], env)
    expect(await eventually(() => countOrders('orders'), 30_000)).toBe(48)
    expect(await eventually(() => countOrders('manualOrders'), 30_000)).toBe(48)
    await addOrder('2026-03-01 05:00Z')
    expect(await eventually(async () => ((await countOrders('orders')) === 49 ? 49 : null))).toBe(49)
    await addOrder('2026-03-02 05:00Z')
    expect(await eventually(async () => ((await countOrders('orders')) === 50 ? 50 : null))).toBe(50)
    // That one waits to be told.
    expect(await countOrders('manualOrders')).toBe(48)
    expect((await stop(watch)).code).toBe(0)
  })

  it('goes on once a source that was gone is there again', async () => {
    const watch = startCli(['refresh', '--watch', 'orders'], env)
    expect(await eventually(() => countOrders('orders'), 30_000)).toBe(48)
    await database.query('ALTER TABLE orders RENAME TO elsewhere')
    await watch.waitFor('its source table public.orders does not exist any more')
    await database.query('ALTER TABLE elsewhere RENAME TO orders')
    await addOrder('2026-03-01 06:00Z')
    expect(await eventually(async () => ((await countOrders('orders')) === 49 ? 49 : null), 20_000)).toBe(49)
    expect((await stop(watch)).code).toBe(0)
  })
})

describe('refresh', () => {
  it('computes the buckets of a stretch anew with --from and --to, and all of them with --full', async () => {
    expect((await runHere(['refresh'], env)).code).toBe(0)
    for (const day of [1, 2, 3]) await addOrder(`2026-03-0${day} 00:10Z`)
    const stretch = ['--from', '2026-03-02', '--to', '2026-03-03']
    expect((await runHere(['refresh', 'manualOrders', ...stretch], env)).stdout).toContain(
      'manualOrders: version 2 is new',
    )
    expect(await countOrders('manualOrders')).toBe(49)
    expect((await runHere(['refresh', 'manualOrders', ...stretch], env)).stdout).toContain(
      'nothing has changed since version 2',
    )
    expect((await runHere(['refresh', 'manualOrders', '--from', '2026-03-03T00:00:00Z'], env)).code).toBe(0)
    expect(await countOrders('manualOrders')).toBe(50)
    expect((await runHere(['refresh', '--full'], env)).code).toBe(0)
    expect([await countOrders('manualOrders'), await countOrders('orders')]).toEqual([51, 51])
  })

  it.each([
    [['--from', 'yesterday'], 'Write a date, 2026-03-01, or an RFC 3339 time, 2026-03-01T12:00:00Z.'],
    [['--from', '2026-03-02', '--to', '2026-03-02'], '--from must lie before --to'],
    [['--from', '2026-03-02', '--full'], '--from and --to go with neither --full nor --watch'],
    [['--to', '2026-03-02', '--watch'], '--from and --to go with neither --full nor --watch'],
    [['flihgts'], 'there is no dataset "flihgts"; the datasets are manualOrders, orders'],
    [['--every', '5s'], "unknown option '--every'"],
  ])('%j is refused with 2', async (flags, sentence) => {
    const { code, stderr } = await runHere(['refresh', ...flags], env)
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(sentence) })
  })
})
