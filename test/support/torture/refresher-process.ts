import { setTimeout as wait } from 'node:timers/promises'
import { readConfig } from '../../../src/config'
import { refreshDataset } from '../../../src/refresh/refresher'
import { createServices } from '../../../src/services'
import { withTransaction } from '../../../src/storage/query'
import { readDefinitions } from '../../../src/storage/read-definitions'
import { eventually } from '../eventually'
import { randomOf } from '../history/world'
import { declarationsOf } from '../server'
import { now } from './monotonic'
import { advance, DATASETS, NAMES } from './ticks'

/** Where a refresher may be made to stand still: just before COMMIT, its preparation done; just after, nothing published. */
export type Station = 'prepared' | 'committed'

export type RefresherMessage =
  | { readonly id: number; readonly what: 'start'; readonly pauseMs: number; readonly seed: number }
  | { readonly id: number; readonly what: 'stop' | 'release' }
  | { readonly id: number; readonly what: 'hold'; readonly at: Station }

/** What a refresher tells unasked; `failed` is a refresh that ended with an error. */
export type RefresherEvent =
  | { readonly event: 'begun' | 'committed'; readonly dataset: number; readonly round: number; readonly at: number }
  | { readonly event: 'held'; readonly at: Station }
  | { readonly event: 'failed'; readonly at: number; readonly text: string }

const START_MS = 60_000

/** Resolves when the parent's end of the pipe has it: a kill a moment later takes nothing back. */
function tell(message: RefresherEvent | { readonly id: number } | { readonly isReady: true }): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve()
    else process.send(message, undefined, undefined, () => resolve())
  })
}

let isRunning = false
let running: Promise<void> = Promise.resolve()
let station: Station | null = null
let release = () => {}

async function passBy(at: Station): Promise<void> {
  if (station !== at) return
  station = null
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  await tell({ event: 'held', at })
  await released
}

/** The program of a refresher process: takes a source to its next round and refreshes its dataset, again and again. */
async function main(): Promise<void> {
  const { TORTURE_DATABASE_URL: databaseUrl = '', TORTURE_REDIS_URL: redisUrl } = process.env
  const config = readConfig({ ...(redisUrl !== undefined && { REDIS_URL: redisUrl }), DATABASE_POOL: '4' })
  const { dataSource, register } = createServices({ config, databaseUrl, onCacheEvent: () => undefined })
  // It may be started while Postgres is away.
  const definitions = await eventually(async () => {
    if (!dataSource.isInitialized) await dataSource.initialize()
    return readDefinitions(dataSource, declarationsOf(DATASETS))
  }, START_MS)

  async function refresh(dataset: number): Promise<void> {
    const name = NAMES[dataset]
    const definition = definitions[dataset]
    if (name === undefined || definition === undefined) throw new Error(`There is no dataset ${dataset}`)
    const round = await withTransaction(dataSource, 'READ COMMITTED', async (query) => {
      const [first = '', ...rest] = advance(name)
      const { rows } = await query(first)
      for (const statement of rest) await query(statement)
      const n = Number(rows[0]?.n)
      await tell({ event: 'begun', dataset, round: n, at: now() })
      return n
    })
    const commit = () => tell({ event: 'committed', dataset, round, at: now() })
    await refreshDataset(definition, {
      dataSource,
      register: {
        prepare: async (...facts: Parameters<typeof register.prepare>) => {
          const isPrepared = await register.prepare(...facts)
          await passBy('prepared')
          return isPrepared
        },
        publish: async (...facts: Parameters<typeof register.publish>) => {
          await commit()
          await passBy('committed')
          return register.publish(...facts)
        },
      },
    })
    // Another refresher may have taken the round over; then this one had nothing to publish.
    await commit()
  }

  async function run(pauseMs: number, seed: number): Promise<void> {
    const random = randomOf(seed, 78)
    while (isRunning) {
      try {
        await refresh(random.below(NAMES.length))
      } catch (error) {
        await tell({ event: 'failed', at: now(), text: error instanceof Error ? `${error.stack}` : String(error) })
      }
      await wait(Math.round(pauseMs * (0.5 + random.below(1_000) / 1_000)))
    }
  }

  process.on('disconnect', () => process.exit())
  process.on('message', async (message: RefresherMessage) => {
    if (message.what === 'start') {
      isRunning = true
      running = run(message.pauseMs, message.seed)
    }
    if (message.what === 'hold') station = message.at
    if (message.what === 'release') release()
    if (message.what === 'stop') {
      isRunning = false
      station = null
      release()
      await running
    }
    await tell({ id: message.id })
  })
  await tell({ isReady: true })
}

void main()
