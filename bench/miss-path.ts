import { Pool } from 'pg'
import { pino } from 'pino'
import { readConfig } from '../src/config'
import type { Definition } from '../src/dataset/definition'
import { unwrap } from '../src/report/answer'
import { ReportSession } from '../src/report/report-session'
import type { ReportRequest } from '../src/report/request'
import { createServices, type Services } from '../src/services'
import { createUpkeep } from '../src/upkeep'
import { createStatementLog, type StatementLog } from '../test/support/statement-log'
import { createUnaskedRanges, type Range } from './question'
import { loadFlightsDataset } from './running-server'
import { time } from './sample'

/** What `miss-path.js` prints, as one line of JSON: milliseconds, question by question. */
export interface MissTimes {
  readonly asked: readonly number[]
  readonly sql: readonly number[]
}

const QUESTIONS = 500
/** Asked before any time counts: compilers have their own pace. */
const WARMING_QUESTIONS = 2_000
/** How many ranges the servers beside this process may have been asked for, whose answers are in Redis. */
const ASKED_ELSEWHERE = 10_000
const CONNECTIONS = 10

interface Running {
  readonly services: Services
  readonly definition: Definition
  stop(): Promise<void>
}

/** Composes what answers questions, as the server does, without HTTP and GraphQL. */
async function run(databaseUrl: string, redisUrl: string, sqlLogger?: StatementLog): Promise<Running> {
  const config = readConfig({ REDIS_URL: redisUrl, DATABASE_POOL: String(CONNECTIONS), NODE_ENV: 'production' })
  const services = createServices({ config, databaseUrl, onCacheEvent: () => undefined, sqlLogger })
  const logger = pino({ level: 'silent' })
  const upkeep = createUpkeep({ config, services, declarations: loadFlightsDataset(), logger })
  await services.redis?.connect()
  const [definition] = await upkeep.prepare()
  if (definition === undefined) throw new Error('There is no dataset')
  await upkeep.run()
  return {
    services,
    definition,
    stop: async () => {
      upkeep.stop()
      await services.close()
    },
  }
}

/** Asks for the days of a range, as one operation. */
async function ask({ services, definition }: Running, range: Range): Promise<number> {
  const session = new ReportSession(services, { claims: {}, clock: Date.now() }, new AbortController().signal)
  const request: ReportRequest = {
    range: { between: range },
    where: {},
    timezone: 'UTC',
    totals: null,
    series: [{ granularity: 'day', fill: true, measures: ['flights', 'averageDelay'], occurrences: 1 }],
    breakdowns: [],
    compares: [],
    showsMoment: false,
  }
  const { series } = await session.answer(definition, request)
  const [points] = series
  if (points === undefined) throw new Error('There is no series')
  return unwrap(points).length
}

/** Asks every question once, untimed, and gives the statement that each was answered with. */
async function learnStatements(databaseUrl: string, ranges: readonly Range[]) {
  const log = createStatementLog()
  const running = await run(databaseUrl, '', log)
  try {
    const statements: StatementLog['statements'][number][] = []
    for (const range of ranges) {
      log.clear()
      await ask(running, range)
      const statement = log.statements.find(({ sql }) => sql.startsWith('WITH state AS'))
      if (statement === undefined) throw new Error('A question that nobody had asked was answered without Postgres')
      statements.push(statement)
    }
    return statements
  } finally {
    await running.stop()
  }
}

async function main(): Promise<void> {
  const { DATABASE_URL: databaseUrl = '', REDIS_URL: redisUrl = '' } = process.env
  const next = createUnaskedRanges(ASKED_ELSEWHERE)
  const ranges = Array.from({ length: QUESTIONS }, next)
  const statements = await learnStatements(databaseUrl, ranges)
  const pool = new Pool({ connectionString: databaseUrl, max: CONNECTIONS })
  const running = await run(databaseUrl, redisUrl)
  const asked: number[] = []
  const sql: number[] = []
  try {
    for (let count = 0; count < WARMING_QUESTIONS; count += 1) {
      await ask(running, next())
      const statement = statements[count % statements.length]
      if (statement !== undefined) await pool.query(statement.sql, [...statement.parameters])
    }
    for (const [index, range] of ranges.entries()) {
      const statement = statements[index]
      if (statement === undefined) continue
      const works = [
        async () => asked.push((await time(() => ask(running, range))).ms),
        async () => sql.push((await time(() => pool.query(statement.sql, [...statement.parameters]))).ms),
      ]
      // Each is first in turn: who comes second finds the rows in Postgres' memory at the processor's side.
      for (const work of index % 2 === 0 ? works : works.reverse()) await work()
    }
    process.stdout.write(`${JSON.stringify({ asked, sql } satisfies MissTimes)}\n`)
  } finally {
    await running.stop()
    await pool.end()
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  process.exitCode = 1
})
