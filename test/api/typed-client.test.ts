import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Flights } from '../../src/catalog/flights'
import { loadFlights } from '../../src/demo/load-flights'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { startTestServer, type TestServer } from '../support/server'

const ROOT = join(__dirname, '../..')
const CLIENT = join(ROOT, 'examples/typed-client')

/** Runs a script of Node as the reader of the example would, and gives what it printed. */
async function run(script: string, ...options: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...options], { cwd: ROOT })
  return stdout
}

let database: TestDatabase
let server: TestServer

beforeAll(async () => {
  database = await createTestDatabase()
  await loadFlights({ url: database.url, rows: 20_000 })
  server = await startTestServer({ databaseUrl: database.url, datasets: [Flights] })
})
afterAll(async () => {
  await server?.stop()
  await database?.drop()
})

it('generates types for the typed client, compiles it strictly, and prints what plain SQL says', async () => {
  await run(join(ROOT, 'node_modules/@graphql-codegen/cli/cjs/bin.js'), '--config', 'codegen.ts')
  await run(join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', CLIENT)
  const lines = (await run(join(CLIENT, 'dist/busiest-airports.js'), server.url)).trim().split('\n')

  const airports = await database.query(
    `SELECT origin, count(*)::int AS flights, round(avg(delay), 1)::text AS delay FROM flights
     GROUP BY origin ORDER BY flights DESC, origin COLLATE "C" LIMIT 10`,
  )
  const printed = lines
    .slice(0, -1)
    .map((line) => /^(\w+) +([\d,]+) +([▁-█]+) +(-?[\d.]+) min late$/.exec(line)?.slice(1))
  expect(printed.map((columns) => columns?.slice(0, 2))).toEqual(
    airports.map(({ origin, flights }) => [origin, Number(flights).toLocaleString('en')]),
  )
  expect(printed.map((columns) => Number(columns?.[3]))).toEqual(airports.map(({ delay }) => Number(delay)))
  expect(printed.map((columns) => columns?.[2]?.length)).toEqual(airports.map(() => 60))

  const [rest] = await database.query(`SELECT count(*)::int AS flights FROM flights WHERE origin <> ALL ($1)`, [
    airports.map(({ origin }) => origin),
  ])
  expect(lines.at(-1)?.trim()).toBe(
    `${Number(rest?.flights).toLocaleString('en')} of 20,000 flights left from elsewhere`,
  )
})
