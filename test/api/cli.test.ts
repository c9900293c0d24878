import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis as RedisConnection } from 'ioredis'
import { Client } from 'pg'
import { buildCli, endCommands, runCli, startCli } from '../support/cli'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { startRedis } from '../support/redis'
import { runHere } from '../support/run-here'

const ORDERS = `
import { count, Dataset, Dimension, Measure, sum } from 'aggregraph'

@Dataset({ source: 'orders', time: 'at', refresh: 'manual' })
export class Orders {
  @Dimension() country!: string | null
  @Measure(count()) orders!: number
  @Measure(sum('amount')) revenue!: number
}
`

let folder: string
let database: TestDatabase
let env: Record<string, string>

async function declare(name: string, text: string): Promise<string> {
  const directory = join(folder, name)
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, 'orders.ts'), text)
  return directory
}

beforeAll(buildCli)

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), `aggregraph-test-${process.pid}-`))
  database = await createTestDatabase()
  await database.query('CREATE TABLE orders (at timestamptz NOT NULL, country text, amount integer NOT NULL)')
  await database.query(`INSERT INTO orders SELECT '2026-03-01 10:00Z', 'ES', 5 FROM generate_series(1, 10)`)
  env = {
    DATABASE_URL: database.url,
    AGGREGRAPH_DATASETS: await declare('datasets', ORDERS),
    PORT: '0',
    DRAIN_SECONDS: '0',
  }
})

afterEach(async () => {
  await endCommands()
  await database.drop()
  await rm(folder, { recursive: true, force: true })
})

/** A user of the database that may do little, and the URL that it connects with. */
async function createUser(): Promise<{ readonly name: string; readonly url: string; readonly password: string }> {
  const name = `app_${new URL(database.url).pathname.slice(6)}`
  const password = 'verysecret'
  await database.query(`CREATE ROLE ${name} LOGIN PASSWORD '${password}'`)
  await database.query(`GRANT SELECT ON orders TO ${name}`)
  const url = new URL(database.url)
  url.username = name
  url.password = password
  return { name, url: url.href, password }
}

async function dropUser(name: string): Promise<void> {
  await database.query(`DROP OWNED BY ${name}`)
  await database.query(`DROP ROLE ${name}`)
}

describe('serve', () => {
  it('answers, logs JSON, and exits with 0 at SIGTERM', async () => {
    const cli = startCli(['serve'], env)
    const lines = (await cli.waitFor('"msg":"Ready"')).trim().split('\n')
    const { url } = lines.map((line) => JSON.parse(line)).find(({ msg }) => msg === 'Listening')
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ orders { totals { orders revenue } } }' }),
    })
    expect(await response.json()).toEqual({ data: { orders: { totals: { orders: 10, revenue: 50 } } } })
    cli.signal('SIGTERM')
    expect(await cli.exited).toMatchObject({ code: 0, stderr: '' })
  })

  it('takes settings from flags, which win over the environment', async () => {
    const cli = startCli(['serve', '--port', '0', '--log-level', 'info'], {
      ...env,
      PORT: 'nonsense',
      LOG_LEVEL: 'silent',
    })
    await cli.waitFor('"msg":"Ready"')
    cli.signal('SIGINT')
    expect(await cli.exited).toMatchObject({ code: 0, stderr: '' })
  })

  it('names every wrong setting, and no secret', async () => {
    const wrong = {
      DATABASE_URL: 'mysql://me:verysecret@db/shop',
      PORT: '70000',
      CACHE_TTL_SECONDS: 'soon',
      HOST: '0.0.0.0',
    }
    const { code, stdout, stderr } = await runCli(['serve'], wrong)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain('The settings have 4 fault(s):')
    for (const name of ['DATABASE_URL', 'PORT', 'CACHE_TTL_SECONDS', 'HOST']) expect(stderr).toContain(`  - ${name}: `)
    expect(stderr).not.toMatch(/verysecret|\n {4}at /)
  })

  it('names every fault of the datasets', async () => {
    const faulty = ORDERS.replace("'at'", "'happened'").replace("sum('amount')", "sum('price')")
    const { code, stderr } = await runCli(['serve'], { ...env, AGGREGRAPH_DATASETS: await declare('faulty', faulty) })
    expect(code).toBe(1)
    expect(stderr).toContain('The datasets have 2 fault(s):')
    expect(stderr).toContain('happened')
    expect(stderr).toContain('price')
    expect(stderr).not.toContain('\n    at ')
  })

  it('says who holds the port', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const address = other.address()
    const port = typeof address === 'object' && address !== null ? String(address.port) : ''
    const { code, stderr } = await runCli(['serve'], { ...env, PORT: port })
    other.close()
    expect([code, stderr]).toEqual([
      1,
      `Port ${port} is in use: stop the process that listens on it, or choose another with PORT or --port.\n`,
    ])
  })
})

