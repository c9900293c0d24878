import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Client } from 'pg'
import { readConfig } from '../src/config'
import { declarationOf } from '../src/dataset/recorded'
import { loadFlights } from '../src/demo/load-flights'
import { startEmbeddedPostgres } from '../src/embedded/embedded-postgres'
import { refreshDataset } from '../src/refresh/refresher'
import { createServices } from '../src/services'
import { prepareDatabase } from '../src/storage/prepare-database'
import { median, time } from './sample'
import { formatTable } from './table'
import { HAND_WRITTEN, HAND_WRITTEN_INDEXES, SketchedTrips, Trips } from './trips'

/** What each ratio may be at most. */
const BARS = { refresh: 0.03, longer: 1.3, build: 1.3, sketches: 5, bulk: 1.5, single: 1.4 } as const
const CHANGED_ROWS = 1000
const CHANGED_HOURS = 24
const BULK_ROWS = 200_000
const SINGLE_ROWS = 4000
const LONGER = 10

const { values: flags } = parseArgs({
  options: {
    rows: { type: 'string', default: '300000' },
    runs: { type: 'string', default: '5' },
  },
})
const rows = flags.rows === 'all' ? 'all' : Number(flags.rows)
const runs = Number(flags.runs)
const print = (line = '') => process.stdout.write(`${line}\n`)

type Work = () => Promise<number>

/** Refreshes a dataset as a process of its own would, and gives the milliseconds of the refresh alone. */
async function refresh(url: string, dataset: object): Promise<number> {
  const config = readConfig({})
  const services = createServices({ config, databaseUrl: url, onCacheEvent: () => undefined })
  try {
    const declaration = declarationOf(dataset)
    if (declaration === undefined) throw new Error('Not a dataset')
    const [definition] = await prepareDatabase(services.dataSource, config, [declaration])
    if (definition === undefined) throw new Error('Not defined')
    return (await time(() => refreshDataset(definition, services))).ms
  } finally {
    await services.close()
  }
}

/** Lets pieces of work take turns, so that a machine that slows down slows all of them. */
async function takeTurns(works: Readonly<Record<string, Work>>, times: number): Promise<Record<string, number[]>> {
  const taken: Record<string, number[]> = Object.fromEntries(Object.keys(works).map((name) => [name, []]))
  for (let run = 0; run < times; run += 1) {
    for (const [name, work] of Object.entries(works)) taken[name]?.push(await work())
  }
  return taken
}

function report(
  title: string,
  taken: Readonly<Record<string, readonly number[]>>,
  base: string,
): (name: string) => number {
  const mediansMs = Object.fromEntries(Object.entries(taken).map(([name, values]) => [name, median(values)]))
  const baseMs = mediansMs[base] ?? Number.NaN
  const ratio = (name: string) => (mediansMs[name] ?? Number.NaN) / baseMs
  print(
    formatTable(
      [title, 'runs', 'min ms', 'median ms', 'max ms', `× ${base}`],
      Object.entries(taken).map(([name, values]) => [
        name,
        values.length,
        Math.round(Math.min(...values)),
        Math.round(median(values)),
        Math.round(Math.max(...values)),
        Number(ratio(name).toFixed(4)),
      ]),
    ),
  )
  return ratio
}

function judge(name: string, ratio: number, bar: number): void {
  print(`${name}: ${ratio.toFixed(4)}, ${ratio <= bar ? 'within' : 'ABOVE'} the bar of ${bar}`)
  if (ratio > bar) process.exitCode = 1
}

async function main(): Promise<void> {
  const postgres = await startEmbeddedPostgres({
    directory: join(__dirname, '../../.data/rollups'),
    onLog: () => undefined,
  })
  const client = new Client({ connectionString: postgres.url })
  try {
    await client.connect()
    // What an interrupted run left behind.
    await client.query('DROP TABLE IF EXISTS flights_aside, plain, sample')
    await loadFlights({ url: postgres.url, rows })
    await benchBuilds(postgres.url, client)
    await benchRefreshes(postgres.url, client)
    await benchWriters(postgres.url, client)
  } finally {
    await client.end()
    await postgres.stop()
  }
}

async function dropAll(client: Client): Promise<void> {
  await client.query('DROP SCHEMA IF EXISTS aggregraph CASCADE')
  await client.query('DROP TABLE IF EXISTS by_hand_hour, by_hand_day, by_hand_month')
  await client.query('CHECKPOINT')
}

async function benchBuilds(url: string, client: Client): Promise<void> {
  const byHand = async (statements: readonly string[]) => {
    await dropAll(client)
    return (
      await time(async () => {
        for (const statement of statements) await client.query(statement)
      })
    ).ms
  }
  const build = async (dataset: object) => {
    await dropAll(client)
    return refresh(url, dataset)
  }
  const taken = await takeTurns(
    {
      'hand-written': () => byHand(HAND_WRITTEN),
      'hand-written, with indexes': () => byHand([...HAND_WRITTEN, ...HAND_WRITTEN_INDEXES]),
      'additive measures': () => build(Trips),
      'and both sketches': () => build(SketchedTrips),
    },
    runs,
  )
  const ratio = report('full build of three rollups', taken, 'hand-written')
  judge('additive / hand-written', ratio('additive measures'), BARS.build)
  judge('with sketches / hand-written', ratio('and both sketches'), BARS.sketches)
  print()
}

