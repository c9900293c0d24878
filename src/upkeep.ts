import { setTimeout as wait } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Config } from './config'
import type { Declaration } from './dataset/declaration'
import type { Definition } from './dataset/definition'
import { adviseOnSize } from './dataset/rollup-size'
import { createLanes } from './refresh/lanes'
import { type RefreshProgress, refreshDataset, refreshUnlessBusy } from './refresh/refresher'
import { runSchedule } from './refresh/scheduler'
import type { Services } from './services'
import { announceLayouts, mayWrite, readLayoutStates } from './storage/layouts'
import { explainUnavailable, isUnavailable } from './storage/postgres-errors'
import { prepareDatabase } from './storage/prepare-database'
import { listUnserved, pruneLayout } from './storage/prune'
import { withConnection } from './storage/query'
import { layoutId } from './storage/rollup-table'
import { schemaOf } from './storage/schema'

export interface UpkeepOptions {
  readonly config: Config
  readonly services: Services
  readonly declarations: readonly Declaration[]
  readonly logger: Logger
  readonly onProgress?: (progress: RefreshProgress) => void
}

/** What keeps a server's datasets built, refreshed and known by their versions. */
export interface Upkeep {
  /** Connects and settles what the declarations mean; waits for the database as long as it takes. */
  prepare(): Promise<readonly Definition[]>
  /** Builds what is not built, refreshes on schedule, and learns the versions once a second until `stop`. */
  run(): Promise<void>
  stop(): void
  /** The datasets that can be asked. */
  readonly built: ReadonlySet<string>
  /** Why the database cannot be asked, in a sentence without secrets; null when it can. */
  readonly trouble: string | null
  /** Sentences about datasets that cannot be asked yet. */
  reasons(): string[]
}

const FIRST_RETRY_MS = 200
const LONGEST_RETRY_MS = 5000
const LONGEST_REBUILD_MS = 60_000
/** How often every process learns the versions from Postgres, whatever Redis says. */
const FLOOR_MS = 1000
/** How often a process says which layouts it serves; whoever says nothing for an hour serves none. */
const ANNOUNCE_MS = 60_000
const PRUNE_MS = 600_000
/** For how many connections of the pool one refresh may run. */
const CONNECTIONS_PER_LANE = 4
const ignore = () => undefined
const SILENT = 'The database cannot be reached: it does not answer.'

