import type { DataSource } from 'typeorm'
import { createDataSource } from '../../src/storage/data-source'
import { codeOf, isUnavailable } from '../../src/storage/postgres-errors'
import { withConnection, withDeadline, withTransaction } from '../../src/storage/query'
import { createReadQuery, type ReadQuery } from '../../src/storage/read-query'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { type PgBouncer, startPgBouncer } from '../support/pgbouncer'
import { createStatementLog } from '../support/statement-log'
import { openLink } from '../support/torture/proxy'

const SETTINGS = `SELECT current_setting('statement_timeout') AS timeout, current_setting('transaction_read_only') AS read_only`

describe.each(['Postgres', 'a transaction pooler'])('a read through %s', (way) => {
  const statements = createStatementLog()
  let database: TestDatabase
  let bouncer: PgBouncer | null = null
  let dataSource: DataSource
  let read: ReadQuery

  // May have to install the pooler.
  beforeAll(async () => {
    database = await createTestDatabase()
    if (way === 'a transaction pooler') bouncer = await startPgBouncer(database.url)
    const { url } = bouncer ?? database
    // One connection, so that each statement finds what the one before it left.
    dataSource = await createDataSource({ url, schema: 'aggregraph', poolSize: 1, logger: statements }).initialize()
    read = createReadQuery(dataSource, 20)
    await database.query('CREATE TABLE things (id integer)')
  }, 300_000)
  afterAll(async () => {
    await dataSource?.destroy()
    await bouncer?.stop()
    await database?.drop()
  })

  const readOutside = (sql: string) => withConnection(dataSource, (query) => query(sql))

  it('is one statement with its own limits, of which nothing is left', async () => {
    const before = await readOutside(SETTINGS)
    statements.clear()
    expect((await read(SETTINGS)).rows).toEqual([{ timeout: '20s', read_only: 'on' }])
    expect(statements.statements.map(({ sql }) => sql)).toEqual([SETTINGS])
    expect(await readOutside(SETTINGS)).toEqual(before)
  })

  it('gives the very rows that a query of its own would', async () => {
    const sql = `SELECT $1::text AS a, $2::bigint AS b, $3::timestamptz[] AS c, $4::text[] AS d, $5::boolean AS e, n
      FROM generate_series(1, 3) AS n`
    const parameters = [`it's "so", {1}`, '9007199254740993', ['2026-03-01T00:00:00.000Z'], [null, 'a,b', '"'], true]
    const answer = await read(sql, parameters)
    expect(answer).toEqual(await withConnection(dataSource, (query) => query(sql, parameters)))
    expect(answer.rows).toHaveLength(3)
    expect(await read('SELECT FROM things WHERE id = $1', [1])).toEqual({ rows: [], affected: 0 })
  })

  it('is prepared where its text comes again, and only on a connection to Postgres itself', async () => {
    const sql = 'SELECT $1::integer AS n, (SELECT count(*)::integer FROM pg_prepared_statements) AS prepared'
    const answers = [await read(sql, [1], true), await read(sql, [2], true), await read(sql, [3], true)]
    const prepared = way === 'Postgres' ? 2 : 0
    expect(answers.map(({ rows }) => rows[0])).toEqual([
      { n: 1, prepared },
      { n: 2, prepared },
      { n: 3, prepared },
    ])
    expect((await read(SETTINGS, [], true)).rows).toEqual([{ timeout: '20s', read_only: 'on' }])
    expect((await read(SETTINGS, [], true)).rows).toEqual([{ timeout: '20s', read_only: 'on' }])
  })

  it('is answered again after it failed, was dropped by somebody, or has other columns now', async () => {
    const divide = 'SELECT 12 / $1::integer AS n'
    for (let time = 0; time < 2; time += 1) {
      expect((await read(divide, [3], true)).rows).toEqual([{ n: 4 }])
      await expect(read(divide, [0], true)).rejects.toThrow('division by zero')
      await expect(read('SELECT nothing FROM nowhere', [], true)).rejects.toThrow('nowhere')
    }
    await readOutside('DEALLOCATE ALL')
    expect((await read(divide, [2], true)).rows).toEqual([{ n: 6 }])
    await database.query('CREATE TABLE kinds AS SELECT 1 AS kind')
    expect((await read('SELECT * FROM kinds', [], true)).rows).toEqual([{ kind: 1 }])
    await database.query(`DROP TABLE kinds; CREATE TABLE kinds AS SELECT 'a' AS kind, true AS more`)
    expect((await read('SELECT * FROM kinds', [], true)).rows).toEqual([{ kind: 'a', more: true }])
    expect((await read('SELECT * FROM kinds', [], true)).rows).toEqual([{ kind: 'a', more: true }])
  })

  it('is prepared for no more than fifty texts', async () => {
    for (let number = 0; number < 60; number += 1) {
      const sql = `SELECT ${number} AS n`
      expect((await read(sql, [], true)).rows).toEqual([{ n: number }])
    }
    const { rows } = await read('SELECT count(*)::integer AS prepared FROM pg_prepared_statements')
    expect(Number(rows[0]?.prepared)).toBeLessThanOrEqual(51)
  })

  it('is ended by Postgres when it takes too long, and leaves the connection as it was', async () => {
    const before = await readOutside(SETTINGS)
    const late = createReadQuery(dataSource, 0.2)
    const error: unknown = await late('SELECT pg_sleep(60)').catch((failure: unknown) => failure)
    expect(codeOf(error)).toBe('57014')
    expect(await readOutside(SETTINGS)).toEqual(before)
  })

  it.each([
    ['writes', 'INSERT INTO things VALUES (1)', '25006'],
    ['is no SQL', 'SELECT FROM', '42601'],
    ['fails half-way', 'SELECT 1 / (2 - n) FROM generate_series(1, 3) AS n', '22012'],
  ])('that %s fails, and the next one is answered', async (_, sql, code) => {
    const error: unknown = await read(sql).catch((failure: unknown) => failure)
    expect(codeOf(error)).toBe(code)
    expect((await read('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    expect((await readOutside('SELECT count(*)::integer AS things FROM things')).rows).toEqual([{ things: 0 }])
  })

  it('is one of many at a time', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => read('SELECT $1::integer AS n', [n])))
    expect(answers.flatMap(({ rows }) => rows)).toEqual(Array.from({ length: 20 }, (_, n) => ({ n })))
  })
})

