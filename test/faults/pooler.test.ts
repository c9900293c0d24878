import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { count, Dataset, Dimension, Measure, quantile, sum } from '../../src/index'
import { readCells, readTruth, refreshOne } from '../support/captured'
import { buildCli, endCommands, runCli, startCli } from '../support/cli'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { eventually } from '../support/eventually'
import { type PgBouncer, startPgBouncer } from '../support/pgbouncer'
import { startTestServer } from '../support/server'
import { createShop } from '../support/shop'

@Dataset({ source: 'orders', time: 'at', refresh: { every: '1s', capture: 'trigger' } })
class Orders {
  @Dimension() country!: string | null
  @Measure(count()) orders!: number
  @Measure(sum('amount')) revenue!: number
  @Measure(quantile(0.5, 'amount')) median!: number | null
}

/** The same, for commands. */
const FILE = `import { count, Dataset, Dimension, Measure, quantile, sum } from 'aggregraph'
@Dataset({ source: 'orders', time: 'at', refresh: { every: '1s', capture: 'trigger' } })
export class Orders {
  @Dimension() country!: string | null
  @Measure(count()) orders!: number
  @Measure(sum('amount')) revenue!: number
  @Measure(quantile(0.5, 'amount')) median!: number | null
}
`
const QUESTION =
  '{ orders { totals { orders revenue } breakdown(by: [COUNTRY], first: 2) { totalCount nodes { country } } } }'

/** Set by the pooler itself, for each client anew; and the isolation, of which PostgreSQL says so after any transaction. */
const TRACKED = [
  ...['application_name', 'client_encoding', 'DateStyle', 'standard_conforming_strings', 'TimeZone'],
  'transaction_isolation',
]

describe('behind a pooler that gives every transaction another connection', () => {
  let database: TestDatabase
  let bouncer: PgBouncer

  // May have to install the pooler.
  beforeAll(() => buildCli(), 300_000)
  beforeEach(async () => {
    database = await createTestDatabase()
    await createShop(database)
    bouncer = await startPgBouncer(database.url)
  }, 300_000)
  afterEach(async () => {
    await endCommands()
    await bouncer?.stop()
    await database?.drop()
  })

  /** Holds every connection of the pool at once, so that each can be asked. */
  async function inspectSessions(): Promise<unknown[]> {
    const clients = Array.from({ length: bouncer.poolSize }, () => new Client(bouncer.url))
    try {
      await Promise.all(clients.map((client) => client.connect()))
      await Promise.all(clients.map((client) => client.query('BEGIN')))
      const sessions = await Promise.all(
        clients.map((client) =>
          client.query(
            `SELECT pg_backend_pid() AS pid, (SELECT count(*) FROM pg_prepared_statements)::integer AS prepared,
               ARRAY(SELECT pg_listening_channels()) AS channels,
               current_setting('transaction_isolation') AS isolation,
               ARRAY(SELECT name FROM pg_settings WHERE source = 'session' AND name <> ALL ($1::text[])) AS settings,
               (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())::integer AS locks,
               (SELECT count(*) FROM pg_class WHERE relpersistence = 't')::integer AS tables`,
            [TRACKED],
          ),
        ),
      )
      const facts = sessions.map(({ rows }) => rows[0])
      expect(new Set(facts.map(({ pid }) => pid)).size).toBe(bouncer.poolSize)
      return facts.map(({ pid: _, ...rest }) => rest)
    } finally {
      await Promise.all(clients.map((client) => client.end()))
    }
  }
  const CLEAN = { prepared: 0, channels: [], settings: [], isolation: 'read committed', locks: 0, tables: 0 }

  it('a server builds, captures, refreshes and answers, and leaves no trace in any session', async () => {
    // Connections that clients before it have used, so that each of the pool exists.
    expect(await inspectSessions()).toEqual(Array(bouncer.poolSize).fill(CLEAN))
    const server = await startTestServer({ databaseUrl: bouncer.url, datasets: [Orders] })
    try {
      for (const id of [1, 2, 3]) {
        await database.query(
          `INSERT INTO orders SELECT '2026-03-0${id} 10:00Z', 'ES', true, ${id} FROM generate_series(1, 10)`,
        )
        await eventually(async () => {
          const answers = await Promise.all(Array.from({ length: 20 }, () => server.ask(QUESTION)))
          return answers.every(({ data }) => JSON.stringify(data).includes(`"orders":${48 + 10 * id}`)) || null
        })
      }
    } finally {
      await server.stop()
    }
    await refreshOne(bouncer.url, Orders, { full: true })
    expect(await inspectSessions()).toEqual(Array(bouncer.poolSize).fill(CLEAN))
  })

  it('two refreshers at once take turns, and lose nothing', async () => {
    await Promise.all([refreshOne(bouncer.url, Orders), refreshOne(bouncer.url, Orders)])
    for (const amount of [1, 2, 3]) {
      await database.query(`UPDATE orders SET amount = ${amount} WHERE paid`)
      await Promise.all([1, 2, 3].map(() => refreshOne(bouncer.url, Orders)))
    }
    const cells = await readCells(database)
    expect(cells).toEqual(await readTruth(database, 'orders'))
  })

  it('the commands work', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'aggregraph-test-pooler-'))
    const env = { DATABASE_URL: bouncer.url, AGGREGRAPH_DATASETS: folder }
    try {
      await writeFile(join(folder, 'orders.ts'), FILE)
      expect(await runCli(['migrate'], env)).toMatchObject({ code: 0 })
      expect(await runCli(['refresh'], env)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('48 source rows'),
      })
      expect(await runCli(['explain', QUESTION], env)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('country'),
      })
      expect(await runCli(['status', '--json'], env)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('"exact": true'),
      })
      const doctor = await runCli(['doctor'], env)
      expect(doctor.stdout).not.toContain('FAULT')
      expect(doctor.code).toBe(0)
      const watching = startCli(['refresh', '--watch'], { ...env, LOG_LEVEL: 'info' })
      await database.query(`DELETE FROM orders WHERE amount > 24`)
      await eventually(async () => ((await readCells(database)).length === 24 ? true : null), 20_000)
      watching.signal('SIGTERM')
      expect((await watching.exited).code).toBe(0)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
    expect(await inspectSessions()).toEqual(Array(bouncer.poolSize).fill(CLEAN))
  })
})
