import { createTestDatabase, type TestDatabase } from '../support/database'
import { eventually } from '../support/eventually'
import { type Redis, startRedis } from '../support/redis'
import { refreshFromOutside } from '../support/refresh'
import { ask, startTestServer, type TestServer } from '../support/server'
import { createShop, Orders, placeOrder } from '../support/shop'

const CLIENTS = 20
/** How long the load goes on in each state of Redis, in answers of all clients together. */
const ANSWERS_PER_STATE = 300

const days = (number: number) => `range: { between: { from: "2026-03-01", to: "2026-03-${10 + number}" } }`
/** Sixty questions: enough to miss and to hit. */
const QUESTIONS: readonly string[] = Array.from({ length: 20 }, (_, number) => [
  `{ orders(${days(number % 20)}) { totals { orders revenue averageAmount } } }`,
  `{ orders(${days(number % 20)}) { series(granularity: DAY) { start measures { orders } } } }`,
  `{ orders(${days(number % 20)}) { breakdown(by: [COUNTRY], first: 2) { totalCount nodes { country measures { revenue } series(granularity: MONTH) { measures { orders } } } other { measures { orders } } } } }`,
]).flat()

describe('Redis under load', () => {
  let database: TestDatabase
  let redis: Redis
  let server: TestServer

  beforeAll(async () => {
    database = await createTestDatabase()
    await createShop(database)
    redis = await startRedis()
    server = await startTestServer({ databaseUrl: database.url, datasets: [Orders], env: { REDIS_URL: redis.url } })
  })
  afterAll(async () => {
    await server?.stop()
    await redis?.stop()
    await database?.drop()
  })

  async function readReasons(): Promise<readonly string[]> {
    const response = await fetch(`${server.url}/readyz`)
    expect(response.status).toBe(200)
    return ((await response.json()) as { reasons: readonly string[] }).reasons
  }
  const untilConnected = () => eventually(async () => ((await readReasons()).length === 0 ? true : null), 15_000)
  const untilLost = () => eventually(async () => ((await readReasons()).length > 0 ? true : null), 15_000)

  it('may be killed, come back empty, stand still and go on, and no request fails', async () => {
    const expected = new Map<string, unknown>()
    for (const question of QUESTIONS) expected.set(question, (await server.ask(question)).data)
    await untilConnected()

    let isOver = false
    let answered = 0
    let slowest = 0
    const wrong: unknown[] = []
    const client = async (number: number) => {
      for (let turn = number; !isOver; turn += 7) {
        const question = QUESTIONS[turn % QUESTIONS.length] ?? ''
        const began = performance.now()
        const { response, data, errors } = await ask(server.url, question)
        slowest = Math.max(slowest, performance.now() - began)
        answered += 1
        const isRight = JSON.stringify(data) === JSON.stringify(expected.get(question))
        if (response.status !== 200 || errors !== undefined || !isRight) {
          wrong.push({ question, status: response.status, errors, data })
        }
      }
    }
    const clients = Array.from({ length: CLIENTS }, (_, number) => client(number))
    const counts: Record<string, number> = {}
    const during = async (state: string) => {
      const before = answered
      await eventually(async () => (answered - before >= ANSWERS_PER_STATE ? true : null), 20_000)
      counts[state] = answered - before
    }

    try {
      await during('up')
      await redis.kill()
      await during('killed')
      await untilLost()
      redis = await startRedis({ port: redis.port })
      await during('back and empty')
      await untilConnected()
      redis.pause()
      await during('standing still')
      await untilLost()
      redis.resume()
      await during('going on')
      await untilConnected()
      await during('up again')
    } finally {
      isOver = true
      await Promise.all(clients)
    }
    expect({ wrong, answered }).toEqual({ wrong: [], answered: expect.any(Number) })
    // A command waits for a silent Redis for 100 ms, a few of them for one answer, before it is left alone.
    expect(slowest).toBeLessThan(3_000)
    process.stdout.write(
      `${JSON.stringify({ ...counts, answered, wrong: wrong.length, slowestMs: Math.round(slowest) })}\n`,
    )
  })

  it('killed between a refresh and the next question hides no change', async () => {
    const count = async () =>
      (await server.ask<{ orders: { totals: { orders: number } } }>('{ orders { totals { orders } } }')).data?.orders
        .totals.orders
    const before = await count()
    await untilConnected()
    await placeOrder(database)
    await refreshFromOutside(database.url, [Orders], redis.url)
    await redis.kill()
    expect(await count()).toBe((before ?? 0) + 1)
    await placeOrder(database)
    // The refresher finds no Redis, waits for it for a while, and commits.
    await refreshFromOutside(database.url, [Orders], redis.url)
    expect(await count()).toBe((before ?? 0) + 2)
    redis = await startRedis({ port: redis.port })
    await untilConnected()
    expect(await count()).toBe((before ?? 0) + 2)
  })
})
