import type { DataSource } from 'typeorm'
import { readConfig } from '../../src/config'
import type { Definition, RollupDefinition } from '../../src/dataset/definition'
import { type RefreshOptions, type RefreshOutcome, refreshDataset } from '../../src/refresh/refresher'
import { createServices } from '../../src/services'
import { migrate } from '../../src/storage/migrate'
import { readDefinitions } from '../../src/storage/read-definitions'
import { layoutId, rollupTables } from '../../src/storage/rollup-table'
import type { TestDatabase } from './database'
import { declarationsOf } from './server'

/** A process that refreshes when it is told to, with connections of its own. */
export interface Refresher {
  readonly dataSource: DataSource
  define(dataset: object): Promise<Definition>
  /** Refreshes the dataset that a class declares. */
  refresh(dataset: object, options?: Partial<Omit<RefreshOptions, 'dataSource'>>): Promise<RefreshOutcome>
  close(): Promise<void>
}

/** Opens a refresher on a database, and brings its schema up to date. */
export async function openRefresher(databaseUrl: string): Promise<Refresher> {
  const services = createServices({ config: readConfig({}), databaseUrl, onCacheEvent: () => undefined })
  const { dataSource, register } = services
  await dataSource.initialize()
  await migrate(dataSource)
  const define = async (dataset: object) => {
    const [definition] = await readDefinitions(dataSource, declarationsOf([dataset]))
    if (definition === undefined) throw new Error('No dataset was declared')
    return definition
  }
  return {
    dataSource,
    define,
    refresh: async (dataset, options = {}) =>
      refreshDataset(await define(dataset), { dataSource, register, ...options }),
    close: () => services.close(),
  }
}

/** What the database keeps of a layout, as it is. */
export async function readLayout(database: Pick<TestDatabase, 'query'>, definition: Definition) {
  const [row] = await database.query(
    `SELECT ready_at IS NOT NULL AS "isReady", is_behind AS "isBehind", built_from::text AS "builtFrom", last_error AS "lastError",
       seq::integer AS seq, version::text AS version, frozen_marks::integer AS "frozenMarks", data_as_of AS "dataAsOf"
     FROM aggregraph.layout WHERE id = $1`,
    [layoutId(definition)],
  )
  return row
}

const STEPS = { minute: '1 minute', quarter_hour: '15 minutes', hour: '1 hour' } as const

/**
 * Compares every rollup of a layout with the same SQL on the source, and its number of rows with what is written down; gives
 * a sentence for each that differs. Postgres cuts the buckets here. Of each rollup only the buckets
 * from `since` on are compared, and there must be no others.
 */
export async function findDifferences(
  database: Pick<TestDatabase, 'query'>,
  definition: Definition,
  since: (rollup: RollupDefinition) => string = () => '-infinity',
): Promise<string[]> {
  const differences: string[] = []
  for (const { rollup, name, dimensions, states } of rollupTables(definition)) {
    const { granularity, timezone } = rollup
    const bucket =
      granularity === 'minute' || granularity === 'quarter_hour' || granularity === 'hour'
        ? `date_bin('${STEPS[granularity]}', ${definition.timeSql}, '2000-01-01Z')`
        : `date_trunc('${granularity}', ${definition.timeSql}, '${timezone}')`
    const kept = ['bucket', ...[...dimensions, ...states].map(({ column }) => `"${column}"`)].join(', ')
    const built = [
      `${bucket} AS bucket`,
      ...dimensions.map(({ sql }) => sql),
      ...states.map(({ build, sqlType }) => `(${build})::${sqlType}`),
    ]
    const groups = built.slice(0, 1 + dimensions.length).map((_, index) => index + 1)
    const source = `SELECT ${built.join(', ')} FROM ${definition.sourceSql} AS source
      WHERE isfinite(${definition.timeSql}) AND ${bucket} >= '${since(rollup)}' GROUP BY ${groups.join(', ')}`
    const table = `SELECT ${kept} FROM aggregraph."${name}"`
    const [row] = await database.query(
      `SELECT (SELECT count(*)::integer FROM (${table} EXCEPT ALL ${source}) AS a) AS surplus,
         (SELECT count(*)::integer FROM (${source} EXCEPT ALL ${table}) AS b) AS missing,
         (SELECT count(*) FROM aggregraph."${name}") = row_count AS "isCounted"
       FROM aggregraph.rollup WHERE table_name = $1`,
      [name],
    )
    if (row?.surplus !== 0 || row.missing !== 0 || row.isCounted !== true) {
      differences.push(`${rollup.name}: ${JSON.stringify(row)}`)
    }
  }
  return differences
}

/** Sets back when a layout was last announced, as if its processes had ended then. */
export async function stopServing(database: Pick<TestDatabase, 'query'>, definition: Definition): Promise<void> {
  await database.query(`UPDATE aggregraph.serving SET seen_at = now() - interval '61 minutes' WHERE layout = $1`, [
    layoutId(definition),
  ])
  await database.query(`UPDATE aggregraph.layout SET created_at = now() - interval '61 minutes' WHERE id = $1`, [
    layoutId(definition),
  ])
}
