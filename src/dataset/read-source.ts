import { type Complaints, readObject } from './complaints'
import { parenthesise, quoteIdentifier } from './sql'
import { faultOfSqlFragment } from './sql-fragment'

export interface ReadSource {
  /** FROM item. */
  readonly sql: string
  /** How the declaration calls it. */
  readonly text: string
  /** Whether it is a SELECT of its own, not the name of a relation. */
  readonly isQuery: boolean
  /** FROM items of the tables that a query depends on, by the name given. */
  readonly dependencies: Readonly<Record<string, { readonly sql: string; readonly columns: readonly string[] | null }>>
}

/** Returns a relation's quoted name from `table`, `schema.table` or either part in double quotes; null when malformed. */
export function quoteRelation(name: string): string | null {
  const part = '(?:[\\p{L}_][\\p{L}\\p{N}_$]*|"(?:[^"]|"")+")'
  if (!new RegExp(`^${part}(?:\\.${part})?$`, 'u').test(name)) return null
  const parts = name.match(/"(?:[^"]|"")+"|[^."]+/g) ?? []
  return parts.map((text) => (text.startsWith('"') ? text : quoteIdentifier(text))).join('.')
}

const RELATION_FORM =
  'write table or schema.table, a part with other characters in double quotes; a query is written { sql: "select …" }'

function readRelation(name: string, complaints: Complaints): ReadSource | null {
  const sql = quoteRelation(name)
  if (sql !== null) return { sql, text: name, isQuery: false, dependencies: {} }
  complaints.add(`source ${JSON.stringify(name)} is not the name of a table or view: ${RELATION_FORM}.`)
  return null
}

function readDependencies(value: unknown, complaints: Complaints): ReadSource['dependencies'] {
  if (value === undefined) return {}
  const isList = Array.isArray(value)
  if (typeof value !== 'object' || value === null) {
    complaints.add('dependsOn must be a list of tables, or an object of tables with their columns.')
    return {}
  }
  const named = isList ? value.map((name: unknown) => [name, null] as const) : Object.entries(value)
  const dependencies: Record<string, { sql: string; columns: readonly string[] | null }> = {}
  for (const [name, options] of named) {
    const sql = typeof name === 'string' ? quoteRelation(name) : null
    if (sql === null) complaints.add(`dependsOn names ${JSON.stringify(name)}, which is no table: ${RELATION_FORM}.`)
    else dependencies[String(name)] = { sql, columns: isList ? null : readColumns(String(name), options, complaints) }
  }
  return dependencies
}

function readColumns(table: string, options: unknown, complaints: Complaints): readonly string[] | null {
  const { columns } = readObject(options, `dependsOn.${table}`, ['columns'], complaints)
  if (Array.isArray(columns) && columns.length > 0 && columns.every((column) => typeof column === 'string'))
    return columns
  complaints.add(`dependsOn.${table} must name the columns that matter: { columns: ["state"] }.`)
  return null
}

function readQuery(value: unknown, complaints: Complaints): ReadSource | null {
  const raw = readObject(value, 'source', ['sql', 'dependsOn'], complaints)
  const dependencies = readDependencies(raw.dependsOn, complaints)
  if (typeof raw.sql !== 'string') {
    complaints.add('source.sql must be a SELECT.')
    return null
  }
  const text = raw.sql.trim().replace(/[;\s]+$/, '')
  const fault = faultOfSqlFragment(text)
  if (fault !== null) complaints.add(`source.sql ${fault}.`)
  else if (!/^(?:\s|\(|--[^\n]*\n|\/\*[\s\S]*?\*\/)*(?:select|with|values|table)\b/i.test(text)) {
    complaints.add('source.sql must be a SELECT.')
  } else return { sql: parenthesise(text), text: 'the query', isQuery: true, dependencies }
  return null
}

/** Reads where the rows come from; null when that cannot be told, which is complained of. */
export function readSource(value: unknown, complaints: Complaints): ReadSource | null {
  if (typeof value === 'string' && value.trim() !== '') return readRelation(value.trim(), complaints)
  if (typeof value === 'object' && value !== null) return readQuery(value, complaints)
  complaints.add(`source must name the table or view that holds the rows: ${RELATION_FORM}.`)
  return null
}
