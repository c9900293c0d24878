import { Redis as Connection } from 'ioredis'
import { Client } from 'pg'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { type Redis, startRedis } from '../support/redis'
import { check } from '../support/torture/checker'
import { type Child, startChild } from '../support/torture/child'
import type { Begun, Commit } from '../support/torture/history'
import { now } from '../support/torture/monotonic'
import { naiveKey } from '../support/torture/naive-process'
import { QUESTIONS } from '../support/torture/questions'
import type { ReaderMessage, ReaderReport } from '../support/torture/reader-process'
import { advance, createTicks, NAMES } from '../support/torture/ticks'

type NoMessage = { readonly id: number }

/** The refreshes after which the control gives up: a race that has not happened by then does not happen. */
const MOST_REFRESHES = 2_000
const SERVERS = 2

describe('a cache by hand, whose refresher commits and then deletes the keys', () => {
  let database: TestDatabase
  let redis: Redis
  const children: Child<NoMessage>[] = []
  let reader: Child<ReaderMessage>

  beforeAll(async () => {
    database = await createTestDatabase()
    await createTicks(database)
    redis = await startRedis()
  })
  afterAll(async () => {
    await reader?.stop()
    for (const child of children) await child.stop()
    await redis?.stop()
    await database?.drop()
  })

  it('is found to be stale by the checker that finds Aggregraph never so', async () => {
    const ports: number[] = []
    for (let server = 0; server < SERVERS; server += 1) {
      const child = await startChild<NoMessage>('naive-process.ts', {
        TORTURE_DATABASE_URL: database.url,
        TORTURE_REDIS_URL: redis.url,
      })
      children.push(child)
      ports.push(Number(child.greeting.port))
    }
    reader = await startChild<ReaderMessage>('reader-process.ts', {})
    const questions = QUESTIONS.flatMap(({ name }, index) => (name.startsWith('totals_') ? [index] : []))
    const order = { ports, questions, connections: 8, seed: 1, uniquePerMille: 0 }

    const client = new Client({ connectionString: database.url })
    const connection = new Connection(redis.url)
    await client.connect()
    const begun: Begun[] = NAMES.map((_, dataset) => ({ dataset, round: 1, at: 0 }))
    const commits: Commit[] = []
    const refresh = async (dataset: number, name: (typeof NAMES)[number]) => {
      const [first = '', ...rest] = advance(name)
      await client.query('BEGIN')
      const round = Number((await client.query(first)).rows[0]?.n)
      for (const statement of rest) await client.query(statement)
      begun.push({ dataset, round, at: now() })
      await client.query('COMMIT')
      await connection.del(naiveKey(name))
      // The refresh call returns here; not even what was read between COMMIT and DEL is held against it.
      commits.push({ dataset, round, at: now() })
    }

    const names = { questions: QUESTIONS.map(({ name }) => name), datasets: NAMES }
    let stale = 0
    let answers = 0
    try {
      for (let refreshes = 0; stale === 0 && refreshes < MOST_REFRESHES; ) {
        await reader.order({ what: 'start', order })
        for (const end = refreshes + 100; refreshes < end; refreshes += 1) {
          const dataset = refreshes % NAMES.length
          await refresh(dataset, NAMES[dataset] ?? 'ticks')
        }
        const { report } = (await reader.order({ what: 'stop' })) as unknown as { report: ReaderReport }
        const verdict = check({ reads: [report.reads], failures: report.failures, commits, begun }, names)
        answers += report.answers
        stale += verdict.counts.stale
        // Its answers are whole, so that what is found is staleness and nothing else.
        expect(verdict.counts).toMatchObject({ failed: 0, mixed: 0, cut: 0, marked: 0, future: 0 })
      }
    } finally {
      await client.end()
      connection.disconnect()
    }
    process.stdout.write(
      `${JSON.stringify({ control: 'DEL after COMMIT', answers, refreshes: commits.length, stale })}\n`,
    )
    expect(stale).toBeGreaterThan(0)
  }, 120_000)
})