describe('refresh', () => {
  it('builds, and then finds nothing to change', async () => {
    expect(await runCli(['refresh', 'orders'], env)).toMatchObject({
      code: 0,
      stdout: 'orders: version 1 is new; 10 source rows in 1 rows of 1 rollup(s)\n',
      stderr: 'orders: looking for changes\norders: building\norders: done\n',
    })
    const { code, stdout } = await runCli(['refresh', '--full'], env)
    expect([code, stdout]).toEqual([
      0,
      'orders: nothing has changed since version 1; 10 source rows in 1 rows of 1 rollup(s)\n',
    ])
  })

  it('refuses datasets that are not there, and names those that are', async () => {
    const { code, stderr } = await runCli(['refresh', 'order', 'sales'], env)
    expect(code).toBe(2)
    expect(stderr).toContain('there is no dataset "order", "sales"; the datasets are orders\n')
  })

  it('waits while another refresher works on the dataset', async () => {
    await runCli(['migrate'], env)
    const other = new Client({ connectionString: database.url })
    await other.connect()
    await other.query('BEGIN')
    await other.query(`SELECT pg_advisory_xact_lock(411773, hashtext('orders'))`)
    const refresh = startCli(['refresh'], env)
    await refresh.waitFor('waiting for another refresh')
    expect(await database.query('SELECT seq FROM aggregraph.layout')).toEqual([{ seq: '0' }])
    await other.end()
    expect(await refresh.exited).toMatchObject({ code: 0, stdout: expect.stringContaining('version 1 is new') })
  })

  it('tells the servers through Redis', async () => {
    const redis = await startRedis()
    const connection = new RedisConnection(redis.url)
    try {
      const { code } = await runCli(['refresh'], { ...env, REDIS_URL: redis.url })
      expect(code).toBe(0)
      expect((await connection.keys('*orders*')).length).toBeGreaterThan(0)
    } finally {
      connection.disconnect()
      await redis.stop()
    }
  })
})

describe('doctor', () => {
  it('finds nothing to complain of where all is well', async () => {
    const redis = await startRedis()
    try {
      await runCli(['refresh'], env)
      const { code, stdout, stderr } = await runCli(['doctor'], { ...env, REDIS_URL: redis.url })
      expect([code, stderr]).toEqual([0, ''])
      for (const line of [
        'ok      Schema: "aggregraph" is up to date.',
        'ok      orders: built, version 1',
        'ok      Redis: it speaks RESP3.',
      ]) {
        expect(stdout).toContain(line)
      }
      expect(stdout).not.toContain('FAULT')
    } finally {
      await redis.stop()
    }
  })

  it('says what to do about missing rights and a Redis that is away, and prints no password', async () => {
    const user = await createUser()
    const bad = { ...env, DATABASE_URL: user.url, REDIS_URL: 'redis://:alsosecret@127.0.0.1:1' }
    const { code, stdout, stderr } = await runCli(['doctor'], bad)
    await dropUser(user.name)
    expect([code, stderr]).toEqual([1, '2 fault(s) found.\n'])
    expect(stdout).toContain(`FAULT   Postgres: "${user.name}" may not create the schema "aggregraph"`)
    expect(stdout).toContain('FAULT   Redis: redis://:***@127.0.0.1:1 cannot be used: connect ECONNREFUSED')
    expect(stdout).not.toMatch(/secret/)
  })

  it('reports a rollup that is hardly smaller than its source', async () => {
    await database.query('TRUNCATE orders')
    await database.query(
      `INSERT INTO orders SELECT '2026-03-01Z'::timestamptz + i * interval '1 hour', 'ES', i FROM generate_series(1, 9) i`,
    )
    await runCli(['refresh'], env)
    const { code, stdout } = await runCli(['doctor'], env)
    expect(code).toBe(0)
    expect(stdout).toContain("advice  orders: the rollup hour × country keeps 100 % of the source's rows")
  })

  it('reports every wrong setting and every faulty dataset', async () => {
    expect(await runCli(['doctor', '--port', 'x', '--migrate', 'y'], env)).toMatchObject({
      code: 1,
      stderr: '2 fault(s) found.\n',
    })
    const datasets = await declare('faulty', ORDERS.replace("'orders', time", "'nowhere', time"))
    const { code, stdout } = await runCli(['doctor', '--datasets', datasets], env)
    expect(code).toBe(1)
    expect(stdout).toContain('FAULT   Orders: ')
  })
})

describe('migrate', () => {
  it('prints SQL with which an administrator lets a user without rights serve', async () => {
    const user = await createUser()
    const limited = { ...env, DATABASE_URL: user.url, MIGRATE: 'check' }
    expect((await runCli(['migrate'], limited)).code).toBe(1)
    const { code, stdout } = await runCli(['migrate', '--sql'], limited)
    expect(code).toBe(0)
    await database.query(stdout)
    expect(await runCli(['refresh'], limited)).toMatchObject({ code: 0 })
    expect((await runCli(['migrate', '--sql'], limited)).stdout).toBe('-- The schema "aggregraph" is up to date.\n')
    expect(await runCli(['migrate'], env)).toMatchObject({
      code: 0,
      stdout: 'The schema "aggregraph" is up to date.\n',
    })
    await dropUser(user.name)
  })
})

