import { readConfig } from '../../src/config'
import { type RefreshOptions, type RefreshOutcome, refreshDataset } from '../../src/refresh/refresher'
import { createServices } from '../../src/services'
import { prepareDatabase } from '../../src/storage/prepare-database'
import type { TestDatabase } from './database'
import { declarationsOf } from './server'

type Database = Pick<TestDatabase, 'url' | 'query'>

type Options = Omit<RefreshOptions, 'dataSource' | 'register'>

/** A process that refreshes one dataset, which it took for what the database said when it was opened. */
export interface TestRefresher {
  refresh(options?: Options): Promise<RefreshOutcome>
  close(): Promise<void>
}

/** Connects, migrates where that is to be done, and settles what the dataset means. */
export async function openRefresher(url: string, dataset: object): Promise<TestRefresher> {
  const config = readConfig({})
  const services = createServices({ config, databaseUrl: url, onCacheEvent: () => undefined })
  const { dataSource, register } = services
  try {
    const [definition] = await prepareDatabase(dataSource, config, declarationsOf([dataset]))
    if (definition === undefined) throw new Error('No dataset was given')
    return {
      refresh: (options = {}) => refreshDataset(definition, { dataSource, register, ...options }),
      close: () => services.close(),
    }
  } catch (error) {
    await services.close()
    throw error
  }
}

/** Refreshes one dataset in a process that begins with it and ends after it. */
export async function refreshOne(url: string, dataset: object, options: Options = {}): Promise<RefreshOutcome> {
  const refresher = await openRefresher(url, dataset)
  try {
    return await refresher.refresh(options)
  } finally {
    await refresher.close()
  }
}

/** What is marked as changed: `from to`, in UTC to the minute; `always` and `whole` for all of it, `timeless` for no time. */
export async function readMarks({ query }: Database): Promise<string[]> {
  const format = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')`
  const rows = await query(`SELECT DISTINCT CASE WHEN is_whole THEN 'whole' WHEN lower IS NULL THEN 'timeless'
      WHEN lower = '-infinity' AND upper = 'infinity' THEN 'always' ELSE ${format('lower')} || ' ' || ${format('upper')} END AS mark
    FROM aggregraph.dirty ORDER BY 1`)
  return rows.map(({ mark }) => String(mark))
}

/** The rows of the newest layout's base rollup, by their bucket: `bucket` in UTC, `place` where the row lies, and its states. */
export async function readRollup({ query }: Database): Promise<Record<string, unknown>[]> {
  const [table] = await query(`SELECT table_name FROM aggregraph.rollup JOIN aggregraph.layout ON layout.id = layout
    WHERE position = 0 ORDER BY created_at DESC LIMIT 1`)
  return query(`SELECT ctid::text AS place, to_char(bucket AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS at, *
    FROM aggregraph."${table?.table_name}" ORDER BY bucket`)
}

/** What the database remembers of the newest layout. */
export async function readLayout({ query }: Database): Promise<Record<string, unknown>> {
  const [layout] = await query('SELECT * FROM aggregraph.layout ORDER BY created_at DESC LIMIT 1')
  return layout ?? {}
}

/** What the newest layout's base rollup holds: `bucket count sum` by bucket, of datasets that count orders and add up their revenue. */
export async function readCells(database: Database): Promise<string[]> {
  const rows = await readRollup(database)
  return rows.map(({ at, orders_count, revenue_sum }) => `${at} ${orders_count} ${revenue_sum}`)
}

/** What it should hold: the same from the given FROM item with the columns `at` and `amount`, by hour unless said otherwise. */
export async function readTruth(
  { query }: Database,
  from: string,
  bucket = `date_trunc('hour', at, 'UTC')`,
): Promise<string[]> {
  const rows =
    await query(`SELECT to_char(bucket AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS at, count(*) AS n, sum(amount) AS total
    FROM (SELECT ${bucket} AS bucket, amount FROM ${from} AS source WHERE isfinite(at)) AS bucketed GROUP BY bucket ORDER BY bucket`)
  return rows.map(({ at, n, total }) => `${at} ${n} ${total}`)
}
