import { randomUUID } from 'node:crypto'
import { Client, Pool } from 'pg'

export interface TestDatabase {
  readonly url: string
  query(sql: string, params?: readonly unknown[]): Promise<Record<string, unknown>[]>
  /** Disconnects everybody and removes it. May be called again. */
  drop(): Promise<void>
}

/** Creates an empty database on the server that all tests share (or the one AGGREGRAPH_TEST_DATABASE_URL names). */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`
  // template0 allows no connection, so that creating many at once never finds it in use.
  await administer(`CREATE DATABASE ${name} TEMPLATE template0`)
  const url = new URL(serverUrl())
  url.pathname = `/${name}`
  const pool = new Pool({ connectionString: url.href, max: 4 })
  // Dropping cuts connections that lie idle in the pool.
  pool.on('error', () => {})
  let dropped: Promise<void> | null = null
  const drop = async () => {
    await pool.end()
    await administer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  }
  return {
    url: url.href,
    async query(sql, params = []) {
      const result = await pool.query<Record<string, unknown>>(sql, [...params])
      return result.rows
    },
    drop() {
      dropped ??= drop()
      return dropped
    },
  }
}

function serverUrl(): string {
  const url = process.env.AGGREGRAPH_TEST_POSTGRES_URL
  if (url === undefined) throw new Error('The tests must be started by Jest, whose set-up starts PostgreSQL.')
  return url
}

async function administer(sql: string): Promise<void> {
  const client = new Client({ connectionString: serverUrl() })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
