import type { Query } from './query'

/** Reads why the last refresh of each of the given layouts failed, as it was written down; one that did not is absent. */
export async function readLastErrors(
  query: Query,
  schema: string,
  layouts: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await query(
    `SELECT id, last_error FROM ${schema}.layout WHERE id = ANY ($1::text[]) AND last_error IS NOT NULL`,
    [layouts],
  )
  return new Map(rows.map((row) => [String(row.id), String(row.last_error)]))
}
