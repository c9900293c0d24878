import { Client } from 'pg'
import type { TestDatabase } from '../support/database'
import { createOperator, type Operator } from '../support/operator'

let operator: Operator
let database: TestDatabase

const run = (command: string, options: string, args?: readonly string[]) => operator.run(command, options, args)

beforeEach(async () => {
  operator = await createOperator()
  database = operator.database
})
afterEach(() => operator.leave())

const MANY = 20_000
const TRIGGER = "source: 'events', refresh: { capture: 'trigger' }"
const MANUAL = "source: 'events', refresh: 'manual'"

describe('explain', () => {
  const ranged = (field: string) =>
    `{ events(range: { between: { from: "2026-03-02", to: "2026-03-04" } }, where: { kind: { eq: "1" } }) { ${field} } }`

  it('tells how many rows each part reads, and which rollup has lost some', async () => {
    await operator.createEvents(MANY)
    const options = `${MANUAL}, rollups: [{ by: ['kind'], granularity: 'day', keep: 'P900Y' }]`
    await run('refresh', options)
    const explain = async (field: string) => (await run('explain', options, [ranged(field)])).stdout
    expect(await explain('totals { events }')).toBe(`events → totals
  from day × kind: the smallest that fits; reads 2 of its 70 rows
  not hour × kind: it has no fewer rows, 1670
`)
    await database.query(`UPDATE aggregraph.rollup SET kept_from = '2026-03-03Z' WHERE position = 1`)
    expect(await explain('totals { events }')).toBe(`events → totals
  from hour × kind: the only one that fits; reads 48 of its 1670 rows
  not day × kind: it keeps buckets from 2026-03-03T00:00:00Z on
`)
    await database.query(`UPDATE aggregraph.rollup SET kept_from = '2026-03-03Z'`)
    expect(
      await explain('compare(to: PREVIOUS_PERIOD) { totals { events } }'),
    ).toBe(`events → compare(to: previous_period) → totals
  no rollup fits: the answer is the error NO_ROLLUP
  not hour × kind: it keeps buckets from 2026-03-03T00:00:00Z on
  not day × kind: it keeps buckets from 2026-03-03T00:00:00Z on
`)
  })

  it('counts no longer than an answer may take', async () => {
    await operator.createEvents(MANY)
    await run('refresh', MANUAL)
    // A lock that nobody gives back stands for a rollup that is very large.
    const [rollup] = await database.query('SELECT table_name FROM aggregraph.rollup')
    const release = await holdTable(`aggregraph.${String(rollup?.table_name)}`)
    const { stdout } = await run('explain', MANUAL, [ranged('totals { events }'), '--statement-timeout-seconds', '1'])
    await release()
    expect(stdout).toContain('the only one that fits; reads more of its 1670 rows than could be counted in time')
  })
})

/** Locks a table until the returned function is called. */
async function holdTable(table: string): Promise<() => Promise<unknown>> {
  const client = new Client({ connectionString: database.url })
  await client.connect()
  await client.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`)
  return () => client.end()
}

describe('refresh', () => {
  it('warns of a rollup that is barely smaller than its source', async () => {
    await operator.createEvents(0)
    await database.query(
      `INSERT INTO events SELECT '2026-03-01Z'::timestamptz + i / 5 * interval '1 hour', i % 4 || '' FROM generate_series(0, 99) AS i`,
    )
    const warning = `events: the rollup hour × kind keeps 80 % of the source's rows: give it fewer dimensions or a coarser granularity.\n`
    expect((await run('refresh', MANUAL)).stderr).toContain(warning)
    await database.query(`INSERT INTO events SELECT '2026-03-01Z', '0' FROM generate_series(1, 10) AS i`)
    expect((await run('refresh', MANUAL)).stderr).not.toContain('give it fewer dimensions')
  })
})

describe('status', () => {
  const statusOf = async (options: string) => JSON.parse((await run('status', options, ['--json'])).stdout)[0]

  it('tells what waits, and that nothing is built yet', async () => {
    await operator.createEvents(MANY)
    expect((await run('status', TRIGGER)).stdout).toMatch(
      /^DATASET +STATE .* LAG +MODE +EXACT +WAITING +FROZEN\nevents +not built +- +- +0 +0\.0 +- +- +trigger +no +0 +0\n$/,
    )
    await run('refresh', TRIGGER)
    await database.query(`INSERT INTO events VALUES ('2026-03-01Z', 'x'), ('2026-05-01Z', 'x')`)
    await database.query('UPDATE aggregraph.layout SET frozen_marks = 7')
    expect((await run('status', TRIGGER)).stdout).toMatch(
      /\nevents +built +1 +20000 +1670 +\d\.\d +2\d{3}-\S+Z +\d+ s +trigger +yes +2 +7\n$/,
    )
    expect(await statusOf(TRIGGER)).toEqual({
      dataset: 'events',
      layout: expect.stringMatching(/^[\da-f]+$/),
      state: 'built',
      served: true,
      version: expect.stringMatching(/^1\.[\da-f-]{36}$/),
      sourceRows: MANY,
      dataAsOf: expect.stringMatching(/Z$/),
      lagSeconds: expect.any(Number),
      mode: 'trigger',
      exact: true,
      waitingMarks: 2,
      frozenMarks: 7,
      builtFrom: null,
      lastError: null,
      lastErrorAt: null,
      rollups: [{ name: 'hour × kind', rows: 1670, bytes: expect.any(Number) }],
      others: [],
    })
  })

  it('tells of layouts that other definitions have, served or not', async () => {
    await operator.createEvents(MANY)
    const lookback = "source: 'events', refresh: { lookback: 'P3D' }"
    await run('refresh', lookback)
    await run('refresh', `${MANUAL}, granularity: 'day'`)
    const now = `${MANUAL}, granularity: 'day'`
    const { others, layout } = await statusOf(now)
    expect(others).toEqual([expect.objectContaining({ state: 'built', served: true, mode: 'lookback' })])
    expect(others[0].layout).not.toBe(layout)
    expect((await run('status', now)).stdout).toMatch(
      new RegExp(
        `\\nevents +built .* manual .*\\n  ${others[0].layout.slice(0, 8)} +built, served by others .* lookback +no +- +0`,
      ),
    )
    await database.query(`UPDATE aggregraph.serving SET seen_at = now() - interval '2 hours'`)
    expect((await run('status', now)).stdout).toContain('built, served by nobody')
  })

  it('tells how far a build has come, and every error', async () => {
    await operator.createEvents(MANY)
    await run('refresh', MANUAL)
    await database.query(
      `UPDATE aggregraph.layout SET ready_at = NULL, built_from = '2026-03-05Z', last_error = 'no luck'`,
    )
    const { stdout } = await run('status', MANUAL)
    expect(stdout).toContain('being built, from 2026-03-05 on')
    expect(stdout).toContain('The last refresh of events failed: no luck')
    expect(await statusOf(MANUAL)).toMatchObject({ builtFrom: '2026-03-05T00:00:00.000Z', lastError: 'no luck' })
  })
})
