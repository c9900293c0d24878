import { refreshDataset } from '../../../src/refresh/refresher'
import { isUnavailable } from '../../../src/storage/postgres-errors'
import { readDefinitions } from '../../../src/storage/read-definitions'
import { layoutId } from '../../../src/storage/rollup-table'
import { optionsOf, runKiller, runRefresher, runWriter, type Stage } from './actors'
import { compareLayout, type Live } from './compare'
import type { History } from './history'
import type { Laboratory } from './laboratory'
import { runObserver } from './observer'
import type { KnownRollup, Release } from './release'
import type { World } from './world'

/** What came of a history. */
export interface Outcome {
  /** What is wrong, in words; nothing when all is right. */
  readonly faults: readonly string[]
  /** Versions that the reader saw. */
  readonly versions: number
  readonly tolerated: ReadonlyMap<string, number>
}

/** Does it again for every connection of the pool that a late kill has ended. */
async function survive<T>(work: () => Promise<T>): Promise<T> {
  for (let left = 10; ; left -= 1) {
    try {
      return await work()
    } catch (error) {
      if (left === 0 || !isUnavailable(error)) throw error
    }
  }
}

/** The definitions of a history in this database. */
export async function defineReleases({ dataSources }: Laboratory, { releases }: History): Promise<readonly Live[]> {
  const live: Live[] = []
  for (const release of releases) {
    for (const dataSource of dataSources.slice(0, 1)) {
      const definitions = await survive(() => readDefinitions(dataSource, [release.declaration]))
      live.push(...definitions.map((definition) => ({ release, definition })))
    }
  }
  return live
}

/** Refreshes every definition once, as the last thing that happens. */
export async function refreshAtRest(
  laboratory: Laboratory,
  world: World,
  live: readonly Live[],
  isLast = true,
): Promise<void> {
  const plan = {
    release: 0,
    sliceRows: 100_000,
    isFull: false,
    isRange: false,
    isLate: true,
    isLast,
    waits: true,
    pauseMs: 0,
  }
  for (const dataSource of laboratory.dataSources.slice(0, 1)) {
    for (const { definition } of live)
      await survive(() => refreshDataset(definition, optionsOf(world, plan, dataSource)))
  }
}

/** What is wrong at rest, in words. */
export async function compareAtRest({ database }: Laboratory, world: World, live: readonly Live[]): Promise<string[]> {
  const wrong: string[] = []
  for (const each of live) wrong.push(...(await compareLayout(database, world, each)))
  const [marks] = await database.query('SELECT count(*)::integer AS left FROM aggregraph.dirty WHERE dataset = $1', [
    world.dataset,
  ])
  return marks?.left === 0 ? wrong : [...wrong, `${marks?.left} marks are left`]
}

async function removeHistory({ database }: Laboratory, { schema, dataset }: World): Promise<void> {
  const found = await database.query(
    `SELECT string_agg(format('aggregraph.%I', table_name), ', ') AS tables FROM aggregraph.rollup JOIN aggregraph.layout ON layout = id WHERE dataset = $1`,
    [dataset],
  )
  await database.query(`DROP SCHEMA ${schema} CASCADE`)
  if (typeof found[0]?.tables === 'string') await database.query(`DROP TABLE ${found[0].tables}`)
  await database.query('DELETE FROM aggregraph.layout WHERE dataset = $1', [dataset])
}

/**
 * Positions of the rollups that count the same rows in every version: all that forget nothing. A table that changes its
 * partitions does so for snapshots of before as well, so there only those that are made of the base rollup have to.
 */
function listAgreeing({ world, writers }: History, { declaration, granularity, timezone, rollups }: Release): number[] {
  const isUpset =
    world.flavour === 'partitions' &&
    writers.some(({ transactions }) => transactions.some(({ isUpheaval }) => isUpheaval))
  const isOfBase = (rollup: KnownRollup) =>
    declaration.options.base !== false &&
    rollups.every(({ keep }) => keep === null) &&
    (granularity === 'day' ? rollup.timezone === timezone : rollup.timezone !== 'Australia/Lord_Howe')
  return [...rollups.entries()].flatMap(([index, rollup]) =>
    rollup.keep === null && (!isUpset || isOfBase(rollup)) ? index : [],
  )
}

/** Lets the actors of a history loose on each other, and compares what is left when all is quiet. */
export async function runHistory(laboratory: Laboratory, history: History): Promise<Outcome> {
  const { world } = history
  const { database } = laboratory
  for (const statement of history.source) await database.query(statement)
  const live = await defineReleases(laboratory, history)
  const stage: Stage = { world, ended: 0, isQuiet: false, faults: [], tolerated: new Map() }
  if (history.isBuilt) await refreshAtRest(laboratory, world, live.slice(0, 1), false)
  const clients = await laboratory.connectWriters(history.writers.length)
  const pids: number[] = []
  for (const client of clients) {
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    pids.push(...rows.map(({ pid }) => pid))
  }
  const known = () => live.slice(0, stage.ended >= history.releaseAfter ? 2 : 1).map(({ definition }) => definition)
  const agreeing = (layout: string) => {
    const found = live.find(({ definition }) => layoutId(definition) === layout)
    return found === undefined ? [] : listAgreeing(history, found.release)
  }
  const hasKiller = history.kills.length > 0
  const refreshers = history.refreshers.map((plans, index) => {
    const dataSource = laboratory.dataSources[index]
    if (dataSource === undefined) throw new Error(`There is no data source for refresher ${index}`)
    return runRefresher(stage, dataSource, plans, known, hasKiller)
  })
  const others = [runKiller(stage, database, history.kills), ...refreshers]
  const observer = runObserver(stage, laboratory.reader, agreeing)
  await Promise.all(
    history.writers.map(async (writer, index) => {
      const client = clients[index]
      if (client !== undefined) await runWriter(stage, client, writer, pids)
    }),
  )
  await Promise.all([...others.slice(0, 1)])
  stage.isQuiet = true
  await Promise.all(others)
  await refreshAtRest(laboratory, world, live)
  const versions = await observer
  const faults = [...(await compareAtRest(laboratory, world, live)), ...new Set(stage.faults)]
  await removeHistory(laboratory, world)
  return { faults, versions, tolerated: stage.tolerated }
}
