import type { LayoutDefinition } from '../dataset/definition'
import { quoteIdentifier, quoteLiteral } from '../dataset/sql'
import { ALWAYS, type Stretch } from '../time/stretch'
import { type CaptureFunction, triggerNames } from './capture-sql'
import { epochOf, readNumber } from './instants'
import type { Query } from './query'
import { timeOf } from './source-sql'

/** A relation whose triggers a function needs: the table, or something that holds a part of its rows. */
export interface CapturedRelation {
  readonly oid: number
  /** Quoted, `schema.table`. */
  readonly name: string
  /** Whether triggers can see its rows at all: a foreign table's cannot. */
  readonly isTable: boolean
  /** Whether all its triggers are there and enabled. */
  readonly hasTriggers: boolean
  /** Whether somebody has disabled one of them. */
  readonly isDisabled: boolean
  /** Whether it was captured when last looked at. */
  readonly isKnown: boolean
  /** Bound of a partition, as Postgres writes it. */
  readonly bound: string | null
  /** Partition key of what it is a direct part of. */
  readonly key: string | null
}

/** Lists a table and everything that inherits from it, with the state of the triggers of a function. */
export async function listRelations(
  query: Query,
  schema: string,
  dataset: string,
  captureFunction: CaptureFunction,
): Promise<readonly CapturedRelation[]> {
  const names = triggerNames(captureFunction)
  const { rows } = await query(
    `WITH RECURSIVE tree AS (
       SELECT to_regclass($1)::oid AS oid, NULL::oid AS parent WHERE to_regclass($1) IS NOT NULL
       UNION SELECT inhrelid, inhparent FROM pg_inherits JOIN tree ON inhparent = tree.oid AND NOT inhdetachpending
     )
     SELECT c.oid::text AS oid, format('%I.%I', nspname, relname) AS name, relkind IN ('r', 'p') AS is_table,
       (SELECT count(*) FROM pg_trigger WHERE tgrelid = c.oid AND tgname = ANY ($2::text[])
         AND tgenabled IN ('O', 'A') AND tgfoid = to_regproc($3)) = ${names.length} AS has_triggers,
       EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND tgname = ANY ($2::text[]) AND tgenabled NOT IN ('O', 'A')) AS is_disabled,
       EXISTS (SELECT FROM ${schema}.capture WHERE dataset = $4 AND function = $5 AND relation = c.oid) AS is_known,
       pg_get_expr(relpartbound, c.oid) AS bound, CASE WHEN parent IS NOT NULL THEN pg_get_partkeydef(parent) END AS key
     FROM tree JOIN pg_class c ON c.oid = tree.oid JOIN pg_namespace n ON n.oid = relnamespace`,
    [captureFunction.table, names, `${schema}.${quoteIdentifier(captureFunction.name)}`, dataset, captureFunction.name],
  )
  return rows.map((row) => ({
    oid: Number(row.oid),
    name: String(row.name),
    isTable: row.is_table === true,
    hasTriggers: row.has_triggers === true,
    isDisabled: row.is_disabled === true,
    isKnown: row.is_known === true,
    bound: row.bound === null ? null : String(row.bound),
    key: row.key === null ? null : String(row.key),
  }))
}

const DAY_MS = 86_400_000
const RANGE = /^FOR VALUES FROM \((MINVALUE|'[^']*')\) TO \((MAXVALUE|'[^']*')\)$/

/** The stretch of time that the rows of a partition bear on; all of time where its bound does not say. */
export async function readBounds(
  query: Query,
  definition: LayoutDefinition,
  { timeColumn }: CaptureFunction,
  { bound, key }: Pick<CapturedRelation, 'bound' | 'key'>,
): Promise<Stretch> {
  const range = RANGE.exec(bound ?? '')
  if (range === null || timeColumn === null) return ALWAYS
  if (key?.replaceAll('"', '') !== `RANGE (${timeColumn.replaceAll('"', '')})`) return ALWAYS
  const instant = (text: string | undefined) => {
    if (text === 'MINVALUE' || text === undefined) return `'-infinity'::timestamptz`
    if (text === 'MAXVALUE') return `'infinity'::timestamptz`
    return timeOf(definition, `${quoteLiteral(text.slice(1, -1))}::${definition.timeType}`)
  }
  const { rows } = await query(`SELECT ${epochOf(instant(range[1]))} AS lower, ${epochOf(instant(range[2]))} AS upper`)
  // Where clocks change, instants do not keep the order of local times.
  const slack = definition.timeType === 'timestamp' ? DAY_MS : 0
  const from = (readNumber(rows[0]?.lower) ?? ALWAYS.from) - slack
  return { from, to: (readNumber(rows[0]?.upper) ?? ALWAYS.to) + slack }
}
