import type { DataSource } from 'typeorm'
import type { RefreshOptions } from '../dataset/declaration'
import { epochOf, readNumber } from './instants'
import { SERVED_WITHIN } from './layouts'
import { withConnection } from './query'
import { readRecipe } from './recipe'
import { schemaOf } from './schema'

export interface RollupReport {
  readonly name: string
  readonly rows: number
  /** On disk, indexes included. */
  readonly bytes: number
}

/** What the database remembers of a layout. */
export interface LayoutReport {
  readonly id: string
  readonly dataset: string
  /** `<seq>.<uuid>` */
  readonly version: string
  readonly isReady: boolean
  /** Whether some process has said lately that it serves this layout. */
  readonly isServed: boolean
  /** How it follows its source; null where a release wrote that down in another form. */
  readonly refresh: RefreshOptions | null
  /** Whether every change of the source is captured as it is committed. */
  readonly isExact: boolean
  /** Whether a change could not be taken over, so that the next refresh computes every bucket anew. */
  readonly isBehind: boolean
  /** Buckets from here on are built, in epoch milliseconds; null: none yet; -∞: all. */
  readonly builtFrom: number | null
  /** End of the last bucket that has data, in epoch milliseconds; null: no rows. */
  readonly dataTo: number | null
  /** When the data was read from the source, as RFC 3339; null: never. */
  readonly dataAsOf: string | null
  /** Whole seconds since then. */
  readonly lagSeconds: number | null
  /** Null before the first build. */
  readonly sourceRows: number | null
  /** Marks of changes that wait for a refresh. They are the dataset's, whichever layout. */
  readonly waitingMarks: number
  /** Marks that were discarded because the buckets they name are frozen. */
  readonly frozenMarks: number
  readonly lastError: string | null
  /** As RFC 3339. */
  readonly lastErrorAt: string | null
  readonly rollups: readonly RollupReport[]
}

/**
 * Reads every layout that the schema keeps, by id; none where nothing has been built yet, or only by a release whose schema
 * is still to be migrated.
 */
export async function readLayoutReports(dataSource: DataSource): Promise<ReadonlyMap<string, LayoutReport>> {
  const schema = schemaOf(dataSource)
  const text = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`
  return withConnection(dataSource, async (query) => {
    const found = await query('SELECT to_regclass($1) AS marks', [`${schema}.dirty`])
    if (found.rows[0]?.marks === null) return new Map()
    const { rows } = await query(
      `SELECT layout.id, dataset, seq || '.' || version AS version, ready_at IS NOT NULL AS is_ready, recipe,
         coalesce(seen_at > now() - ${SERVED_WITHIN}, false) AS is_served, is_exact, is_behind,
         ${epochOf('built_from')} AS built_from, ${epochOf('data_to')} AS data_to, ${text('data_as_of')} AS data_as_of,
         floor(extract(epoch from now() - data_as_of))::text AS lag, (source_rows + rows_without_time)::text AS source_rows,
         (SELECT count(*) FROM ${schema}.dirty WHERE dirty.dataset = layout.dataset)::text AS waiting_marks,
         frozen_marks::text, last_error, ${text('last_error_at')} AS last_error_at, coalesce(rollups, '[]') AS rollups
       FROM ${schema}.layout LEFT JOIN ${schema}.serving ON serving.layout = layout.id LEFT JOIN LATERAL (
         SELECT json_agg(json_build_object('name', name, 'rows', row_count,
           'bytes', coalesce(pg_total_relation_size(to_regclass($1 || quote_ident(table_name))), 0)) ORDER BY position) AS rollups
         FROM ${schema}.rollup WHERE rollup.layout = layout.id
       ) AS of_layout ON true
       ORDER BY layout.id`,
      [`${schema}.`],
    )
    const reports = rows.map((row) => ({
      id: String(row.id),
      dataset: String(row.dataset),
      version: String(row.version),
      isReady: row.is_ready === true,
      isServed: row.is_served === true,
      refresh: row.recipe === null ? null : (readRecipe(row.recipe)?.refresh ?? null),
      isExact: row.is_exact === true,
      isBehind: row.is_behind === true,
      builtFrom: readNumber(row.built_from),
      dataTo: readNumber(row.data_to),
      dataAsOf: textOf(row.data_as_of),
      lagSeconds: readNumber(row.lag),
      sourceRows: readNumber(row.source_rows),
      waitingMarks: Number(row.waiting_marks),
      frozenMarks: Number(row.frozen_marks),
      lastError: textOf(row.last_error),
      lastErrorAt: textOf(row.last_error_at),
      // Built by the statement above.
      rollups: row.rollups as readonly RollupReport[],
    }))
    return new Map(reports.map((report) => [report.id, report]))
  })
}

function textOf(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value)
}
