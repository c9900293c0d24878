import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildCli, endCommands, startCli } from '../support/cli'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { eventually } from '../support/eventually'

/** Longer than the test may take: nothing but the loss of its process ends the statement. */
const SLOW = `import { count, Dataset, Measure } from 'aggregraph'
@Dataset({ source: { sql: 'select now() as at from pg_sleep(300)' }, time: 'at', refresh: 'manual' })
export class Slow {
  @Measure(count()) rows!: number
}
`

describe('a refresh whose process is killed', () => {
  let database: TestDatabase
  let folder: string

  beforeAll(async () => {
    await buildCli()
    database = await createTestDatabase()
    folder = await mkdtemp(join(tmpdir(), 'aggregraph-test-slow-'))
    await writeFile(join(folder, 'slow.ts'), SLOW)
  })
  afterAll(async () => {
    await endCommands()
    await database?.drop()
    await rm(folder, { recursive: true, force: true })
  })

  const countStatements = async () => {
    const [row] = await database.query(`SELECT count(*)::integer AS running FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event = 'PgSleep'`)
    return row?.running
  }

  it('leaves no statement behind that the next one would have to wait for', async () => {
    const refresh = startCli(['refresh', 'slow'], { DATABASE_URL: database.url, AGGREGRAPH_DATASETS: folder })
    await eventually(async () => ((await countStatements()) === 1 ? true : null), 20_000)
    refresh.signal('SIGKILL')
    await refresh.exited
    expect(await eventually(async () => ((await countStatements()) === 0 ? 'ended' : null), 20_000)).toBe('ended')
  })
})
