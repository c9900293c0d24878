import type { ColumnType } from './column-type'
import type { ReadDeclaration } from './read-declaration'
import type { ReadExpression } from './read-members'
import { quoteIdentifier, quoteLiteral } from './sql'

/** What Postgres says against a piece of a declaration, in its own words. */
export interface Refusal {
  readonly error: string
  readonly hint?: string
}

export interface RelationDescription {
  readonly columns: readonly string[]
}

/** Type of an expression; `other` for one that Aggregraph does not take. `pgType` is its name for people. */
export interface ExpressionDescription {
  readonly type: ColumnType | 'other'
  readonly pgType: string
}

/** A table that a source depends on, under the name that the declaration gives it. */
export interface CapturedRelation {
  /** As declared, quoted. */
  readonly name: string
  /** `schema.table`, quoted where needed. */
  readonly qualified: string
  /** False for views and foreign tables, on which no statement trigger sees rows. */
  readonly isTable: boolean
  /** Quoted columns of the primary key; null where there is none. */
  readonly key: readonly string[] | null
}

/** What capturing the changes of a source takes. */
export interface CaptureDescription {
  readonly relations: readonly CapturedRelation[]
  /** Tables of which a row bears only on source rows with its own time, and the quoted column that holds that. */
  readonly timeTables: readonly { readonly qualified: string; readonly column: string }[]
  /** Every table that the source reads, `schema.table`, partitioned ones as a whole. */
  readonly tables: readonly string[]
}

/** What the database says about a dataset's source and about every expression over its rows. Plain data. */
export interface SourceDescription {
  /** Null when the declaration names no source that could be asked for. */
  readonly relation: RelationDescription | Refusal | null
  /** By the expression's SQL, as `expressionsOf` gives it. Empty when the relation was refused. */
  readonly expressions: Readonly<Record<string, ExpressionDescription | Refusal>>
  /** The tables of `dependsOn`, by the name given. */
  readonly dependencies: Readonly<Record<string, RelationDescription | Refusal>>
  /** Null unless changes are to be captured by triggers. */
  readonly capture: CaptureDescription | null
}

/** Returns the SQL of an expression; null when it is a column that the source has not. */
export function sqlOfExpression(expression: ReadExpression, columns: readonly string[]): string | null {
  if (expression.kind === 'sql') return expression.sql
  const name = expression.names.find((candidate) => columns.includes(candidate))
  return name === undefined ? null : quoteIdentifier(name)
}

/** Returns SQL that fails when Postgres does not know the zone: its data and Node's are not the same. */
export function zoneProbe(timezone: string): string {
  return `(timestamp '2000-01-01' at time zone ${quoteLiteral(timezone)})`
}

/** Returns the SQL of every expression whose type a definition needs, each once. */
export function expressionsOf(read: ReadDeclaration, columns: readonly string[]): readonly string[] {
  const written: (ReadExpression | null)[] = [
    read.time === null ? null : { kind: 'column', names: [read.time] },
    ...read.dimensions.map(({ from }) => from),
    ...read.measures.flatMap(({ spec }) => {
      if (spec.kind === 'ratio') return []
      return spec.kind === 'count' ? [spec.where] : [spec.of, spec.where]
    }),
  ]
  const refresh = read.refresh
  if (refresh !== 'manual' && refresh.updatedAt !== undefined) {
    written.push({ kind: 'column', names: [refresh.updatedAt] })
  }
  const sql = written.flatMap((expression) => (expression === null ? [] : (sqlOfExpression(expression, columns) ?? [])))
  return [...new Set([...sql, zoneProbe(read.timezone)])]
}