/** Changes rows in a day of hours, and takes them over. */
async function changeAndRefresh(url: string, client: Client): Promise<number> {
  const share = Math.ceil(CHANGED_ROWS / CHANGED_HOURS)
  const { rowCount } = await client.query(
    `UPDATE flights SET delay = delay + 1 WHERE ctid IN (
       SELECT picked.ctid FROM generate_series('2001-03-01 00:00Z'::timestamptz, '2001-03-01 23:00Z', interval '1 hour') AS hour
       CROSS JOIN LATERAL (SELECT ctid FROM flights WHERE departed_at >= hour AND departed_at < hour + interval '1 hour' LIMIT ${share}) AS picked
       LIMIT ${CHANGED_ROWS})`,
  )
  if (rowCount === 0) throw new Error('No row was changed')
  return refresh(url, Trips)
}

async function benchRefreshes(url: string, client: Client): Promise<void> {
  await dropAll(client)
  const full: number[] = []
  for (let run = 0; run < 3; run += 1) {
    await dropAll(client)
    full.push(await refresh(url, Trips))
  }
  const refreshed = (await takeTurns({ refresh: () => changeAndRefresh(url, client) }, 2 * runs + 1)).refresh ?? []
  await dropAll(client)
  await client.query(
    `INSERT INTO flights SELECT departed_at + past * interval '181 days', delay, distance, origin, destination
     FROM flights CROSS JOIN generate_series(1, ${LONGER - 1}) AS past`,
  )
  await client.query('VACUUM ANALYZE flights')
  await refresh(url, Trips)
  const longer = (await takeTurns({ refresh: () => changeAndRefresh(url, client) }, 2 * runs + 1)).refresh ?? []
  const taken = { 'full build': full, refresh: refreshed, [`refresh, source × ${LONGER}`]: longer }
  report(`${CHANGED_ROWS.toLocaleString('en')} changed rows in ${CHANGED_HOURS} buckets`, taken, 'full build')
  judge('refresh / full build', median(refreshed) / median(full), BARS.refresh)
  judge('refresh of the longer source / refresh', median(longer) / median(refreshed), BARS.longer)
  print()
  await dropAll(client)
  await client.query(`DELETE FROM flights WHERE departed_at >= '2001-07-01'`)
  await client.query('VACUUM FULL ANALYZE flights')
}

async function benchWriters(url: string, client: Client): Promise<void> {
  await client.query('DROP TABLE IF EXISTS captured, plain, sample')
  await client.query(`CREATE TABLE sample AS SELECT * FROM flights LIMIT ${BULK_ROWS}`)
  for (const table of ['plain', 'captured']) {
    await client.query(`CREATE TABLE ${table} (LIKE flights INCLUDING ALL)`)
  }
  await dropAll(client)
  await client.query('ALTER TABLE flights RENAME TO flights_aside')
  await client.query('ALTER TABLE captured RENAME TO flights')
  await refresh(url, Trips)
  const bulk = (table: string) => async () => {
    await client.query(`TRUNCATE ${table}`)
    await client.query('CHECKPOINT')
    return (await time(() => client.query(`INSERT INTO ${table} SELECT * FROM sample`))).ms
  }
  const single = (table: string) => async () => {
    await client.query('CHECKPOINT')
    const insert = `INSERT INTO ${table} VALUES ($1, 3, 500, 'ATL', 'ORD')`
    return (
      await time(async () => {
        for (let row = 0; row < SINGLE_ROWS; row += 1) {
          await client.query(insert, [new Date(Date.UTC(2001, 0, 1) + row * 60_000)])
        }
      })
    ).ms
  }
  const bulks = await takeTurns({ 'without capture': bulk('plain'), 'with capture': bulk('flights') }, runs)
  const bulkRatio = report(`${BULK_ROWS.toLocaleString('en')} rows in one INSERT`, bulks, 'without capture')
  const singles = await takeTurns({ 'without capture': single('plain'), 'with capture': single('flights') }, runs)
  print()
  const singleRatio = report(`${SINGLE_ROWS.toLocaleString('en')} INSERTs of one row`, singles, 'without capture')
  judge('bulk insert with / without capture', bulkRatio('with capture'), BARS.bulk)
  judge('single inserts with / without capture', singleRatio('with capture'), BARS.single)
  await dropAll(client)
  await client.query('DROP TABLE flights, plain, sample')
  await client.query('ALTER TABLE flights_aside RENAME TO flights')
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  process.exitCode = 1
})
