import type { DataSource } from 'typeorm'
import type { Definition } from '../dataset/definition'
import type { Query } from './query'
import { createRollup, layoutId, rollupTable } from './rollup-table'
import { schemaOf } from './schema'

/** What a question has to know of a layout before it is asked. Plain JSON: it is shared through the cache's register. */
export interface LayoutState {
  readonly isReady: boolean
  /** Start of the first bucket and end of the last, at the dataset's granularity, in epoch milliseconds; null: no rows. */
  readonly dataFrom: number | null
  readonly dataTo: number | null
  /** When the data was read from the source, in epoch milliseconds. */
  readonly dataAsOf: number | null
  /** Rows of each rollup, by its index. */
  readonly rows: readonly number[]
}

export interface VersionedState {
  readonly version: { readonly seq: number; readonly uuid: string }
  readonly data: LayoutState
}

const STATE_COLUMNS = `id, seq::text AS seq, version::text AS version, ready_at IS NOT NULL AS is_ready,
  (extract(epoch from data_from) * 1000)::double precision AS data_from,
  (extract(epoch from data_to) * 1000)::double precision AS data_to,
  (extract(epoch from data_as_of) * 1000)::double precision AS data_as_of`

function optionalNumber(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value)
}

/** Reads the states of the given layouts in one statement. A layout that was never registered is absent. */
export async function readLayoutStates(
  query: Query,
  schema: string,
  ids: readonly string[],
): Promise<Map<string, VersionedState>> {
  const { rows } = await query(
    `SELECT ${STATE_COLUMNS}, (SELECT coalesce(json_agg(row_count ORDER BY position), '[]') FROM ${schema}.rollup WHERE layout = id) AS rows
     FROM ${schema}.layout WHERE id = ANY ($1::text[])`,
    [ids],
  )
  return new Map(
    rows.map((row) => [
      String(row.id),
      {
        version: { seq: Number(row.seq), uuid: String(row.version) },
        data: {
          isReady: row.is_ready === true,
          dataFrom: optionalNumber(row.data_from),
          dataTo: optionalNumber(row.data_to),
          dataAsOf: optionalNumber(row.data_as_of),
          rows: Array.isArray(row.rows) ? row.rows.map(Number) : [],
        },
      },
    ]),
  )
}

/** Registers the layout of a definition and creates its empty rollups, once; call it in a transaction. */
export async function registerLayout(query: Query, dataSource: DataSource, definition: Definition): Promise<void> {
  const schema = schemaOf(dataSource)
  const id = layoutId(definition)
  const inserted = await query(
    `INSERT INTO ${schema}.layout (id, dataset) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING RETURNING id`,
    [id, definition.name],
  )
  if (inserted.rows.length === 0) return
  for (const rollup of definition.rollups) {
    for (const statement of createRollup(definition, id, rollup, schema)) await query(statement)
    await query(`INSERT INTO ${schema}.rollup (layout, position, name, table_name) VALUES ($1, $2, $3, $4)`, [
      id,
      rollup.index,
      rollup.name,
      rollupTable(id, rollup),
    ])
  }
}
