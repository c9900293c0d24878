import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CliResult } from './cli'
import { createTestDatabase, type TestDatabase } from './database'
import { runHere } from './run-here'

/** Somebody at a shell, with a database and one dataset, `events`. */
export interface Operator {
  readonly database: TestDatabase
  /** Runs a command on the dataset with the given options of its declaration. */
  run(command: string, options: string, args?: readonly string[]): Promise<CliResult>
  /** Creates the table `events`, one row a minute from March 2026 on, as many as given. `definition` ends CREATE TABLE. */
  createEvents(rows: number, definition?: string): Promise<void>
  /** Uses another URL from here on. */
  connectAs(url: string): void
  leave(): Promise<void>
}

const declarationOf = (options: string) => `
import { count, Dataset, Dimension, Measure } from 'aggregraph'

@Dataset({ time: 'at', ${options} })
export class Events {
  @Dimension() kind!: string | null
  @Measure(count()) events!: number
}
`

export async function createOperator(): Promise<Operator> {
  const folder = await mkdtemp(join(tmpdir(), `aggregraph-test-${process.pid}-`))
  const database = await createTestDatabase()
  let databaseUrl = database.url
  return {
    database,
    run: async (command, options, args = []) => {
      const datasets = await mkdtemp(join(folder, 'datasets-'))
      await writeFile(join(datasets, 'events.ts'), declarationOf(options))
      return runHere([command, ...args], { DATABASE_URL: databaseUrl, AGGREGRAPH_DATASETS: datasets })
    },
    createEvents: async (rows, definition = '') => {
      await database.query(`CREATE TABLE events (
        at timestamptz, kind text, id integer, changed timestamptz DEFAULT '2026-01-01Z') ${definition}`)
      await database.query(`INSERT INTO events
        SELECT '2026-03-01Z'::timestamptz + i * interval '1 minute', i % 5 || '', i FROM generate_series(1, ${rows}) AS i`)
      await database.query('ANALYZE events')
    },
    connectAs: (url) => {
      databaseUrl = url
    },
    leave: async () => {
      await database.drop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
