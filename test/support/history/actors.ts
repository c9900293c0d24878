import { setTimeout as wait } from 'node:timers/promises'
import { type Client, DatabaseError } from 'pg'
import type { DataSource } from 'typeorm'
import type { Definition } from '../../../src/dataset/definition'
import { type RefreshOptions, refreshDataset, refreshUnlessBusy } from '../../../src/refresh/refresher'
import { codeOf } from '../../../src/storage/postgres-errors'
import type { TestDatabase } from '../database'
import type { RefreshPlan } from './history'
import type { Writer } from './statements'
import { atRest, type World } from './world'

/** What the actors of a history share: how far it is, and what went wrong. */
export interface Stage {
  readonly world: World
  /** Transactions that have ended. */
  ended: number
  isQuiet: boolean
  readonly faults: string[]
  /** Errors of refreshers that a kill or the application explains, by their message. */
  readonly tolerated: Map<string, number>
}

/** The application's own doing: what is not there (any more), a partition that does not fit, transactions that exclude each other. */
const OWN_ERRORS = ['42P01', '42P07', '42P17', '42809', '55000', '23514', '21000', '40001', '40P01', '42704']

function isOwnFault(error: unknown, pids: readonly number[], isUpheaval: boolean): boolean {
  if (!(error instanceof DatabaseError)) return false
  // Postgres itself, where a writer puts a row into a partition that another one detaches.
  if (/could not find tuple for parent of relation/.test(error.message)) return true
  // Serialisable transactions exclude each other by what they read; which statement is told is chance.
  if (error.code === '40001') return true
  const text = [error.message, error.detail, error.where, error.table, error.schema].join(' ')
  if (/aggregraph|capture_/.test(text)) return false
  const involved = [...(error.detail ?? '').matchAll(/[Pp]rocess (\d+)/g)].map(([, pid]) => Number(pid))
  // Whoever locks whole tables one after another may meet any reader in a ring; whoever writes rows must not.
  return OWN_ERRORS.includes(error.code ?? '') && (isUpheaval || involved.every((pid) => pids.includes(pid)))
}

/** Runs the transactions of one writer, with a pause after each. An error is a fault, unless it is the application's own. */
export async function runWriter(
  stage: Stage,
  client: Client,
  writer: Writer,
  pids: readonly number[],
  pauseMs = 0,
): Promise<void> {
  await client.query(`SET application_name = 'writer'; SET statement_timeout = '30s'`)
  for (const setting of writer.settings) await client.query(setting)
  for (const { begin, steps, end, isUpheaval } of writer.transactions) {
    try {
      await client.query(begin)
      for (const step of steps) {
        await client.query(step.sql)
        if (step.pauseMs > 0) await wait(step.pauseMs)
      }
      await client.query(end)
    } catch (error) {
      if (!isOwnFault(error, pids, isUpheaval)) stage.faults.push(`A writer failed: ${describe(error)}`)
      await client.query('ROLLBACK')
    }
    stage.ended += 1
    if (pauseMs > 0) await wait(pauseMs)
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { detail, where } = error instanceof DatabaseError ? error : { detail: '', where: '' }
  return [codeOf(error) ?? error.name, error.message, detail, where].filter(Boolean).join(' | ')
}

/** The options of one call. Versions are kept by Postgres; there is no Redis to tell of them. */
export function optionsOf(world: World, plan: RefreshPlan, dataSource: DataSource): RefreshOptions {
  const reach = 2 * 86_400_000
  // A look-up table's changes wait by the database's own clock; retention goes by the history's.
  const now = () =>
    world.flavour === 'query' ? Date.now() + (plan.isLate ? 3_600_000 : 0) : plan.isLast ? atRest(world) : world.now
  return {
    dataSource,
    register: { prepare: async () => true, publish: async () => true },
    full: plan.isFull,
    sliceRows: plan.sliceRows,
    clock: now,
    ...(plan.isRange && { range: { from: world.centre - reach, to: world.centre + reach } }),
  }
}

/** What may keep a refresh from its end without a fault of its own: its connection was cut, or the table is locked. */
function isExplained(error: unknown, hasKiller: boolean): boolean {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  const text = cause instanceof Error ? cause.message : ''
  const isCut =
    codeOf(cause) === '57P01' ||
    /Connection terminated|not queryable|connection is closed|already released|ECONNRESET/i.test(text)
  // Locks of the application that last; a partition that went while its triggers were created.
  return (isCut && hasKiller) || ['55P03', '40P01', '42P01', '42809'].includes(codeOf(cause) ?? '')
}

/** Refreshes again and again until all is quiet, as its plans say. */
export async function runRefresher(
  stage: Stage,
  dataSource: DataSource,
  plans: readonly RefreshPlan[],
  known: () => readonly Definition[],
  hasKiller: boolean,
): Promise<void> {
  for (let turn = 0; !stage.isQuiet; turn += 1) {
    const plan = plans[turn % plans.length]
    const definitions = known()
    const definition = definitions[plan?.release ?? 0] ?? definitions[0]
    if (plan === undefined || definition === undefined) return
    if (plan.pauseMs > 0) await wait(plan.pauseMs)
    try {
      const refresh = plan.waits ? refreshDataset : refreshUnlessBusy
      const outcome = await refresh(definition, optionsOf(stage.world, plan, dataSource))
      if (outcome === null) await wait(5)
    } catch (error) {
      const text = describe(error)
      stage.tolerated.set(text, (stage.tolerated.get(text) ?? 0) + 1)
      if (!isExplained(error, hasKiller)) stage.faults.push(`A refresh failed: ${text}`)
    }
  }
}

/** Ends connections of refreshers that are at work. */
export async function runKiller(stage: Stage, database: TestDatabase, pauses: readonly number[]): Promise<void> {
  for (const pauseMs of pauses) {
    await wait(pauseMs)
    if (stage.isQuiet) return
    await database.query(`SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'aggregraph' AND state <> 'idle'
      ORDER BY pid % ${1 + (pauseMs % 3)} LIMIT 1) AS chosen`)
  }
}
