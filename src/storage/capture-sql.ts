import { createHash } from 'node:crypto'
import type { LayoutDefinition } from '../dataset/definition'
import { quoteIdentifier, quoteLiteral } from '../dataset/sql'
import { BUCKETS_ORIGIN, bucketStep, isUsableTime, timeOf } from './source-sql'

/** One table whose changes a dataset hears of: what its triggers call. */
export interface CaptureFunction {
  /** Quoted, `schema.table`. */
  readonly table: string
  /** Quoted; the column whose value is the only time that a row bears on. Null: a row may bear on every bucket. */
  readonly timeColumn: string | null
  /** Unquoted; names what it does, so that releases that want different ones do not meet. */
  readonly name: string
  /** Body in PL/pgSQL. */
  readonly body: string
}

/** A statement that touches more buckets than this leaves one mark over all of them. */
const MOST_MARKS = 1000

const EVENTS = ['insert', 'update', 'delete', 'truncate'] as const
type Event = (typeof EVENTS)[number]

/** A column of the source may be called as a variable is, such as `found`. */
const COLUMNS_FIRST = '#variable_conflict use_column'

const WHOLE = `'-infinity'::timestamptz, 'infinity'::timestamptz`

/**
 * The statements that mark the buckets of the rows that FROM items hold. Most statements of an application write one row, so
 * one bucket has a way of its own, at less than half the cost.
 */
function markBuckets(definition: LayoutDefinition, schema: string, column: string, rows: readonly string[]): string {
  const time = timeOf(definition, column)
  const step = bucketStep(definition)
  const { timeType } = definition
  const binned = `CASE WHEN ${isUsableTime(time)} THEN date_bin(${step}, ${time}, ${BUCKETS_ORIGIN}) END`
  // A local time or a date too far off to be an instant would make the application's statement fail.
  const isNear = `${column} >= '0001-01-01'::${timeType} AND ${column} < '9999-01-03'::${timeType}`
  const bucket = timeType === 'timestamptz' ? binned : `CASE WHEN ${isNear} THEN ${binned} END`
  const all = rows.map((table) => `SELECT coalesce(${bucket}, '-infinity') AS bucket FROM ${table}`)
  const touched = rows.map((table) => `SELECT DISTINCT ${bucket} AS bucket FROM ${table}`)
  const insert = `INSERT INTO ${schema}.dirty (dataset, lower, upper)`
  const dataset = quoteLiteral(definition.name)
  return `SELECT min(bucket), max(bucket) INTO lowest, highest FROM (${all.join(' UNION ALL ')}) AS touched;
  IF lowest = highest AND lowest > '-infinity' THEN ${insert} VALUES (${dataset}, lowest, lowest + ${step});
  ELSIF lowest IS NOT NULL THEN WITH touched AS MATERIALIZED (${touched.join(' UNION ')}),
  size AS MATERIALIZED (SELECT count(bucket) AS buckets, min(bucket) AS first, max(bucket) AS last FROM touched)
  ${insert}
  SELECT ${dataset}, bucket, bucket + ${step} FROM touched WHERE bucket IS NULL OR (SELECT buckets FROM size) <= ${MOST_MARKS}
  UNION ALL
  SELECT ${dataset}, first, last + ${step} FROM size WHERE buckets > ${MOST_MARKS};
  END IF;`
}

/** True while the table still has the columns; else the application's statement would fail for what was done to its table. */
function hasColumns(columns: readonly string[], type: string | null): string {
  const names = columns.map((column) => quoteLiteral(column.replace(/^"|"$/g, '').replaceAll('""', '"')))
  // The types of users begin there: a domain may be what it has to be.
  const isTyped = type === null ? '' : ` AND (atttypid = ${quoteLiteral(type)}::regtype OR atttypid >= 16384)`
  return `(SELECT count(*) FROM pg_attribute WHERE attrelid = TG_RELID AND attname IN (${names.join(', ')})
    AND NOT attisdropped${isTyped}) = ${columns.length}`
}

