import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { buildCli, endCommands, runCli, startCli } from '../support/cli'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { eventually } from '../support/eventually'
import { ask } from '../support/server'
import { createShop } from '../support/shop'

const ORDERS = `import { count, Dataset, Dimension, Measure } from 'aggregraph'
@Dataset({ source: 'shop.orders', time: 'at', refresh: { every: '1s', capture: 'trigger' } })
export class Orders {
  @Dimension() country!: string | null
  @Measure(count()) orders!: number
}
`
/** The same dataset of a later release, of which the refresher does not know. */
const LATER = ORDERS.replace(
  '@Measure(count())',
  `@Measure(count({ where: 'paid' })) paidOrders!: number\n  @Measure(count())`,
)

describe('a refresher and a server of different roles', () => {
  let database: TestDatabase
  let folder: string
  let refresher: Record<string, string>
  let server: Record<string, string>
  let roles: { readonly refresher: string; readonly server: string }

  const declare = async (name: string, text: string) => {
    const path = await mkdtemp(join(folder, name))
    await writeFile(join(path, 'orders.ts'), text)
    return path
  }

  beforeAll(() => buildCli())
  beforeEach(async () => {
    database = await createTestDatabase()
    folder = await mkdtemp(join(tmpdir(), 'aggregraph-test-roles-'))
    await database.query('CREATE SCHEMA shop')
    await createShop(database)
    await database.query('ALTER TABLE orders SET SCHEMA shop')
    const digits = new URL(database.url).pathname.slice(-12)
    roles = { refresher: `Refresher ${digits}`, server: `server_${digits}` }
    const datasets = await declare('orders', ORDERS)
    const envOf = async (name: string) => {
      await database.query(`CREATE ROLE "${name}" LOGIN PASSWORD 'secret'`)
      const url = new URL(database.url)
      url.username = encodeURIComponent(name)
      url.password = 'secret'
      return { DATABASE_URL: url.href, AGGREGRAPH_DATASETS: datasets, PORT: '0', LOG_LEVEL: 'info' }
    }
    refresher = await envOf(roles.refresher)
    server = await envOf(roles.server)
  })
  afterEach(async () => {
    await endCommands()
    for (const role of Object.values(roles))
      await database.query(`DROP OWNED BY "${role}" CASCADE; DROP ROLE "${role}"`)
    await database.drop()
    await rm(folder, { recursive: true, force: true })
  })

  /** What an administrator does with the SQL that the refresher's role prints. */
  async function grant(): Promise<string> {
    const printed = await runCli(['migrate', '--sql', '--server-role', roles.server], refresher)
    expect(printed).toMatchObject({ code: 0, stderr: '' })
    await database.query(printed.stdout)
    return printed.stdout
  }

  it('get what they need by the SQL that migrate prints, and no more', async () => {
    const sql = await grant()
    expect(sql).toContain(`GRANT SELECT, TRIGGER ON shop.orders TO "${roles.refresher}"`)
    // Printed again for another server, once nothing is left to migrate.
    const again = await runCli(['migrate', '--sql', '--server-role', 'another'], refresher)
    expect(again.stderr).toBe('')
    expect(again.stdout).toMatch(/^BEGIN;\nGRANT (.*;\n)+COMMIT;\n$/)
    expect((await runCli(['migrate', '--sql'], refresher)).stdout).toBe('-- The schema "aggregraph" is up to date.\n')
    expect((await runCli(['migrate', '--server-role', 'another'], refresher)).code).toBe(2)

    expect(await runCli(['refresh'], { ...refresher, MIGRATE: 'check' })).toMatchObject({ code: 0 })
    const may = async (role: string, right: string) =>
      (
        await database.query(
          `SELECT bool_and(has_table_privilege($1, c.oid, $2)) AS all, bool_or(has_table_privilege($1, c.oid, $2)) AS any
           FROM pg_class c WHERE relnamespace = 'aggregraph'::regnamespace AND relkind = 'r'`,
          [role, right],
        )
      )[0]
    expect(await may(roles.server, 'SELECT')).toEqual({ all: true, any: true })
    expect(await may(roles.server, 'INSERT, UPDATE, DELETE, TRUNCATE')).toEqual({ all: false, any: false })
    expect(await runCli(['status'], { ...server, MIGRATE: 'check' })).toMatchObject({ code: 0, stderr: '' })
  })

  it('names partitions, which need triggers of their own, and leaves what is not there to people', async () => {
    await database.query(`CREATE TABLE shop.parts (at timestamptz, country text) PARTITION BY RANGE (at);
      CREATE TABLE shop.part_1 PARTITION OF shop.parts DEFAULT`)
    const datasets = await declare(
      'parts',
      `${ORDERS.replace('shop.orders', 'shop.parts')}\n${ORDERS.split('\n')
        .slice(1)
        .join('\n')
        .replace("'shop.orders'", "{ sql: 'select * from shop.nothing', dependsOn: ['shop.nothing'] }")
        .replace('class Orders', 'class Nothing')}`,
    )
    const { stdout } = await runCli(['migrate', '--sql'], { ...refresher, AGGREGRAPH_DATASETS: datasets })
    expect(stdout).toContain(
      `GRANT SELECT, TRIGGER ON shop.parts TO "${roles.refresher}";\nGRANT TRIGGER ON shop.part_1 TO`,
    )
    expect(stdout).toContain(`-- When it is there: GRANT SELECT, TRIGGER ON "shop"."nothing" TO "${roles.refresher}"`)
    await database.query(stdout)
  })

  const urlOf = (text: string) => /http:\/\/[0-9.:]+/.exec(text)?.[0] ?? ''
  const COUNT = '{ orders { totals { orders } } }'

  it('work together: one refreshes, the other says what it serves, and serves it current', async () => {
    await grant()
    const watch = startCli(['refresh', '--watch'], { ...refresher, MIGRATE: 'check' })
    await watch.waitFor('Rollups built')
    const serve = startCli(['serve'], { ...server, MIGRATE: 'check' })
    const url = urlOf(await serve.waitFor('http://127'))
    const count = () =>
      ask<{ orders: { totals: { orders: number } } }>(url, COUNT).then(({ data }) => data?.orders?.totals.orders)
    expect(await eventually(async () => ((await count()) === 48 ? 48 : null))).toBe(48)
    expect(await database.query('SELECT layout FROM aggregraph.serving')).toHaveLength(1)
    for (const amount of [46, 40, 30]) {
      await database.query(`DELETE FROM shop.orders WHERE amount > ${amount}`)
      await eventually(async () => ((await count()) === amount ? true : null))
    }
    serve.signal('SIGTERM')
    watch.signal('SIGTERM')
    const [served, watched] = await Promise.all([serve.exited, watch.exited])
    expect([served.code, watched.code]).toEqual([0, 0])
    expect(watched.stderr + watched.stdout).not.toContain('"level":50')
  })

  // Its turns come as well as the refresher's, and each fails at the first statement that writes.
  it('do not fill the log with refreshes that the server may not do', async () => {
    await grant()
    expect(await runCli(['refresh'], { ...refresher, MIGRATE: 'check' })).toMatchObject({ code: 0 })
    const serve = startCli(['serve'], { ...server, MIGRATE: 'check' })
    const url = urlOf(await serve.waitFor('"Ready"'))
    await database.query('DELETE FROM shop.orders WHERE amount > 20')
    expect(await runCli(['refresh'], { ...refresher, MIGRATE: 'check' })).toMatchObject({ code: 0 })
    // That nothing happens takes time: three turns.
    await wait(3500)
    const { data } = await ask(url, COUNT)
    expect(data).toEqual({ orders: { totals: { orders: 20 } } })
    serve.signal('SIGTERM')
    const { stdout, stderr } = await serve.exited
    expect(`${stdout}${stderr}`).not.toContain('permission denied')
  })

  // Until then it tries to build them itself, again and again.
  it('wait for each other: a server of a later release says that it waits for its rollups, without a word a second', async () => {
    await grant()
    const datasets = await declare('later', LATER)
    const serve = startCli(['serve'], { ...server, MIGRATE: 'check', AGGREGRAPH_DATASETS: datasets })
    const url = urlOf(await serve.waitFor('http://127'))
    const { response } = await ask(url, COUNT)
    expect(response.status).toBe(503)
    expect(await runCli(['refresh'], { ...refresher, MIGRATE: 'check', AGGREGRAPH_DATASETS: datasets })).toMatchObject({
      code: 0,
    })
    await eventually(async () => ((await ask(url, COUNT)).response.status === 200 ? true : null), 20_000)
    serve.signal('SIGTERM')
    const { stdout, stderr } = await serve.exited
    expect(`${stdout}${stderr}`).not.toContain('permission denied')
  })
})
