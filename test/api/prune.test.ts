import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { runHere } from '../support/run-here'
import { createShop } from '../support/shop'

const declare = (name: string, measure: string) => `
import { count, Dataset, Measure, sum } from 'aggregraph'

@Dataset({ source: 'orders', time: 'at', refresh: { every: '24h', capture: 'trigger' } })
export class ${name} {
  @Measure(count()) orders!: number
  ${measure}
}
`
const REVENUE = `@Measure(sum('amount')) revenue!: number`
const FOLDERS = {
  old: declare('Orders', ''),
  new: declare('Orders', REVENUE),
  wrong: declare('Orders', `@Measure(sum({ sql: '1 / (amount - 5)' })) revenue!: number`),
  other: declare('Sales', REVENUE),
}
type Folder = keyof typeof FOLDERS

let root: string
let database: TestDatabase

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), `aggregraph-test-${process.pid}-`))
})
afterAll(() => rm(root, { recursive: true, force: true }))
beforeEach(async () => {
  database = await createTestDatabase()
  await createShop(database)
})
afterEach(() => database?.drop())

/** Runs a command with the datasets of one folder. */
async function run(folder: Folder, ...args: readonly string[]) {
  const directory = await mkdtemp(join(root, `${folder}-`))
  await writeFile(join(directory, 'datasets.ts'), FOLDERS[folder])
  return runHere(args, { DATABASE_URL: database.url, AGGREGRAPH_DATASETS: directory })
}

async function build(folder: Folder): Promise<string> {
  const before = await listLayouts()
  await run(folder, 'refresh')
  const [id] = (await listLayouts()).filter((layout) => !before.includes(layout))
  if (id === undefined) throw new Error(`Nothing was built of ${folder}`)
  return id
}

async function listLayouts(): Promise<string[]> {
  const rows = await database
    .query('SELECT id FROM aggregraph.layout ORDER BY created_at')
    .catch((): Record<string, unknown>[] => [])
  return rows.map(({ id }) => String(id))
}

/** Everything in the schema that belongs to layouts, by kind. */
async function countRemains() {
  const [row] = await database.query(`SELECT
    (SELECT count(*)::integer FROM pg_class WHERE relnamespace = 'aggregraph'::regnamespace AND relname ~ '_(census|[0-9])$') AS tables,
    (SELECT count(*)::integer FROM pg_proc WHERE pronamespace = 'aggregraph'::regnamespace AND proname LIKE 'capture%') AS functions,
    (SELECT count(*)::integer FROM pg_trigger WHERE tgrelid = 'orders'::regclass) AS triggers,
    (SELECT count(*)::integer FROM aggregraph.dirty) AS marks`)
  return row
}

/** Lets two hours pass in which nobody says that he serves anything. */
async function passHours(): Promise<void> {
  await database.query(`UPDATE aggregraph.serving SET seen_at = seen_at - interval '2 hours'`)
  await database.query(`UPDATE aggregraph.layout SET created_at = created_at - interval '2 hours'`)
}

describe('prune', () => {
  it('removes what nobody has served for an hour, with its tables; the triggers that others need stay', async () => {
    const old = await build('old')
    const fresh = await build('new')
    expect(await countRemains()).toMatchObject({ tables: 4, functions: 1, triggers: 4 })
    expect((await run('new', 'prune')).stdout).toBe('Every layout is served.\n')
    await passHours()
    expect(await run('new', 'prune', '--dry-run')).toMatchObject({
      code: 0,
      stdout: `orders: would remove the layout ${old}\n`,
    })
    expect(await listLayouts()).toEqual([old, fresh])
    expect(await run('new', 'prune')).toMatchObject({ code: 0, stdout: `orders: removed the layout ${old}\n` })
    expect(await listLayouts()).toEqual([fresh])
    expect(await countRemains()).toMatchObject({ tables: 2, functions: 1, triggers: 4 })
    expect((await run('new', 'prune')).stdout).toBe('Every layout is served.\n')
  })

  it('removes datasets that are declared no more whole: triggers, functions and marks', async () => {
    const sales = await build('other')
    const orders = await build('new')
    await database.query(`INSERT INTO orders VALUES ('2026-03-01 00:30Z', 'ES', true, 1)`)
    expect(await countRemains()).toEqual({ tables: 4, functions: 2, triggers: 8, marks: 2 })
    await passHours()
    expect((await run('new', 'prune')).stdout).toBe(`sales: removed the layout ${sales}\n`)
    expect(await listLayouts()).toEqual([orders])
    expect(await countRemains()).toEqual({ tables: 2, functions: 1, triggers: 4, marks: 1 })
  })

  it('keeps the only layout of a dataset that can be served, and one that is needed for a build', async () => {
    const old = await build('old')
    await passHours()
    expect((await run('old', 'prune')).stdout).toBe('Every layout is served.\n')
    // Nothing is built of the new release, then not all of it.
    expect((await run('new', 'prune')).stdout).toBe('Every layout is served.\n')
    expect((await run('wrong', 'refresh')).code).toBe(1)
    await passHours()
    expect((await run('wrong', 'prune')).stdout).toBe('Every layout is served.\n')
    expect((await listLayouts())[0]).toBe(old)
  })

  it('keeps what is served again between the look and the removal', async () => {
    const old = await build('old')
    await build('new')
    await passHours()
    const server = new Client({ connectionString: database.url })
    await server.connect()
    try {
      await server.query('BEGIN')
      await server.query('SELECT aggregraph.announce($1)', [[old]])
      const pruning = run('new', 'prune')
      // Until the removal waits for what the server is about to say.
      for (let waiting = 0; waiting === 0; ) {
        const [row] = await database.query(`SELECT count(*)::integer AS waiting FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock'`)
        waiting = Number(row?.waiting)
      }
      await server.query('COMMIT')
      expect((await pruning).code).toBe(0)
    } finally {
      await server.end()
    }
    expect(await listLayouts()).toContain(old)
    expect((await run('old', 'refresh')).stdout).toContain('nothing has changed')
  })

  it('leaves all as it was while a writer keeps the source open, and can be run again', async () => {
    const sales = await build('other')
    await build('new')
    await passHours()
    const writer = new Client({ connectionString: database.url })
    await writer.connect()
    try {
      await writer.query('BEGIN')
      await writer.query(`INSERT INTO orders VALUES ('2026-03-01 00:30Z', 'ES', true, 1)`)
      const { code, stderr } = await run('new', 'prune')
      expect(code).toBe(1)
      expect(stderr).toContain('transactions that write to its source stay open. Prune again later.')
      expect(await listLayouts()).toContain(sales)
      await writer.query('COMMIT')
    } finally {
      await writer.end()
    }
    expect((await run('new', 'prune')).stdout).toBe(`sales: removed the layout ${sales}\n`)
    expect(await countRemains()).toEqual({ tables: 2, functions: 1, triggers: 4, marks: 1 })
  })

  it('leaves what a newer release wrote to that release, and the triggers with it', async () => {
    const old = await build('old')
    const fresh = await build('new')
    const sales = await build('other')
    await passHours()
    await database.query(`UPDATE aggregraph.layout SET recipe = jsonb_set(recipe, '{format}', '99') WHERE id = $1`, [
      old,
    ])
    const { stdout, code } = await run('new', 'prune')
    expect({ stdout, code }).toEqual({ stdout: `sales: removed the layout ${sales}\n`, code: 0 })
    expect(await listLayouts()).toEqual([old, fresh])
  })
})