export function createUpkeep({ config, services, declarations, logger, onProgress }: UpkeepOptions): Upkeep {
  const { dataSource, register } = services
  const stopping = new AbortController()
  const built = new Set<string>()
  const failing = new Set<string>()
  let definitions: readonly Definition[] = []
  let mayRefresh = true
  // Each refresh holds a connection, and the questions need some, too.
  const inTurn = createLanes(Math.max(1, Math.floor(config.databasePool / CONNECTIONS_PER_LANE)))
  let trouble: string | null = 'The server has not reached the database yet.'

  function judge(now: string | null): void {
    if (now !== null && trouble === null) logger.warn(now)
    if (now === null && trouble !== null) logger.info('The database answers')
    trouble = now
  }

  /** Does a piece of the start over again for as long as the database is away. */
  async function persist<T>(work: () => Promise<T>): Promise<T> {
    for (let delay = FIRST_RETRY_MS; ; delay = Math.min(delay * 2, LONGEST_RETRY_MS)) {
      try {
        const result = await work()
        judge(null)
        return result
      } catch (error) {
        if (!isUnavailable(error)) throw error
        const sentence = explainUnavailable(error)
        // Told once: a start may wait for the database all night.
        if (sentence !== trouble) logger.warn(sentence)
        logger.debug({ err: error }, 'Trying again')
        trouble = sentence
        await wait(delay, undefined, { signal: stopping.signal })
      }
    }
  }

  async function ensureBuilt(definition: Definition): Promise<void> {
    const layout = layoutId(definition)
    await withConnection(dataSource, (query) => announceLayouts(query, schemaOf(dataSource), [layout])).catch(ignore)
    // Postgres itself is asked: a register in Redis may have outlived the database that it speaks of.
    const states = await withConnection(dataSource, (query) => readLayoutStates(query, schemaOf(dataSource), [layout]))
    if (states.get(layout)?.data.isReady !== true) {
      const outcome = await refreshDataset(definition, {
        dataSource,
        register,
        onProgress: (progress) => {
          logger.info(progress, 'Building rollups')
          onProgress?.(progress)
        },
      })
      logger.info(outcome, 'Rollups built')
      for (const advice of adviseOnSize(outcome)) logger.warn({ dataset: definition.name }, advice)
    }
    // From here on the floor watches it.
    await register.current(definition.name, layout)
    built.add(definition.name)
  }

  /** Serves at once what is built already: another dataset may take an hour to build. */
  async function adoptBuilt(): Promise<void> {
    const layouts = definitions.map(layoutId)
    const schema = schemaOf(dataSource)
    await withConnection(dataSource, (query) => announceLayouts(query, schema, layouts)).catch(ignore)
    const states = await withConnection(dataSource, (query) => readLayoutStates(query, schema, layouts))
    for (const definition of definitions) {
      if (built.has(definition.name) || states.get(layoutId(definition))?.data.isReady !== true) continue
      await ensureBuilt(definition)
      schedule(definition)
    }
  }

  /** Serves each dataset as soon as somebody else has built it. */
  async function awaitBuilt(): Promise<void> {
    while (definitions.some(({ name }) => !built.has(name))) {
      await wait(FLOOR_MS, undefined, { signal: stopping.signal })
      await persist(adoptBuilt)
    }
  }

  /** Builds one dataset after another. One that cannot be built leaves the others alone; it is tried again until it can. */
  async function buildAll(): Promise<void> {
    for (let delay = FIRST_RETRY_MS; ; delay = Math.min(delay * 2, LONGEST_REBUILD_MS)) {
      for (const definition of definitions.filter(({ name }) => !built.has(name))) {
        try {
          await persist(() => ensureBuilt(definition))
          schedule(definition)
        } catch (error) {
          if (stopping.signal.aborted) throw error
          failing.add(definition.name)
          logger.error({ err: error, dataset: definition.name }, 'The rollups cannot be built; trying again')
        }
      }
      if (definitions.every(({ name }) => built.has(name))) return
      await wait(delay, undefined, { signal: stopping.signal })
    }
  }

  function schedule(definition: Definition): void {
    if (!mayRefresh) return
    void runSchedule({
      definition,
      refresh: () =>
        inTurn(async () => {
          if (stopping.signal.aborted) return null
          return (await refreshUnlessBusy(definition, { dataSource, register }))?.dataAsOf ?? null
        }),
      readDataAsOf: async () => (await register.current(definition.name, layoutId(definition))).data.dataAsOf,
      onError: (error) => {
        // A refresh that a stop has cut off is done over by whoever comes next.
        if (!stopping.signal.aborted) logger.error({ err: error, dataset: definition.name }, 'The refresh failed')
      },
      signal: stopping.signal,
      clock: Date.now,
      random: Math.random,
    })
  }

  /** Keeps what this process serves alive, and removes what earlier releases of the same datasets left behind. */
  async function watchLayouts(): Promise<void> {
    const layouts = definitions.map(layoutId)
    for (let sincePrune = 0; !stopping.signal.aborted; sincePrune += ANNOUNCE_MS) {
      try {
        await withConnection(dataSource, (query) => announceLayouts(query, schemaOf(dataSource), layouts))
        if (mayRefresh) await restoreLapsed(layouts)
        if (mayRefresh && sincePrune >= PRUNE_MS) {
          sincePrune = 0
          await prune()
        }
      } catch (error) {
        // Postgres is away, which the floor tells, or a table is in use: there is another minute.
        logger.debug({ err: error }, 'The layouts were not announced')
      }
      await wait(ANNOUNCE_MS, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined)
    }
  }

  /** Nobody schedules a refresh of a dataset that waits to be told, also when its layout was given up meanwhile. */
  async function restoreLapsed(layouts: readonly string[]): Promise<void> {
    const states = await withConnection(dataSource, (query) => readLayoutStates(query, schemaOf(dataSource), layouts))
    for (const definition of definitions.filter(({ name }) => built.has(name))) {
      if (states.get(layoutId(definition))?.data.isReady === false) await inTurn(() => ensureBuilt(definition))
    }
  }

  async function prune(): Promise<void> {
    for (const layout of await listUnserved(dataSource, definitions, false)) {
      if (await pruneLayout(dataSource, layout)) logger.info({ layout: layout.id }, 'Removed a layout nobody serves')
    }
  }

  async function watchFloor(): Promise<void> {
    while (!stopping.signal.aborted) {
      judge((await register.pollFloor()) ? null : SILENT)
      await wait(FLOOR_MS, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  }

  return {
    prepare: async () => {
      definitions = await persist(() => prepareDatabase(dataSource, config, declarations))
      mayRefresh = await persist(() => withConnection(dataSource, (query) => mayWrite(query, schemaOf(dataSource))))
      if (!mayRefresh)
        logger.info('This user may only read the rollups: whoever may write them builds and refreshes them')
      return definitions
    },
    run: async () => {
      void watchFloor()
      await persist(adoptBuilt)
      void watchLayouts()
      await (mayRefresh ? buildAll() : awaitBuilt())
    },
    stop: () => stopping.abort(),
    built,
    get trouble() {
      return trouble
    },
    reasons: () =>
      definitions
        .filter(({ name }) => !built.has(name))
        .map(({ name }) =>
          failing.has(name)
            ? `The rollups of "${name}" cannot be built; the log says why.`
            : `The rollups of "${name}" are still being built.`,
        ),
  }
}
