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
 * Runs reads that Postgres ends after so many seconds each. The limit holds for a transaction, since behind a pooler there
 * is no session to set it in.
 */
export async function withDeadline<T>(
  dataSource: DataSource,
  seconds: number,
  work: (query: Query) => Promise<T>,
): Promise<T> {
  const runner = dataSource.createQueryRunner()
  try {
    await runner.query(`BEGIN READ ONLY; SET LOCAL statement_timeout = ${seconds * 1000}`)
    const result = await work(queryWith(runner))
    await runner.query('COMMIT')
    return result
  } catch (error) {
    // A connection that is gone cannot be rolled back, and has been already: the first error is the one to report.
    await runner.query('ROLLBACK').catch(() => undefined)
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

/** Runs statements in one transaction, committed when `work` resolves and rolled back when it rejects. */
export async function withTransaction<T>(
  dataSource: DataSource,
  isolation: Isolation,
  work: (query: Query) => Promise<T>,
): Promise<T> {
  const runner = dataSource.createQueryRunner()
  try {
    await runner.startTransaction(isolation)
    const result = await work(queryWith(runner))
    await runner.commitTransaction()
    return result
  } catch (error) {
    // A connection that is gone cannot be rolled back, and has been already: the first error is the one to report.
    if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined)
    throw error
  } finally {
    await runner.release()
  }
}