describe('a network that swallows answers', () => {
  const ways: readonly (readonly [string, (dataSource: DataSource) => Promise<unknown>])[] = [
    ['a read', (dataSource) => createReadQuery(dataSource, 0.2)('SELECT 1')],
    ['reads under a deadline', (dataSource) => withDeadline(dataSource, 0.2, (query) => query('SELECT 1'))],
    [
      'a transaction under a deadline',
      (dataSource) => withTransaction(dataSource, 'REPEATABLE READ', (query) => query('SELECT 1'), 0.2),
    ],
  ]

  it.each(ways)('does not hold a connection for ever: %s', async (_, ask) => {
    const database = await createTestDatabase()
    const url = new URL(database.url)
    const link = await openLink(Number(url.port), () => 0)
    url.port = String(link.port)
    const dataSource = createDataSource({ url: url.href, schema: 'aggregraph', poolSize: 1 })
    try {
      await dataSource.initialize()
      await ask(dataSource)
      link.set('mute')
      const error: unknown = await ask(dataSource).catch((failure: unknown) => failure)
      expect(codeOf(error)).toBe('ETIMEDOUT')
      expect(isUnavailable(error)).toBe(true)
      link.set('pass')
      // The pool has one place, which the connection that was cut has given back.
      await ask(dataSource)
    } finally {
      await dataSource.destroy()
      await link.close()
      await database.drop()
    }
  })
})
