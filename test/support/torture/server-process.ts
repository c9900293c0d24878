import { createHash } from 'node:crypto'
import { pino } from 'pino'
import type { Logger } from 'typeorm'
import { readConfig } from '../../../src/config'
import { createServer } from '../../../src/server'
import { declarationsOf } from '../server'
import { DATASETS, TODAY } from './ticks'

export interface ServerMessage {
  readonly id: number
  readonly what: 'take'
}

/** Statements that read rollups for a part: of closed days alone, and of all others. */
export interface PartReads {
  readonly closed: number
  readonly others: number
  /** What the others are of: a digest of each part, once. */
  readonly parts: readonly string[]
}

/** The instants among the parameters of a statement, which tell the days that it is about. */
function readInstants(parameters: readonly unknown[]): string[] {
  return JSON.stringify(parameters).match(/\d{4}-\d\d-\d\dT[\d:.]+Z/g) ?? []
}

/** The program of a server process: a whole server with connections of its own, and a count of what it reads. */
async function main(): Promise<void> {
  const { TORTURE_DATABASE_URL: databaseUrl = '', TORTURE_REDIS_URL: redisUrl, TORTURE_PORT: port = '0' } = process.env
  const { TORTURE_LOG_LEVEL: level = 'silent' } = process.env
  let closed = 0
  let others = 0
  const parts = new Set<string>()
  const ignore = () => undefined
  const sqlLogger: Logger = {
    logQuery: (sql, parameters) => {
      if (!sql.startsWith('WITH state AS')) return
      const instants = readInstants(Array.isArray(parameters) ? parameters : [])
      if (instants.length > 0 && instants.every((instant) => instant < TODAY)) {
        closed += 1
        return
      }
      others += 1
      parts.add(createHash('md5').update(sql).update(JSON.stringify(parameters)).digest('hex'))
    },
    logQueryError: ignore,
    logQuerySlow: ignore,
    logSchemaBuild: ignore,
    logMigration: ignore,
    log: ignore,
  }
  const server = createServer({
    config: readConfig({
      ...{ PORT: port, DRAIN_SECONDS: '0', LOG_LEVEL: level },
      ...(redisUrl !== undefined && { REDIS_URL: redisUrl }),
    }),
    databaseUrl,
    declarations: declarationsOf(DATASETS),
    logger: pino({ level }),
    sqlLogger,
  })
  process.on('disconnect', () => void server.stop().finally(() => process.exit()))
  process.on('message', ({ id }: ServerMessage) => {
    process.send?.({ id, partReads: { closed, others, parts: [...parts] } satisfies PartReads })
    closed = 0
    others = 0
    parts.clear()
  })
  const url = await server.listen()
  await server.ready()
  process.send?.({ isReady: true, url })
}

void main()
