import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildCli, endCommands, runCli, startCli } from '../support/cli'

let folder: string
let env: Record<string, string>

beforeAll(async () => {
  await buildCli()
  folder = await mkdtemp(join(tmpdir(), `aggregraph-test-${process.pid}-`))
  env = { AGGREGRAPH_DATA: join(folder, 'data'), PORT: '0', DRAIN_SECONDS: '0' }
})

afterAll(async () => {
  await endCommands()
  await rm(folder, { recursive: true, force: true })
})

/** Starts the demo, asks it for the number of flights while `work` is done, and ends it with Ctrl-C. */
async function visit(rows: string, work: () => Promise<void> = async () => undefined) {
  const cli = startCli(['start', '--rows', rows], env)
  const text = await cli.waitFor('query FlightsTotals')
  const [, origin = ''] = /GraphQL {3}(http:\S+)\/graphql\n/.exec(text) ?? []
  const response = await fetch(`${origin}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ flights { totals { flights } } }' }),
  })
  const answer: unknown = await response.json()
  await work()
  cli.signal('SIGINT')
  return { answer, ...(await cli.exited) }
}

function flights(number: number) {
  return { data: { flights: { totals: { flights: number } } } }
}

it('loads flights, builds, serves and says where; later starts only serve, unless asked for other flights', async () => {
  const first = await visit('2000', async () => {
    expect(await runCli(['status'], env)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/\nflights +built +1 +2000 /),
    })
  })
  expect(first).toMatchObject({ code: 0, answer: flights(2000) })
  expect(first.stderr).toMatch(/^flights: loading 2,000 flights\nflights: looking for changes\n[\s\S]*flights: done\n$/)
  expect(first.stdout).toContain('/graphiql')
  expect(first.stdout).toContain('/schema.graphql')

  expect(await visit('2000')).toMatchObject({ code: 0, answer: flights(2000), stderr: '' })

  const third = await visit('1000')
  expect(third).toMatchObject({ code: 0, answer: flights(1000) })
  expect(third.stderr).toContain('loading 1,000 flights')

  expect(await runCli(['refresh'], env)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('nothing has changed since version 2'),
  })
})

it('can be ended while it loads, and leaves nothing half-made', async () => {
  const elsewhere = { ...env, AGGREGRAPH_DATA: join(folder, 'ended') }
  const cli = startCli(['start', '--rows', 'all'], elsewhere)
  await cli.waitFor('loading 3,000,000 flights')
  cli.signal('SIGTERM')
  expect((await cli.exited).code).toBe(0)
  const { code, stderr } = await runCli(['status'], elsewhere)
  expect(code).toBe(1)
  expect(stderr).toContain('relation "flights" does not exist')
})

it('refuses --rows for a database of yours', async () => {
  const { code, stderr } = await runCli(['start', '--rows', '5'], { DATABASE_URL: 'postgres://127.0.0.1:1/shop' })
  expect(code).toBe(2)
  expect(stderr).toContain('--rows is for the demo')
})

it('tells a command that needs a database how to get one', async () => {
  const { code, stderr } = await runCli(['status'], { AGGREGRAPH_DATA: join(folder, 'nothing') })
  expect(code).toBe(1)
  expect(stderr).toContain('There is no database: set DATABASE_URL, or run "aggregraph start"')
})
