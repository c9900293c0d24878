import { type Connection, Query as PgQuery, type PoolClient, type Submittable } from 'pg'
import type { DataSource } from 'typeorm'
import { cutIfSilent, type Query } from './query'

/** The side of a query of `pg` that speaks the protocol; its types name `submit` alone. */
interface ProtocolQuery {
  submit(connection: Connection): Error | null
  handleRowDescription(message: object): void
  handleDataRow(message: object): void
  handleCommandComplete(message: object, connection: Connection): void
  handleEmptyQuery(connection: Connection): void
  handlePortalSuspended(connection: Connection): void
  handleReadyForQuery(connection: Connection): void
  handleError(error: Error, connection: Connection): void
}

/** Holds until the end of the transaction, which for messages sent together is the Sync behind them. */
const SET_LIMITS = `SELECT set_config('statement_timeout', $1, true), set_config('transaction_read_only', 'on', true)`

/**
 * A query that sets its own limits in the same write: Parse, Bind and Execute of the settings, then those of the query, then
 * one Sync. PostgreSQL takes what it gets up to a Sync for one transaction, so the limits need no BEGIN and no COMMIT, end
 * with the query, also a failed one, and are never left to whoever a transaction pooler gives the connection to next.
 * (PostgreSQL, "Extended Query", 54.2.3.)
 */
class LimitedQuery implements Submittable {
  /** Only the query is described; what comes before its description answers the settings. */
  #isAnswering = false

  constructor(
    private readonly query: ProtocolQuery,
    private readonly milliseconds: number,
  ) {}

  submit = (connection: Connection): Error | null => {
    connection.stream.cork()
    try {
      connection.parse({ name: '', text: SET_LIMITS, types: [] }, true)
      connection.bind({ values: [String(this.milliseconds)] }, true)
      connection.execute({}, true)
      return this.query.submit(connection)
    } finally {
      connection.stream.uncork()
    }
  }

  handleRowDescription(message: object): void {
    this.#isAnswering = true
    this.query.handleRowDescription(message)
  }

  handleDataRow(message: object): void {
    if (this.#isAnswering) this.query.handleDataRow(message)
  }

  handleCommandComplete(message: object, connection: Connection): void {
    if (this.#isAnswering) this.query.handleCommandComplete(message, connection)
  }

  handleEmptyQuery(connection: Connection): void {
    this.query.handleEmptyQuery(connection)
  }

  handlePortalSuspended(connection: Connection): void {
    this.query.handlePortalSuspended(connection)
  }

  handleReadyForQuery(connection: Connection): void {
    this.query.handleReadyForQuery(connection)
  }

  handleError(error: Error, connection: Connection): void {
    this.query.handleError(error, connection)
  }
}

function submit(client: PoolClient, sql: string, parameters: unknown[], milliseconds: number): ReturnType<Query> {
  return new Promise((resolve, reject) => {
    // Without parameters `pg` would send a simple query, which is a transaction of its own.
    const config = { text: sql, values: parameters, queryMode: 'extended' }
    const query = new PgQuery(config, (error, result) => {
      if (error) reject(error)
      else resolve({ rows: result.rows, affected: result.rowCount ?? 0 })
    })
    // Its types leave out all but `submit`, with which they say nothing of what it returns.
    client.query(new LimitedQuery(query as unknown as ProtocolQuery, milliseconds))
  })
}

/**
 * Gives the function that reads with one statement, hence one snapshot, in one round trip. Postgres ends it after so many
 * seconds (57014) and lets it write nothing (25006); if nothing is heard even then, the connection is cut.
 */
export function createReadQuery(dataSource: DataSource, seconds: number): Query {
  return async (sql, parameters = []) => {
    const runner = dataSource.createQueryRunner()
    try {
      const client: PoolClient = await runner.connect()
      dataSource.logger.logQuery(sql, [...parameters], runner)
      return await cutIfSilent(runner, seconds, () => submit(client, sql, [...parameters], seconds * 1000))
    } finally {
      await runner.release()
    }
  }
}
