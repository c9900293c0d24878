import { hash } from 'node:crypto'
import { type Connection, Query as PgQuery, type PoolClient, type Submittable } from 'pg'
import type { DataSource } from 'typeorm'
import { codeOf } from './postgres-errors'
import { cutIfSilent, type Query } from './query'

/** A query that, with `prepares`, is parsed and planned once for a connection: for texts that come again and again. */
export type ReadQuery = (sql: string, parameters?: readonly unknown[], prepares?: boolean) => ReturnType<Query>

/** What `pg` keeps of a connection beyond its types: the texts of statements that were prepared on it, by their names. */
interface PreparingConnection extends Connection {
  readonly submittedNamedStatements: Record<string, string>
  close(message: { readonly type: 'S'; readonly name: string }): void
}

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
const SET_LIMITS = `SELECT set_config('statement_timeout', $1, true), set_config('transaction_read_only', 'on', true), pg_backend_pid()::text`
const LIMITS = 'aggregraph_limits'
/** How many texts are prepared, in the order in which they come; a prepared one takes some 50 kB of Postgres' memory. */
const MOST_PREPARED = 50
/** What was prepared is not there (somebody has dropped it), or gives other columns than it did. */
const NOT_AS_PREPARED: ReadonlySet<string> = new Set(['26000', '0A000'])

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
    /** Name of the statement, if it is to be prepared. Under `name`, `pg` would take the settings for it. */
    private readonly statement: string | undefined,
    /** Hears the number of the server process that answers. */
    private readonly onProcess: (id: number) => void,
  ) {}

  submit = (connection: Connection): Error | null => {
    connection.stream.cork()
    try {
      const name = this.#prepare(connection as PreparingConnection)
      connection.bind({ statement: name, values: [String(this.milliseconds)] }, true)
      connection.execute({}, true)
      return this.query.submit(connection)
    } finally {
      connection.stream.uncork()
    }
  }

  /** Parses the settings, once for a connection where statements are prepared, and gives the name they have then. */
  #prepare(connection: PreparingConnection): string {
    const { submittedNamedStatements: known } = connection
    if (this.statement === undefined) {
      connection.parse({ name: '', text: SET_LIMITS, types: [] }, true)
      return ''
    }
    for (const name of [LIMITS, this.statement]) {
      // A failure may have left a statement of the name; closing what is not there is no error.
      if (known[name] === undefined) connection.close({ type: 'S', name })
    }
    if (known[LIMITS] === undefined) connection.parse({ name: LIMITS, text: SET_LIMITS, types: [] }, true)
    known[LIMITS] = SET_LIMITS
    return LIMITS
  }

  handleRowDescription(message: object): void {
    this.#isAnswering = true
    this.query.handleRowDescription(message)
  }

  handleDataRow(message: { readonly fields?: readonly unknown[] }): void {
    if (this.#isAnswering) this.query.handleDataRow(message)
    else this.onProcess(Number(message.fields?.[2]))
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
    const { submittedNamedStatements: known } = connection as PreparingConnection
    delete known[LIMITS]
    if (this.statement !== undefined) delete known[this.statement]
    this.query.handleError(error, connection)
  }
}

/** The connections that are known to be to one server process each: to no pooler that changes it between transactions. */
type DirectClients = WeakSet<PoolClient>

interface Limited {
  readonly sql: string
  readonly parameters: unknown[]
  readonly milliseconds: number
  readonly name: string | undefined
}

function submit(
  client: PoolClient,
  { sql, parameters, milliseconds, name }: Limited,
  direct: DirectClients,
): ReturnType<Query> {
  return new Promise((resolve, reject) => {
    const statement = direct.has(client) ? name : undefined
    // Without parameters `pg` would send a simple query, which is a transaction of its own.
    const config = { text: sql, values: parameters, queryMode: 'extended', name: statement }
    const query = new PgQuery(config, (error, result) => {
      if (error) reject(error)
      else resolve({ rows: result.rows, affected: result.rowCount ?? 0 })
    })
    const hear = (id: number) => {
      // A pooler makes up the number that it tells clients, since it belongs to no server process.
      if (id === Reflect.get(client, 'processID')) direct.add(client)
      else direct.delete(client)
    }
    // Its types leave out all but `submit`, with which they say nothing of what it returns.
    client.query(new LimitedQuery(query as unknown as ProtocolQuery, milliseconds, statement, hear))
  })
}

/** Gives each of the first texts a name. */
function createNames(): (sql: string) => string | undefined {
  const names = new Map<string, string>()
  return (sql) => {
    const known = names.get(sql)
    if (known !== undefined || names.size >= MOST_PREPARED) return known
    // Two readers of one connection give the same text the same name, and no other.
    const name = `aggregraph_${hash('sha256', sql, 'base64url')}`
    names.set(sql, name)
    return name
  }
}

/**
 * Gives the function that reads with one statement, hence one snapshot, in one round trip. Postgres ends it after so many
 * seconds (57014) and lets it write nothing (25006); if nothing is heard even then, the connection is cut. Statements are
 * prepared only where the connection is one to Postgres itself.
 */
export function createReadQuery(dataSource: DataSource, seconds: number): ReadQuery {
  const direct: DirectClients = new WeakSet()
  const nameOf = createNames()

  async function read(sql: string, parameters: readonly unknown[], name: string | undefined): ReturnType<Query> {
    const runner = dataSource.createQueryRunner()
    try {
      const client: PoolClient = await runner.connect()
      dataSource.logger.logQuery(sql, [...parameters], runner)
      const limited = { sql, parameters: [...parameters], milliseconds: seconds * 1000, name }
      return await cutIfSilent(runner, seconds, () => submit(client, limited, direct))
    } finally {
      await runner.release()
    }
  }

  return async (sql, parameters = [], prepares = false) => {
    const name = prepares ? nameOf(sql) : undefined
    try {
      return await read(sql, parameters, name)
    } catch (error) {
      if (name === undefined || !NOT_AS_PREPARED.has(codeOf(error) ?? '')) throw error
      return read(sql, parameters, undefined)
    }
  }
}
