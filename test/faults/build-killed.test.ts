import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { count, Dataset, Dimension, Measure, sum } from '../../src/index'
import { buildCli, endCommands, startCli } from '../support/cli'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { findDifferences, openRefresher, readLayout } from '../support/refresher'

@Dataset({
  source: 'readings',
  time: 'at',
  refresh: { every: '24h', capture: 'trigger' },
  rollups: [{ by: [], granularity: 'month' }],
})
class Readings {
  @Dimension() place!: number
  @Measure(count()) readings!: number
  @Measure(sum('level')) level!: number
}

/** The same, as the command reads it. */
const DECLARATION = `
import { count, Dataset, Dimension, Measure, sum } from 'aggregraph'
@Dataset({
  source: 'readings',
  time: 'at',
  refresh: { every: '24h', capture: 'trigger' },
  rollups: [{ by: [], granularity: 'month' }],
})
export class Readings {
  @Dimension() place!: number
  @Measure(count()) readings!: number
  @Measure(sum('level')) level!: number
}
`
/** More than one transaction of a build reads. */
const ROWS = 1_300_000

describe('a build whose process is killed', () => {
  let database: TestDatabase
  let folder: string

  beforeAll(async () => {
    await buildCli()
    database = await createTestDatabase()
    folder = await mkdtemp(join(tmpdir(), `aggregraph-test-${process.pid}-`))
    await writeFile(join(folder, 'readings.ts'), DECLARATION)
    await database.query('CREATE TABLE readings (at timestamptz, place integer, level integer)')
    await database.query(`INSERT INTO readings
      SELECT '2026-01-01Z'::timestamptz + i * interval '10 seconds', i % 5, i % 1000 FROM generate_series(1, ${ROWS}) AS i`)
    await database.query('CREATE INDEX ON readings (at)')
    await database.query('ANALYZE readings')
  })
  afterAll(async () => {
    await endCommands()
    await database?.drop()
    await rm(folder, { recursive: true, force: true })
  })

  const refresh = () => startCli(['refresh'], { DATABASE_URL: database.url, AGGREGRAPH_DATASETS: folder })

  it('is gone on with by the next process, changes of built and unbuilt slices included', async () => {
    const killed = refresh()
    await killed.waitFor('building slice 2 of 2')
    killed.signal('SIGKILL')
    await killed.exited
    const refresher = await openRefresher(database.url)
    try {
      const definition = await refresher.define(Readings)
      const left = await readLayout(database, definition)
      expect(left).toMatchObject({ isReady: false, builtFrom: expect.stringMatching(/^2026-/) })
      for (const [from, to] of [
        ['2026-01-02', '2026-01-03'],
        ['2026-05-10', '2026-05-11'],
      ]) {
        await database.query('DELETE FROM readings WHERE at >= $1 AND at < $2 AND level % 2 = 0', [from, to])
        await database.query(`UPDATE readings SET level = level + 1 WHERE at >= $1 AND at < $2`, [from, to])
      }
      const { code, stderr, stdout } = await refresh().exited
      expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('readings: version 1 is new') })
      expect(stderr).not.toContain('building slice')
      expect(await readLayout(database, definition)).toMatchObject({ isReady: true, builtFrom: '-infinity' })
      expect(await findDifferences(database, definition)).toEqual([])
    } finally {
      await refresher.close()
    }
  })
})
