import type { DataSource } from 'typeorm'
import type { LayoutDefinition } from '../dataset/definition'
import { captureFunctions, triggerNames } from './capture-sql'
import { type CapturedRelation, listRelations } from './captured-relations'
import { type Query, withDeadline } from './query'
import { schemaOf } from './schema'

/** What keeps triggers from capturing the changes of a table, or of a partition of it. */
export interface CaptureFacts {
  /** Quoted, `schema.table`. */
  readonly table: string
  /** Whether a trigger is missing, and the user may not create it. */
  readonly isForbidden: boolean
  /** Whether a trigger is missing, on a table that was captured before. */
  readonly isDropped: boolean
  /** Triggers that somebody has disabled, quoted. */
  readonly disabled: readonly string[]
  /** A foreign table, on which no trigger sees what happens elsewhere. */
  readonly isForeign: boolean
  /** Whether a subscription writes to it: logical replication fires no statement trigger. */
  readonly isSubscribed: boolean
}

async function isSubscriptionReadable(query: Query): Promise<boolean> {
  const { rows } = await query(`SELECT has_table_privilege('pg_catalog.pg_subscription_rel', 'SELECT') AS may`)
  return rows[0]?.may === true
}

async function inspectRelation(
  query: Query,
  { oid, name, isTable, hasTriggers, isKnown }: CapturedRelation,
  names: readonly string[],
  canSeeSubscriptions: boolean,
): Promise<CaptureFacts> {
  const { rows } = await query(
    `SELECT has_table_privilege($1::oid, 'TRIGGER') AS may,
       ${canSeeSubscriptions ? 'EXISTS (SELECT FROM pg_subscription_rel WHERE srrelid = $1::oid)' : 'false'} AS is_subscribed,
       ARRAY(SELECT quote_ident(tgname) FROM pg_trigger
         WHERE tgrelid = $1::oid AND tgname = ANY ($2::text[]) AND tgenabled NOT IN ('O', 'A') ORDER BY tgname) AS disabled`,
    [oid, names],
  )
  const [row] = rows
  const disabled = Array.isArray(row?.disabled) ? row.disabled.map(String) : []
  const isMissing = isTable && !hasTriggers && disabled.length === 0
  return {
    table: name,
    isForbidden: isMissing && row?.may === false,
    isDropped: isMissing && isKnown,
    disabled,
    isForeign: !isTable,
    isSubscribed: row?.is_subscribed === true,
  }
}

/**
 * Looks at every table whose changes a dataset captures by triggers, partitions and `dependsOn` included; none where it has
 * no triggers, or the schema is still to be migrated. Changes nothing.
 */
export async function inspectCapture(
  dataSource: DataSource,
  definition: LayoutDefinition,
  seconds: number,
): Promise<readonly CaptureFacts[]> {
  const schema = schemaOf(dataSource)
  const functions = captureFunctions(definition, schema)
  if (functions.length === 0) return []
  return withDeadline(dataSource, seconds, async (query) => {
    const found = await query('SELECT to_regclass($1) AS captured', [`${schema}.capture`])
    if (found.rows[0]?.captured === null) return []
    const canSeeSubscriptions = await isSubscriptionReadable(query)
    const facts: CaptureFacts[] = []
    for (const captureFunction of functions) {
      const names = triggerNames(captureFunction)
      for (const relation of await listRelations(query, schema, definition.name, captureFunction)) {
        facts.push(await inspectRelation(query, relation, names, canSeeSubscriptions))
      }
    }
    return facts
  })
}
