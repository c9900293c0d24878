import { readConfig } from '../../src/config'
import type { Definition } from '../../src/dataset/definition'
import { UnavailableError } from '../../src/errors'
import { settle } from '../../src/report/answer'
import { createServices, type Services } from '../../src/services'
import type { Condition } from '../../src/storage/condition'
import type { Part } from '../../src/storage/part'
import { readDefinitions } from '../../src/storage/read-definitions'
import { layoutId } from '../../src/storage/rollup-table'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { declarationsOf, startTestServer } from '../support/server'
import { createShop, Orders } from '../support/shop'

describe('parts read in one snapshot', () => {
  let database: TestDatabase
  let services: Services
  let definition: Definition

  beforeAll(async () => {
    database = await createTestDatabase()
    await createShop(database)
    const server = await startTestServer({ databaseUrl: database.url, datasets: [Orders] })
    await server.stop()
    services = createServices({ config: readConfig({}), databaseUrl: database.url, onCacheEvent: () => undefined })
    await services.dataSource.initialize()
    const [first] = await readDefinitions(services.dataSource, declarationsOf([Orders]))
    if (first === undefined) throw new Error('There is no dataset')
    definition = first
  })
  afterAll(async () => {
    await services?.close()
    await database?.drop()
  })

  function totals(where: Condition): Extract<Part, { kind: 'totals' }> {
    const [rollup] = definition.rollups
    if (rollup === undefined) throw new Error('There is no rollup')
    const slice = {
      definition,
      layout: layoutId(definition),
      rollup,
      rows: 100,
      from: null,
      to: null,
      offsets: [],
      where,
    }
    return { kind: 'totals', slice, measures: ['orders'] }
  }
  const ALL: Condition = { kind: 'all', of: [] }
  /** Postgres keeps no NUL in text. */
  const REFUSED: Condition = { kind: 'in', dimension: 'country', values: ['\0'] }

  it('fail one by one: what comes after a failed one is still answered', async () => {
    const answers = await services.reader.loadTogether(new AbortController().signal, (load) =>
      Promise.all([ALL, REFUSED, ALL, REFUSED, ALL].map((where) => settle(() => load(totals(where))))),
    )
    const right = { isOk: true, value: expect.objectContaining({ value: { kind: 'totals', values: [48] } }) }
    const failed = { isOk: false, error: expect.objectContaining({ message: expect.stringContaining('0x00') }) }
    expect(answers).toEqual([right, failed, right, failed, right])
  })

  it('fail as the database being away, all of them, when the connection is cut', async () => {
    const answers = services.reader.loadTogether(new AbortController().signal, async (load) => {
      await load(totals(ALL))
      await database.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'",
      )
      return Promise.all([ALL, ALL].map((where) => load(totals(where))))
    })
    await expect(answers).rejects.toBeInstanceOf(UnavailableError)
    expect((await services.reader.load(totals(ALL))).value).toEqual({ kind: 'totals', values: [48] })
  })
})
