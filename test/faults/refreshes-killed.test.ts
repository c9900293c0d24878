import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { buildCli, endCommands, type RunningCli, startCli } from '../support/cli'
import { runWriter, type Stage } from '../support/history/actors'
import { writeDatasetFile } from '../support/history/dataset-file'
import { createHistory, type History } from '../support/history/history'
import { type Laboratory, openLaboratory } from '../support/history/laboratory'
import { seedsFrom } from '../support/history/run-histories'
import { compareAtRest, defineReleases, refreshAtRest } from '../support/history/run-history'
import { randomOf } from '../support/history/world'

/** Enough for a refresh to last, so that it is killed in the midst of it. */
const ROWS = 20_000
const KILLS = 3

describe('refreshers that are killed again and again while writers go on', () => {
  let laboratory: Laboratory
  const folders: string[] = []

  beforeAll(async () => {
    await buildCli()
    laboratory = await openLaboratory()
  }, 120_000)
  afterAll(async () => {
    await endCommands()
    await laboratory?.close()
    for (const folder of folders) await rm(folder, { recursive: true, force: true })
  })

  async function writeFolders({ releases }: History): Promise<string[]> {
    const written: string[] = []
    for (const release of releases) {
      const folder = await mkdtemp(join(tmpdir(), 'aggregraph-test-killed-'))
      folders.push(folder)
      written.push(folder)
      await writeDatasetFile(folder, release)
    }
    return written
  }

  async function isAtWork(): Promise<boolean> {
    const rows = await laboratory.database.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'aggregraph' AND xact_start IS NOT NULL`,
    )
    return rows.length > 0
  }

  /** Kills a refresher a moment after it has begun to work; it may have ended by then. */
  async function killAtWork(refresh: RunningCli, afterMs: number): Promise<void> {
    let hasEnded = false
    void refresh.exited.then(() => {
      hasEnded = true
    })
    while (!hasEnded && !(await isAtWork())) await wait(10)
    await wait(afterMs)
    refresh.signal('SIGKILL')
    await refresh.exited
  }

  it.each(seedsFrom(9001, 6))(
    'leave rollups that one more refresh makes equal to their source (seed %i)',
    async (seed) => {
      // Whatever they forget goes by a clock, and the processes have their own.
      const history = createHistory(seed, 'query', { rows: ROWS })
      const { world } = history
      for (const statement of history.source) await laboratory.database.query(statement)
      const paths = await writeFolders(history)
      const live = await defineReleases(laboratory, history)
      const stage: Stage = { world, ended: 0, isQuiet: false, faults: [], tolerated: new Map() }
      const clients = await laboratory.connectWriters(history.writers.length)
      const writing = Promise.all(
        history.writers.map(async (writer, index) => {
          const client = clients[index]
          if (client !== undefined) await runWriter(stage, client, writer, [], 250)
        }),
      )
      const random = randomOf(seed, 30)
      for (let kill = 0; kill < KILLS; kill += 1) {
        const folder = paths[kill % paths.length] ?? ''
        const refresh = startCli(['refresh'], { DATABASE_URL: laboratory.database.url, AGGREGRAPH_DATASETS: folder })
        await killAtWork(refresh, random.below(400))
      }
      await writing
      await refreshAtRest(laboratory, world, live)
      expect([...stage.faults, ...(await compareAtRest(laboratory, world, live))]).toEqual([])
    },
    120_000,
  )
})
