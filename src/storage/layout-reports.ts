import type { DataSource } from 'typeorm'
import { withConnection } from './query'
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
  /** When the data was read from the source, as RFC 3339; null: never. */
  readonly dataAsOf: string | null
  /** Null before the first build. */
  readonly sourceRows: number | null
  readonly lastError: string | null
  readonly rollups: readonly RollupReport[]
}

/** Reads every layout that the schema keeps, by id; none where nothing has been built yet. */
export async function readLayoutReports(dataSource: DataSource): Promise<ReadonlyMap<string, LayoutReport>> {
  const schema = schemaOf(dataSource)
  return withConnection(dataSource, async (query) => {
    const found = await query('SELECT to_regclass($1) AS layouts', [`${schema}.layout`])
    if (found.rows[0]?.layouts === null) return new Map()
    const { rows } = await query(
      `SELECT layout.id, dataset, seq || '.' || version AS version, ready_at IS NOT NULL AS is_ready,
         to_char(data_as_of AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS data_as_of, (source_rows + rows_without_time)::text AS source_rows, last_error,
         coalesce(rollups, '[]') AS rollups
       FROM ${schema}.layout LEFT JOIN LATERAL (
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
      dataAsOf: textOf(row.data_as_of),
      sourceRows: row.source_rows === null ? null : Number(row.source_rows),
      lastError: textOf(row.last_error),
      // Built by the statement above.
      rollups: row.rollups as readonly RollupReport[],
    }))
    return new Map(reports.map((report) => [report.id, report]))
  })
}

function textOf(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value)
}
