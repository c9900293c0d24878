import type { PoolClient } from 'pg'
import type { DataSource, QueryRunner } from 'typeorm'

/** Rows as the driver parses them: bigint and numeric are strings, so that nothing is rounded. */
export type Row = Readonly<Record<string, unknown>>

/** Runs one statement with parameters and returns its rows and how many it affected. Errors are Postgres' own. */
export type Query = (sql: string, parameters?: readonly unknown[]) => Promise<{ rows: Row[]; affected: number }>

function queryWith(runner: QueryRunner): Query {
  return async (sql, parameters = []) => {
    const result = await runner.query(sql, [...parameters], true)
    return { rows: result.records ?? [], affected: result.affected ?? 0 }
  }
}

/** How long an answer may be on its way after Postgres had to give it. */
const GRACE_MS = 2000

/**
 * Does work that Postgres ends after so many seconds, and cuts the connection when nothing is heard of it soon after: a
 * network that swallows everything would hold it for a quarter of an hour, as long as the system goes on sending.
 * What waits then fails as ETIMEDOUT, and the pool replaces the connection.
 */
export async function cutIfSilent<T>(runner: QueryRunner, seconds: number, work: () => Promise<T>): Promise<T> {
  const client: PoolClient = await runner.connect()
  const cut = () => {
    const error = Object.assign(new Error('The database did not answer in time'), { code: 'ETIMEDOUT' })
    client.connection.stream.destroy(error)
  }
  const timer = setTimeout(cut, seconds * 1000 + GRACE_MS)
  try {
    return await work()
  } finally {
    clearTimeout(timer)
  }
}

/** Runs statements on one connection of the pool, and gives it back however they end. */
export async function withConnection<T>(dataSource: DataSource, work: (query: Query) => Promise<T>): Promise<T> {
  const runner = dataSource.createQueryRunner()
  try {
    return await work(queryWith(runner))
  } finally {
    await runner.release()
  }
}

/**
 * Runs reads that Postgres ends after so many seconds each. Each sees what was committed when it began. The limit holds for a
 * transaction, since behind a pooler there is no session to set it in.
 */
export async function withDeadline<T>(
  dataSource: DataSource,
  seconds: number,
  work: (query: Query) => Promise<T>,
): Promise<T> {
  const runner = dataSource.createQueryRunner()
  const inTime = <R>(run: () => Promise<R>) => cutIfSilent(runner, seconds, run)
  try {
    await inTime(() =>
      runner.query(`BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SET LOCAL statement_timeout = ${seconds * 1000}`),
    )
    const query = queryWith(runner)
    const result = await work((sql, parameters) => inTime(() => query(sql, parameters)))
    await inTime(() => runner.query('COMMIT'))
    return result
  } catch (error) {
    // A connection that is gone cannot be rolled back, and has been already: the first error is the one to report.
    await inTime(() => runner.query('ROLLBACK')).catch(() => undefined)
    throw error
  } finally {
    await runner.release()
  }
}

/** Lets Postgres end the statements of a process that is gone within seconds, where its platform can notice. */
async function noticeLoss(query: Query): Promise<void> {
  await query('SAVEPOINT notice_loss')
  await query(`SET LOCAL client_connection_check_interval = '2s'`).catch(() =>
    query('ROLLBACK TO SAVEPOINT notice_loss'),
  )
}

/** Runs statements in one transaction that may take as long as they need, but not longer than this process lives. */
export function withLongTransaction<T>(
  dataSource: DataSource,
  isolation: Isolation,
  work: (query: Query) => Promise<T>,
): Promise<T> {
  return withTransaction(dataSource, isolation, async (query) => {
    await query('SET LOCAL statement_timeout = 0')
    await query(`SET LOCAL idle_in_transaction_session_timeout = '60s'`)
    await noticeLoss(query)
    await query('SET LOCAL jit = off')
    return work(query)
  })
}

export type Isolation = 'READ COMMITTED' | 'REPEATABLE READ'

/**
 * Runs statements in one transaction, committed when `work` resolves and rolled back when it rejects. With `seconds`, the
 * most that `work` lets each of its statements take, a connection on which nothing is heard for longer is cut.
 */
export async function withTransaction<T>(
  dataSource: DataSource,
  isolation: Isolation,
  work: (query: Query) => Promise<T>,
  seconds?: number,
): Promise<T> {
  const runner = dataSource.createQueryRunner()
  const inTime = <R>(run: () => Promise<R>) => (seconds === undefined ? run() : cutIfSilent(runner, seconds, run))
  try {
    await inTime(() => runner.startTransaction(isolation))
    const query = queryWith(runner)
    const result = await work((sql, parameters) => inTime(() => query(sql, parameters)))
    await inTime(() => runner.commitTransaction())
    return result
  } catch (error) {
    // A connection that is gone cannot be rolled back, and has been already: the first error is the one to report.
    if (runner.isTransactionActive) await inTime(() => runner.rollbackTransaction()).catch(() => undefined)
    throw error
  } finally {
    await runner.release()
  }
}
