import { epochOf, readNumber } from './instants'
import type { Query } from './query'

/** What a layout remembers of its refreshes. */
export interface RefreshRecord {
  /** Those without a usable time included. */
  readonly sourceRows: number
  /** Source rows without a usable time, which no bucket holds. */
  readonly rowsWithoutTime: number
  /** NaN and infinite values that the measures ignored. */
  readonly valuesIgnored: number
  /** When every bucket was last computed anew, in epoch milliseconds; null: never. */
  readonly rebuiltAt: number | null
  readonly rollups: readonly { readonly name: string; readonly rows: number }[]
}

/** Reads what a layout remembers of its refreshes. */
export async function readRefreshRecord(query: Query, schema: string, layout: string): Promise<RefreshRecord> {
  const { rows } = await query(
    `SELECT (coalesce(source_rows, 0) + rows_without_time)::text AS source_rows, rows_without_time::text, values_ignored::text,
       ${epochOf('rebuilt_at')} AS rebuilt_at,
       (SELECT json_agg(json_build_object('name', name, 'rows', row_count) ORDER BY position) FROM ${schema}.rollup
        WHERE rollup.layout = id) AS rollups
     FROM ${schema}.layout WHERE id = $1`,
    [layout],
  )
  const [row] = rows
  return {
    sourceRows: Number(row?.source_rows),
    rowsWithoutTime: Number(row?.rows_without_time),
    valuesIgnored: Number(row?.values_ignored),
    rebuiltAt: readNumber(row?.rebuilt_at),
    // Built by the statement above.
    rollups: (row?.rollups ?? []) as RefreshRecord['rollups'],
  }
}

/** Writes down why the last refresh of a layout failed. */
export async function recordError(query: Query, schema: string, layout: string, message: string): Promise<void> {
  await query(`UPDATE ${schema}.layout SET last_error = $2, last_error_at = now() WHERE id = $1`, [layout, message])
}
