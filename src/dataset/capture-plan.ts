import type { Complaints } from './complaints'
import type { ReadDeclaration } from './read-declaration'
import type { SourceDescription } from './source-description'

/** How the changes of a source are captured by triggers. Names are quoted. */
export interface CapturePlan {
  /** Tables of which a row bears only on the buckets of its own time, and the column that holds it. */
  readonly timeTables: readonly { readonly table: string; readonly column: string }[]
  /** Tables of which a row may bear on every bucket: what tells rows apart, null where any change counts. */
  readonly otherTables: readonly { readonly table: string; readonly columns: readonly string[] | null }[]
  /** Whether these are all the tables that the source reads. */
  readonly isComplete: boolean
}

const OTHER_WAYS = 'or follow it with updatedAt, lookback or "manual"'

/** Settles what triggers go on which tables; null when none do, or when that is refused, which is complained of. */
export function planCapture(
  { source, refresh }: ReadDeclaration,
  { capture }: SourceDescription,
  complaints: Complaints,
): CapturePlan | null {
  if (refresh === 'manual' || refresh.capture !== 'trigger' || source === null || capture === null) return null
  if (source.isQuery && Object.keys(source.dependencies).length === 0) {
    complaints.add(
      `capture: "trigger" needs tables, and dependsOn names none; name those behind the query, ${OTHER_WAYS}.`,
    )
    return null
  }
  const unfit = capture.relations.filter(({ isTable }) => !isTable)
  for (const { name } of unfit) {
    complaints.add(
      source.isQuery
        ? `capture: "trigger" needs tables, and dependsOn names ${name}, which is none; name the tables behind it, ${OTHER_WAYS}.`
        : `capture: "trigger" needs a table, and the source ${name} is none; write { sql: "select * from …", dependsOn: [its tables] }, ${OTHER_WAYS}.`,
    )
  }
  if (unfit.length > 0) return null
  const timeTables = capture.timeTables.map(({ qualified, column }) => ({ table: qualified, column }))
  const otherTables = capture.relations
    .filter(({ qualified }) => !timeTables.some(({ table }) => table === qualified))
    .map(({ name, qualified, key }) => {
      const columns = Object.values(source.dependencies).find(({ sql }) => sql === name)?.columns ?? null
      // Without a key two rows that swap values look like no change.
      return { table: qualified, columns: columns === null || key === null ? null : [...new Set([...key, ...columns])] }
    })
  for (const { table } of timeTables) {
    if (capture.relations.some(({ qualified }) => qualified === table)) continue
    complaints.add(`dependsOn leaves out ${table}, whose column is the time; add it, ${OTHER_WAYS}.`)
  }
  const isComplete = capture.tables.every((name) => capture.relations.some(({ qualified }) => qualified === name))
  return { timeTables, otherTables, isComplete }
}
