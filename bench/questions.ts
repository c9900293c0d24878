import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Pool } from 'pg'
import type { Declaration } from '../src/dataset/declaration'
import { DEFAULT_FLIGHTS, loadFlights } from '../src/demo/load-flights'
import { startEmbeddedPostgres } from '../src/embedded/embedded-postgres'
import { DASHBOARD_READS, FIRST_QUARTER, HALF_YEAR } from './dashboard'
import { loadFlightsDataset, startServer } from './running-server'
import { assertSameNumbers } from './same-numbers'
import { median, time } from './sample'
import { readFromSource } from './source-dashboard'
import { formatTable } from './table'

/** Share of the source's time that a cold answer may take. */
const BAR = 0.1
/** As many connections as the server has by default. */
const CONNECTIONS = 10
const HOT_PER_RUN = 20

const { values: flags } = parseArgs({
  options: { rows: { type: 'string', default: String(DEFAULT_FLIGHTS) }, runs: { type: 'string', default: '9' } },
})
const rows = flags.rows === 'all' ? 'all' : Number(flags.rows)
const runs = Number(flags.runs)

const print = (line = '') => process.stdout.write(`${line}\n`)
const round = (ms: number) => Number(ms.toFixed(ms < 10 ? 2 : 0))

/** Builds all rollups from nothing, by the first start of a server. */
async function build(url: string, declarations: readonly Declaration[], pool: Pool): Promise<void> {
  await pool.query('DROP SCHEMA IF EXISTS aggregraph CASCADE')
  const { ms, result: server } = await time(() => startServer(url, declarations))
  await server.stop()
  const source = await pool.query<{ rows: string }>('SELECT count(*) AS rows FROM flights')
  const sourceRows = Number(source.rows[0]?.rows)
  const { rows: rollups } = await pool.query<{ name: string; rows: string; bytes: string }>(
    `SELECT name, row_count AS rows, pg_total_relation_size(format('aggregraph.%I', table_name)) AS bytes
     FROM aggregraph.rollup ORDER BY row_count`,
  )
  print(`Built all rollups of ${sourceRows.toLocaleString('en')} flights in ${(ms / 1000).toFixed(1)} s`)
  print()
  print(
    formatTable(
      ['rollup', 'rows', '% of flights', 'MB'],
      rollups.map((rollup) => [
        rollup.name,
        Number(rollup.rows),
        Number(((100 * Number(rollup.rows)) / sourceRows).toFixed(2)),
        Number((Number(rollup.bytes) / 1024 ** 2).toFixed(1)),
      ]),
    ),
  )
  print()
}

interface Timings {
  readonly cold: readonly number[]
  readonly source: readonly number[]
  readonly hot: readonly number[]
}

/**
 * Answers the dashboard in turns: by a server that has never been asked for it, and by SQL on the source. Both are warm
 * in everything else: another dashboard was asked before.
 */
async function compare(url: string, declarations: readonly Declaration[], pool: Pool): Promise<Timings> {
  const cold: number[] = []
  const source: number[] = []
  const hot: number[] = []
  for (let run = 0; run < runs; run += 1) {
    const server = await startServer(url, declarations)
    try {
      await server.ask(FIRST_QUARTER)
      await readFromSource(pool, FIRST_QUARTER)
      server.statements.clear()
      const fromRollups = await time(() => server.ask(HALF_YEAR))
      const reads = server.statements.partReads()
      if (reads !== DASHBOARD_READS) throw new Error(`A cold answer took ${reads} reads, not ${DASHBOARD_READS}`)
      const fromSource = await time(() => readFromSource(pool, HALF_YEAR))
      assertSameNumbers(fromRollups.result, fromSource.result)
      cold.push(fromRollups.ms)
      source.push(fromSource.ms)
      for (let repeat = 0; repeat < HOT_PER_RUN; repeat += 1) hot.push((await time(() => server.ask(HALF_YEAR))).ms)
      if (server.statements.partReads() !== reads) throw new Error('A hot answer read a rollup')
    } finally {
      await server.stop()
    }
  }
  return { cold, source, hot }
}

function report({ cold, source, hot }: Timings): void {
  const [coldMs, sourceMs, hotMs] = [median(cold), median(source), median(hot)]
  const row = (name: string, values: readonly number[], ms: number) => [
    name,
    values.length,
    round(Math.min(...values)),
    round(ms),
    round(Math.max(...values)),
    Number((ms / sourceMs).toFixed(4)),
  ]
  print(
    formatTable(
      ['dashboard', 'runs', 'min ms', 'median ms', 'max ms', '× source'],
      [
        row('SQL on the source', source, sourceMs),
        row('cold, from rollups', cold, coldMs),
        row('hot, from the cache', hot, hotMs),
      ],
    ),
  )
  print()
  const ratio = coldMs / sourceMs
  const verdict = ratio <= BAR ? 'within' : 'ABOVE'
  print(`cold / source = ${ratio.toFixed(4)}, ${verdict} the bar of ${BAR}`)
  print(`hot / cold    = ${(hotMs / coldMs).toFixed(4)}`)
}

async function main(): Promise<void> {
  const postgres = await startEmbeddedPostgres({ directory: join(__dirname, '../../.data'), onLog: () => undefined })
  try {
    const load = await time(() => loadFlights({ url: postgres.url, rows }))
    if (load.result.isNew)
      print(`Loaded ${load.result.rows.toLocaleString('en')} flights in ${(load.ms / 1000).toFixed(1)} s`)
    const pool = new Pool({ connectionString: postgres.url, max: CONNECTIONS })
    pool.on('error', () => undefined)
    try {
      const declarations = loadFlightsDataset()
      await build(postgres.url, declarations, pool)
      report(await compare(postgres.url, declarations, pool))
    } finally {
      await pool.end()
    }
  } finally {
    await postgres.stop()
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  process.exitCode = 1
})