function timeTableBody(definition: LayoutDefinition, schema: string, column: string): string {
  const mark = (rows: readonly string[]) => markBuckets(definition, schema, column, rows)
  const markAll = `INSERT INTO ${schema}.dirty (dataset, lower, upper) VALUES (${quoteLiteral(definition.name)}, ${WHOLE});`
  return `${COLUMNS_FIRST}
DECLARE lowest timestamptz; highest timestamptz;
BEGIN
  IF NOT ${hasColumns([column], definition.timeType)} THEN ${markAll}
  ELSIF TG_OP = 'INSERT' THEN ${mark(['new_rows'])}
  ELSIF TG_OP = 'UPDATE' THEN ${mark(['old_rows', 'new_rows'])}
  ELSIF TG_OP = 'DELETE' THEN ${mark(['old_rows'])}
  ELSE ${markAll}
  END IF;
  RETURN NULL;
END`
}

function otherTableBody(definition: LayoutDefinition, schema: string, columns: readonly string[] | null): string {
  const mark = `INSERT INTO ${schema}.dirty (dataset, lower, upper, is_whole) VALUES (${quoteLiteral(definition.name)}, ${WHOLE}, true);`
  const any = (rows: string) => `EXISTS (SELECT FROM ${rows})`
  // As text: not every type can be compared, and the application's statement must not fail for that.
  const list = columns?.map((column) => `${column}::text`).join(', ')
  const differs = (a: string, b: string) => `EXISTS (SELECT ${list} FROM ${a} EXCEPT ALL SELECT ${list} FROM ${b})`
  const isIntact = columns === null ? 'true' : hasColumns(columns, null)
  const updated = columns === null ? any('new_rows') : differs('old_rows', 'new_rows')
  return `${COLUMNS_FIRST}
BEGIN
  IF NOT ${isIntact} THEN ${mark}
  ELSIF TG_OP = 'INSERT' THEN IF ${any('new_rows')} THEN ${mark} END IF;
  ELSIF TG_OP = 'UPDATE' THEN IF ${updated} THEN ${mark} END IF;
  ELSIF TG_OP = 'DELETE' THEN IF ${any('old_rows')} THEN ${mark} END IF;
  ELSE ${mark}
  END IF;
  RETURN NULL;
END`
}

/** The functions that capture the changes of a definition's source; none unless it is captured by triggers. */
export function captureFunctions(definition: LayoutDefinition, schema: string): readonly CaptureFunction[] {
  const { capture } = definition
  if (capture === null) return []
  const named = (table: string, timeColumn: string | null, body: string): CaptureFunction => {
    const digest = createHash('sha256')
      .update(JSON.stringify([definition.name, table, body]))
      .digest('hex')
      .slice(0, 16)
    return { table, timeColumn, name: `capture_${digest}`, body }
  }
  return [
    ...capture.timeTables.map(({ table, column }) => named(table, column, timeTableBody(definition, schema, column))),
    ...capture.otherTables.map(({ table, columns }) =>
      named(table, null, otherTableBody(definition, schema, columns?.map(quoteColumn) ?? null)),
    ),
  ]
}

/** A column as declared, quoted unless it is already. */
function quoteColumn(column: string): string {
  return column.startsWith('"') ? column : quoteIdentifier(column)
}

/**
 * The statement that creates a function. It runs as its owner, since the application that fires it has no rights on marks;
 * the search path is pinned, so that nobody can put functions of his own in its way.
 */
export function createFunction({ name, body }: CaptureFunction, schema: string): string {
  return `CREATE OR REPLACE FUNCTION ${schema}.${quoteIdentifier(name)}() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS ${quoteLiteral(body)}`
}

/** Names of the triggers that call a function, one an event: Postgres lets a trigger with transition tables have no more. */
export function triggerNames({ name }: Pick<CaptureFunction, 'name'>): string[] {
  return EVENTS.map((event) => triggerName(name, event))
}

function triggerName(name: string, event: Event): string {
  return `aggregraph_${name}_${event}`
}

const TRANSITIONS: Readonly<Record<Event, string>> = {
  insert: 'REFERENCING NEW TABLE AS new_rows',
  update: 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows',
  delete: 'REFERENCING OLD TABLE AS old_rows',
  truncate: '',
}

/** The statements that put the triggers of a function on a relation. */
export function createTriggers({ name }: CaptureFunction, relation: string, schema: string): string[] {
  return EVENTS.map(
    (event) =>
      `CREATE OR REPLACE TRIGGER ${quoteIdentifier(triggerName(name, event))} AFTER ${event} ON ${relation} ${TRANSITIONS[event]}
       FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.${quoteIdentifier(name)}()`,
  )
}
