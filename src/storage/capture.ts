import { setTimeout as wait } from 'node:timers/promises'
import type { DataSource } from 'typeorm'
import type { LayoutDefinition } from '../dataset/definition'
import { quoteIdentifier } from '../dataset/sql'
import { RefreshError } from '../errors'
import type { Stretch } from '../time/stretch'
import { type CaptureFunction, captureFunctions, createFunction, createTriggers } from './capture-sql'
import { type CapturedRelation, listRelations, readBounds } from './captured-relations'
import { addMarks } from './dirty-marks'
import { epochOf, instantText, readNumber } from './instants'
import { codeOf } from './postgres-errors'
import { type Query, withConnection, withTransaction } from './query'
import { schemaOf } from './schema'

/** Class of the advisory locks under which triggers are created. */
const CAPTURE_LOCK = 411_774
/** How long a trigger may wait for the table's writers, and their successors for it. */
const LOCK_TIMEOUT_MS = 200
const ATTEMPTS = 25
const PAUSE_MS = 200
const LOCK_NOT_AVAILABLE = '55P03'
const DEADLOCK = '40P01'
const INSUFFICIENT_PRIVILEGE = '42501'

function isBuilt(query: Query, schema: string, dataset: string): Promise<boolean> {
  return query(`SELECT FROM ${schema}.layout WHERE dataset = $1 AND built_from IS NOT NULL LIMIT 1`, [dataset]).then(
    ({ rows }) => rows.length > 0,
  )
}

/** Puts the triggers of a function on one relation, and marks what it holds: nobody knows what happened to it before. */
async function captureRelation(
  dataSource: DataSource,
  definition: LayoutDefinition,
  captureFunction: CaptureFunction,
  relation: CapturedRelation,
): Promise<void> {
  const schema = schemaOf(dataSource)
  await withTransaction(dataSource, 'READ COMMITTED', async (query) => {
    await query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [CAPTURE_LOCK, definition.name])
    const found = await query('SELECT to_regproc($1) IS NOT NULL AS exists', [
      `${schema}.${quoteIdentifier(captureFunction.name)}`,
    ])
    if (found.rows[0]?.exists !== true) await query(createFunction(captureFunction, schema))
    await query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`)
    for (const statement of createTriggers(captureFunction, relation.name, schema)) await query(statement)
    const bounds = await readBounds(query, definition, captureFunction, relation)
    await query(
      `INSERT INTO ${schema}.capture (dataset, function, relation, lower, upper) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (dataset, function, relation) DO NOTHING`,
      [definition.name, captureFunction.name, relation.oid, instantText(bounds.from), instantText(bounds.to)],
    )
    // A first build reads everything anyway.
    if (await isBuilt(query, schema, definition.name)) await addMarks(query, schema, definition.name, [bounds])
  })
}

function refusal(definition: LayoutDefinition, relation: CapturedRelation, error: unknown): unknown {
  const { className } = definition
  const code = codeOf(error)
  if (code === INSUFFICIENT_PRIVILEGE) {
    return new RefreshError(
      className,
      `refresh.capture: "trigger" needs the right to create triggers on ${relation.name}, and functions in the schema of the rollups. GRANT TRIGGER ON ${relation.name} to the user of DATABASE_URL, or follow the source with updatedAt, lookback or "manual".`,
      error,
    )
  }
  if (code === LOCK_NOT_AVAILABLE || code === DEADLOCK) {
    return new RefreshError(
      className,
      `the triggers could not be put on ${relation.name}: transactions that write to it stay open. It is tried again.`,
      error,
    )
  }
  return error
}

async function persist(
  definition: LayoutDefinition,
  relation: CapturedRelation,
  attempt: () => Promise<void>,
): Promise<void> {
  for (let left = ATTEMPTS; ; left -= 1) {
    try {
      return await attempt()
    } catch (error) {
      const isBusy = [LOCK_NOT_AVAILABLE, DEADLOCK].includes(codeOf(error) ?? '')
      if (!isBusy || left <= 1) throw refusal(definition, relation, error)
      await wait(PAUSE_MS)
    }
  }
}

/** Whoever disabled a trigger meant to: it is told, not undone. Once it is enabled again, all it missed is marked. */
async function forget(
  dataSource: DataSource,
  definition: LayoutDefinition,
  { name }: CaptureFunction,
  { oid }: CapturedRelation,
): Promise<void> {
  await withConnection(dataSource, (query) =>
    query(`DELETE FROM ${schemaOf(dataSource)}.capture WHERE dataset = $1 AND function = $2 AND relation = $3`, [
      definition.name,
      name,
      oid,
    ]),
  )
}

/** Relations that were captured and are no part of the table any more: what they held is gone from it. */
async function forgetVanished(
  dataSource: DataSource,
  definition: LayoutDefinition,
  { name }: CaptureFunction,
  relations: readonly CapturedRelation[],
): Promise<void> {
  const schema = schemaOf(dataSource)
  const present = relations.map(({ oid }) => oid)
  const parameters = [definition.name, name, present]
  const condition = `dataset = $1 AND function = $2 AND relation <> ALL ($3::oid[])`
  const { rows } = await withConnection(dataSource, (query) =>
    query(`SELECT FROM ${schema}.capture WHERE ${condition} LIMIT 1`, parameters),
  )
  if (rows.length === 0) return
  await withTransaction(dataSource, 'READ COMMITTED', async (query) => {
    const gone = await query(
      `DELETE FROM ${schema}.capture WHERE ${condition} RETURNING ${epochOf('lower')} AS lower, ${epochOf('upper')} AS upper`,
      parameters,
    )
    const stretches = gone.rows.flatMap((row): Stretch[] => {
      const [from, to] = [readNumber(row.lower), readNumber(row.upper)]
      return from === null || to === null ? [] : [{ from, to }]
    })
    await addMarks(query, schema, definition.name, stretches)
  })
}

/**
 * Makes sure that every change of a dataset's source is captured, partitions that came since included; what a new part
 * holds, or a vanished one held, is marked. Tells whether capture is exact: false where it is not by triggers, leaves out a table of the source, a trigger was
 * disabled, or a part of the source is a foreign table.
 *
 * @throws RefreshError when the triggers cannot be created.
 */
export async function ensureCapture(dataSource: DataSource, definition: LayoutDefinition): Promise<boolean> {
  const schema = schemaOf(dataSource)
  const functions = captureFunctions(definition, schema)
  let isExact = definition.capture?.isComplete === true
  for (const captureFunction of functions) {
    const relations = await withConnection(dataSource, (query) =>
      listRelations(query, schema, definition.name, captureFunction),
    )
    if (relations.length === 0) {
      throw new RefreshError(definition.className, `its source table ${captureFunction.table} does not exist any more.`)
    }
    for (const relation of relations) {
      if (relation.isDisabled) await forget(dataSource, definition, captureFunction, relation)
      if (!relation.isTable || relation.isDisabled) isExact = false
      else if (!relation.hasTriggers || !relation.isKnown) {
        await persist(definition, relation, () => captureRelation(dataSource, definition, captureFunction, relation))
      }
    }
    await forgetVanished(dataSource, definition, captureFunction, relations)
  }
  return isExact
}