describe('schema', () => {
  it('writes the schema to a file, and tells when the file is another', async () => {
    const file = join(folder, 'schema.graphql')
    expect(await runCli(['schema', '--out', file], env)).toEqual({ code: 0, stdout: '', stderr: '' })
    const text = await readFile(file, 'utf8')
    expect(text).toContain('type OrdersReport {')
    expect(await runCli(['schema'], env)).toEqual({ code: 0, stdout: text, stderr: '' })
    expect((await runCli(['schema', '--out', file, '--check'], env)).code).toBe(0)
    await writeFile(file, `${text}# changed\n`)
    expect(await runCli(['schema', '--out', file, '--check'], env)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is not the schema'),
    })
    expect(await database.query(`SELECT to_regnamespace('aggregraph') AS made`)).toEqual([{ made: null }])
  })
})

describe('explain', () => {
  it('names the rollup of every part, and says why the others are not taken', async () => {
    const datasets = await declare(
      'rolled',
      ORDERS.replace(
        "refresh: 'manual'",
        "refresh: 'manual', rollups: [{ by: [], granularity: 'day', timezone: 'Asia/Kolkata' }]",
      ),
    )
    await database.query(
      `INSERT INTO orders SELECT '2026-03-01Z'::timestamptz + i * interval '1 hour', 'FR', 1 FROM generate_series(0, 99) i`,
    )
    const rolled = { ...env, AGGREGRAPH_DATASETS: datasets }
    const query = `query($zone: TimeZone!) { orders(timezone: $zone) {
      totals { orders }
      series(granularity: DAY) { measures { orders } }
      breakdown(by: [COUNTRY]) { nodes { country series(granularity: HOUR) { measures { orders } } } }
    } }`
    const asked = ['explain', query, '--variables', '{"zone":"UTC"}']
    expect((await runCli(asked, rolled)).code).toBe(1)
    await runCli(['refresh'], rolled)
    expect(await runCli(asked, rolled)).toEqual({
      code: 0,
      stderr: '',
      stdout: `orders → totals
  from day (Asia/Kolkata): the smallest that fits; reads 5 of its 5 rows
  not hour × country: it has no fewer rows, 101
orders → series(granularity: day)
  from hour × country: the only one that fits; reads 101 of its 101 rows
  not day (Asia/Kolkata): its buckets follow the clocks of Asia/Kolkata, not of UTC
orders → breakdown(by: country)
  from hour × country: the only one that fits; reads 101 of its 101 rows
  not day (Asia/Kolkata): it does not keep country
orders → breakdown(by: country) → series(granularity: hour)
  from hour × country: the only one that fits; reads at most 101 of its 101 rows
  not day (Asia/Kolkata): it does not keep country, and its day buckets do not make up hour buckets
`,
    })
    const wrong = await runCli(['explain', '{ orders { totals { sales } } }'], rolled)
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('Cannot query field "sales"') })
  })
})

const AWAY = 'postgres://app:verysecret@127.0.0.1:1/shop'

describe('every command', () => {
  const COMMANDS = ['start', 'serve', 'refresh', 'migrate', 'status', 'explain', 'doctor', 'schema']

  it('explains itself', async () => {
    const { stdout } = await runHere(['--help'])
    for (const command of COMMANDS) {
      expect(stdout).toContain(`\n  ${command} `)
      const help = await runHere([command, '--help'])
      expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining(`aggregraph ${command}`), stderr: '' })
    }
    expect(await runHere(['--version'])).toEqual({ code: 0, stdout: '1.2.3\n', stderr: '' })
  })

  it.each([
    [[]],
    [['sing']],
    [['serve', '--loud']],
    [['serve', 'now']],
    [['start', '--rows', 'some']],
    [['schema', '--check']],
  ])('exits with 2 when used wrongly: %j', async (args) => {
    expect(await runHere(args, env)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.not.stringContaining('\n    at '),
    })
  })

  it.each(['refresh', 'migrate', 'status', 'schema'])(
    '%s says in a sentence that Postgres is away',
    async (command) => {
      expect(await runCli([command], { ...env, DATABASE_URL: AWAY })).toEqual({
        code: 1,
        stdout: '',
        stderr:
          'Postgres at postgres://app:***@127.0.0.1:1/shop cannot be reached: connect ECONNREFUSED 127.0.0.1:1. Check DATABASE_URL, and that Postgres runs.\n',
      })
    },
  )

  it('shows where it failed when LOG_LEVEL is debug', async () => {
    const { stderr } = await runHere(['status', '--log-level', 'debug'], { ...env, DATABASE_URL: AWAY })
    expect(stderr).toContain('\n    at ')
  })
})
