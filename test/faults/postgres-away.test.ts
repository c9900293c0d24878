import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded/embedded-postgres'
import { findFreePort } from '../../src/embedded/free-port'
import { eventually } from '../support/eventually'
import { type Redis, startRedis } from '../support/redis'
import { ask, startTestServer, type TestServer } from '../support/server'
import { createShop, Orders, placeOrder } from '../support/shop'

const QUESTION = '{ orders { totals { orders } breakdown(by: [COUNTRY]) { totalCount } } }'
const ANSWER = { orders: { totals: { orders: 48 }, breakdown: { totalCount: 4 } } }

const STALE_QUESTION = QUESTION.replace('{ orders {', '{ orders { meta { stale dataAsOf }')

interface Readiness {
  readonly status: number
  readonly body: { readonly status: string; readonly reasons: readonly string[] }
}

describe('a Postgres of its own', () => {
  let directory: string
  let port: number
  let url: URL
  let postgres: EmbeddedPostgres | null = null
  const stops: (() => Promise<void>)[] = []

  async function startPostgres(): Promise<void> {
    postgres = await startEmbeddedPostgres({
      directory,
      onLog: () => undefined,
      settings: { port: String(port), fsync: 'off', shared_buffers: '16MB' },
    })
    url = new URL(postgres.url)
    url.port = String(port)
  }
  async function stopPostgres(): Promise<void> {
    await postgres?.stop()
    postgres = null
  }
  async function killPostgres(): Promise<void> {
    if (postgres === null) return
    process.kill(postgres.pid, 'SIGKILL')
    await postgres.exited
    postgres = null
  }
  async function query(sql: string): Promise<Record<string, unknown>[]> {
    const client = new Client({ connectionString: url.href })
    await client.connect()
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows
    } finally {
      await client.end()
    }
  }

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), `aggregraph-test-${process.pid}-away-`))
    port = await findFreePort()
    await startPostgres()
    await createShop({ query })
  })
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop()
    if (postgres === null) await startPostgres()
    await query('DROP SCHEMA IF EXISTS aggregraph CASCADE')
  })
  afterAll(async () => {
    await stopPostgres()
    await rm(directory, { recursive: true, force: true })
  })

  async function serve(
    options: { databaseUrl?: string; env?: Record<string, string>; waits?: boolean } = {},
  ): Promise<TestServer> {
    const server = await startTestServer({ databaseUrl: url.href, datasets: [Orders], ...options })
    stops.push(() => server.stop())
    return server
  }
  async function readReadiness(server: TestServer): Promise<Readiness> {
    const response = await fetch(`${server.url}/readyz`)
    return { status: response.status, body: (await response.json()) as Readiness['body'] }
  }
  const untilReady = (server: TestServer) =>
    eventually(async () => ((await readReadiness(server)).body.status === 'ready' ? true : null), 30_000)

  async function expectRefused(server: TestServer, question = QUESTION): Promise<void> {
    const { response, ...body } = await server.ask(question)
    expect({ status: response.status, retryAfter: response.headers.get('retry-after') }).toEqual({
      status: 503,
      retryAfter: expect.stringMatching(/^[1-9]\d*$/),
    })
    expect(body).not.toHaveProperty('data')
    expect(body.errors?.map(({ extensions }) => extensions.code)).toEqual(
      body.errors?.map(() => 'UPSTREAM_UNAVAILABLE'),
    )
    expectDiscreet(JSON.stringify(body))
  }
  /** Nothing that an attacker could use: no password, user, address or words of Postgres'. */
  function expectDiscreet(text: string): void {
    for (const secret of [url.password, url.port, '127.0.0.1', 'ECONNREFUSED', 'wrong-secret', 'select', 'stack']) {
      expect(text).not.toContain(secret)
    }
  }
  /** The answer from before, which says that it may be old. */
  async function expectStale(server: TestServer): Promise<void> {
    const { response, data, errors } = await server.ask(STALE_QUESTION)
    expect({ status: response.status, data, errors, cacheControl: response.headers.get('cache-control') }).toEqual({
      status: 200,
      data: { orders: { ...ANSWER.orders, meta: { stale: true, dataAsOf: expect.stringMatching(/Z$/) } } },
      errors: undefined,
      cacheControl: 'no-store',
    })
  }
  /** Waits until the server says of itself that what it answers may be stale; gives what it said. */
  async function untilStale(server: TestServer): Promise<string> {
    const { status, body } = await eventually(async () => {
      const readiness = await readReadiness(server)
      return readiness.body.status === 'stale' ? readiness : null
    })
    expect(status).toBe(200)
    return JSON.stringify(body)
  }
  async function expectAlive(server: TestServer): Promise<void> {
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
  }

  it('that is down at start is waited for, and /readyz says so', async () => {
    await stopPostgres()
    const server = await serve({ waits: false })
    const { status, body } = await eventually(async () => {
      const readiness = await readReadiness(server)
      return readiness.body.reasons.join().includes('nothing listens') ? readiness : null
    })
    expect({ status, body }).toEqual({
      status: 503,
      body: {
        status: 'starting',
        reasons: ['The database cannot be reached: nothing listens where DATABASE_URL points.'],
      },
    })
    await expectAlive(server)
    await expectRefused(server)

    await startPostgres()
    await untilReady(server)
    expect((await server.ask(QUESTION)).data).toEqual(ANSWER)
  })

  it('that refuses the password is waited for, and the password is told to nobody', async () => {
    const wrong = new URL(url)
    wrong.password = 'wrong-secret'
    const server = await serve({ databaseUrl: wrong.href, waits: false })
    const { status, body } = await eventually(async () => {
      const readiness = await readReadiness(server)
      return readiness.body.reasons.join().includes('password') ? readiness : null
    })
    expect({ status, state: body.status }).toEqual({ status: 503, state: 'starting' })
    expectDiscreet(JSON.stringify(body))
    await expectRefused(server)

    await query(`ALTER ROLE ${url.username} PASSWORD 'wrong-secret'`)
    try {
      await untilReady(server)
      expect((await server.ask(QUESTION)).data).toEqual(ANSWER)
    } finally {
      await changePasswordBack(wrong)
    }
  })
  async function changePasswordBack(wrong: URL): Promise<void> {
    const client = new Client({ connectionString: wrong.href })
    await client.connect()
    await client.query(`ALTER ROLE ${url.username} PASSWORD '${url.password}'`)
    await client.end()
  }

  it('that has no such database is waited for', async () => {
    const missing = new URL(url)
    missing.pathname = '/shop_that_comes_later'
    const server = await serve({ databaseUrl: missing.href, waits: false })
    await eventually(async () =>
      (await readReadiness(server)).body.reasons.join().includes('no database of the name') ? true : null,
    )
    await expectRefused(server)
  })

  it('killed while serving leaves what is kept as stale, refuses the rest until it is back, and the process lives', async () => {
    const server = await serve()
    expect((await server.ask(STALE_QUESTION)).data).toMatchObject({
      orders: { ...ANSWER.orders, meta: { stale: false } },
    })
    const questions = ['{ orders { totals { revenue } } }', '{ orders { series(granularity: DAY) { start } } }']
    for (let round = 0; round < 2; round += 1) {
      await killPostgres()
      await expectStale(server)
      for (const question of questions) await expectRefused(server, question)
      await Promise.all(Array.from({ length: 30 }, () => expectStale(server)))
      expectDiscreet(await untilStale(server))
      await expectAlive(server)

      await startPostgres()
      await untilReady(server)
      expect((await server.ask(STALE_QUESTION)).data).toMatchObject({
        orders: { ...ANSWER.orders, meta: { stale: false } },
      })
    }
  })

  it('killed under load fails no request in any other way', async () => {
    const server = await serve()
    let isOver = false
    const seen = new Map<string, number>()
    const clients = Array.from({ length: 20 }, async (_, number) => {
      for (let turn = number; !isOver; turn += 1) {
        // Every question is a new one, so that each needs its rows.
        const { response, data, errors } = await ask(
          server.url,
          `{ orders(where: { country: { ne: "${turn}-${number}" } }) { totals { orders } } }`,
        )
        const outcome = `${response.status} ${errors?.[0]?.extensions.code ?? JSON.stringify(data)}`
        seen.set(outcome, (seen.get(outcome) ?? 0) + 1)
      }
    })
    const [right, refused] = ['200 {"orders":{"totals":{"orders":48}}}', '503 UPSTREAM_UNAVAILABLE']
    try {
      await eventually(async () => ((seen.get(right) ?? 0) > 100 ? true : null))
      await killPostgres()
      await eventually(async () => ((seen.get(refused) ?? 0) > 100 ? true : null))
      await startPostgres()
      const before = seen.get(right) ?? 0
      await eventually(async () => ((seen.get(right) ?? 0) > before + 100 ? true : null))
    } finally {
      isOver = true
      await Promise.all(clients)
    }
    expect([...seen.keys()].sort()).toEqual([right, refused])
  })

  it('standing still answers nothing, but the process says so in time, and goes on with it', async () => {
    const server = await serve({ env: { REQUEST_TIMEOUT_SECONDS: '2' } })
    expect((await server.ask(STALE_QUESTION)).data).toMatchObject(ANSWER)
    const backends = await query('SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()')
    const pids = [...(postgres === null ? [] : [postgres.pid]), ...backends.map(({ pid }) => Number(pid))]
    for (const pid of pids) process.kill(pid, 'SIGSTOP')
    try {
      const began = performance.now()
      const { response, errors } = await server.ask('{ orders { totals { revenue } } }')
      expect([503, 504]).toContain(response.status)
      expect(['UPSTREAM_UNAVAILABLE', 'TIMEOUT']).toContain(errors?.[0]?.extensions.code)
      expect(performance.now() - began).toBeLessThan(3_000)
      await expectAlive(server)
      expect(await untilStale(server)).toContain('The database cannot be reached: it does not answer.')
      await expectStale(server)
    } finally {
      for (const pid of pids) process.kill(pid, 'SIGCONT')
    }
    await untilReady(server)
    expect((await server.ask(QUESTION)).data).toEqual(ANSWER)
  })

  describe('with a Redis beside it', () => {
    let redis: Redis
    beforeEach(async () => {
      redis = await startRedis()
      stops.push(() => redis.stop())
    })

    it('killed while serving leaves what is cached, says so, and refuses the rest', async () => {
      const server = await serve({ env: { REDIS_URL: redis.url } })
      await untilReady(server)
      expect((await server.ask(STALE_QUESTION)).data).toMatchObject(ANSWER)
      await killPostgres()
      await untilStale(server)
      await expectStale(server)
      await expectRefused(server, '{ orders { totals { largest } } }')
      const mixed = await server.ask(
        '{ orders { meta { stale } totals { orders } series(granularity: DAY) { start } } }',
      )
      expect({ status: mixed.response.status, data: mixed.data, code: mixed.errors?.[0]?.extensions.code }).toEqual({
        status: 200,
        data: { orders: { meta: { stale: true }, totals: { orders: 48 }, series: null } },
        code: 'UPSTREAM_UNAVAILABLE',
      })
      await redis.kill()
      await eventually(async () => (JSON.stringify(await readReadiness(server)).includes('Redis') ? true : null))
      await expectStale(server)
      await expectAlive(server)

      await startPostgres()
      await eventually(async () => ((await readReadiness(server)).body.status === 'degraded' ? true : null), 30_000)
      expect((await server.ask('{ orders { totals { largest } } }')).data).toEqual({
        orders: { totals: { largest: 48 } },
      })
    })

    it('that comes back without the rollups is built again, whatever Redis remembers', async () => {
      const first = await serve({ env: { REDIS_URL: redis.url } })
      expect((await first.ask(QUESTION)).data).toEqual(ANSWER)
      await query('DROP SCHEMA aggregraph CASCADE')
      await placeOrder({ query })
      try {
        const second = await serve({ env: { REDIS_URL: redis.url } })
        expect((await second.ask('{ orders { totals { orders } } }')).data).toEqual({
          orders: { totals: { orders: 49 } },
        })
      } finally {
        await query('DELETE FROM orders WHERE amount = 1000')
      }
    })
  })
})
