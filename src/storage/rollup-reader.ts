import type { DataSource } from 'typeorm'
import type { Definition, ValueType } from '../dataset/definition'
import type { LayoutVersion } from './changes'
import { readNumber } from './instants'
import { readLastErrors } from './last-errors'
import { readLayoutStates, type VersionedState } from './layouts'
import type { BreakdownPart, BreakdownRows, KeyValue, Part, PartRows, Position, Value } from './part'
import { renderPart } from './part-sql'
import { translatePostgresError } from './postgres-errors'
import { type Query, type Row, withTransaction } from './query'
import { createReadQuery, type ReadQuery } from './read-query'
import { schemaOf } from './schema'

/** Rows of a part together with what the same snapshot said of their layout. */
export interface Loaded<T> {
  readonly version: LayoutVersion
  /** The moment of the source that they show, in epoch milliseconds; null: it was never read whole. */
  readonly asOf: number | null
  readonly value: T
}

export type PartLoader = <P extends Part>(part: P) => Promise<Loaded<PartRows<P>>>

function parseValue(type: ValueType, raw: unknown): Value {
  if (raw === null || raw === undefined) return null
  if (type === 'SafeInt') {
    const digits = String(raw)
    return Number.isSafeInteger(Number(digits)) ? Number(digits) : digits
  }
  return typeof raw === 'number' ? raw : String(raw)
}

function parseKey(raw: unknown): KeyValue {
  return typeof raw === 'number' || typeof raw === 'boolean' || raw === null ? raw : String(raw)
}

/** Makes the function that reads the values of measures from a row. */
function createValueReader(definition: Definition, measures: readonly string[], prefix: string): (row: Row) => Value[] {
  const columns = measures.map((name, index) => ({
    name: `${prefix}${index}`,
    type: definition.measures.find((measure) => measure.name === name)?.algebra.type ?? 'Float',
  }))
  return (row) => columns.map(({ name, type }) => parseValue(type, row[name]))
}

function parseBreakdown(part: BreakdownPart, rows: readonly Row[]): BreakdownRows {
  const { definition } = part.slice
  const [facts] = rows
  const values = createValueReader(definition, part.measures, 'v')
  const position = (row: Row): Position => ({
    values: part.sort.map((_, index) => (row[`p${index}`] === null ? null : String(row[`p${index}`]))),
    key: part.by.map((_, index) => parseKey(row[`k${index}`])),
  })
  const page = rows.filter((row) => row.place !== null).sort((a, b) => Number(a.place) - Number(b.place))
  return {
    kind: 'breakdown',
    groups: page.map((row) => ({ position: position(row), values: values(row) })),
    hasNext: facts?.has_next === true,
    totalCount: Number(facts?.total ?? 0),
    other:
      part.other === null || facts === undefined || Number(facts.other_groups) === 0
        ? null
        : createValueReader(definition, part.other, 'o')(facts),
  }
}

function parseRows(part: Part, rows: readonly Row[]): PartRows<Part> {
  if (part.kind === 'breakdown') return parseBreakdown(part, rows)
  const { definition } = part.slice
  const values = createValueReader(definition, part.measures, 'v')
  if (part.kind === 'totals') return { kind: 'totals', values: values(rows[0] ?? {}) }
  const found = rows.filter((row) => row.b !== null)
  if (part.kind === 'groups') {
    return { kind: 'groups', rows: found.map((row) => [Number(row.i), Number(row.b), values(row)]) }
  }
  return { kind: 'series', rows: found.map((row) => [Number(row.b), values(row)]) }
}

/**
 * Up to here planning takes as long as reading, whatever the plan is, so that a plan for any values will do (PostgreSQL,
 * "PREPARE"). Beyond it, one that does not know how much of a rollup is asked for may be a bad one.
 */
const SMALL_ROWS = 20_000

function loadWith(query: ReadQuery, schema: string): PartLoader {
  return async <P extends Part>(part: P) => {
    const { sql, parameters } = renderPart(part, schema)
    const { rows } = await query(sql, parameters, part.slice.rows <= SMALL_ROWS)
    const [first] = rows
    if (first === undefined) throw new Error('The layout that a part reads from is gone')
    return {
      version: { seq: Number(first.seq), uuid: String(first.version) },
      asOf: readNumber(first.as_of),
      // The renderer and the parser agree by `kind`, which the type of P carries.
      value: parseRows(part, rows) as PartRows<P>,
    }
  }
}

/** Reads parts of reports from the rollups. The only reader of rollup tables. */
export interface RollupReader {
  /** Loads one part in a statement, hence a snapshot, of its own. Rejects with an AggregraphError when Postgres is away. */
  readonly load: PartLoader
  /** Loads any number of parts, and the state of their layout, in one snapshot; none any more once the signal aborts. */
  loadTogether<T>(
    signal: AbortSignal,
    work: (load: PartLoader, readState: (layout: string) => Promise<VersionedState>) => Promise<T>,
  ): Promise<T>
  /** Why the last refresh of each of the layouts failed, by its id; one that did not is absent. */
  lastErrors(layouts: readonly string[]): Promise<ReadonlyMap<string, string>>
}

/** Runs pieces of work one after another: a connection can only do one at a time. */
function takeTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const next = last.then(work)
    last = next.catch(() => undefined)
    return next
  }
}

/** Undoes what a failure leaves behind, so that the statements after it in the same transaction still run. */
async function guard<T>(query: Query, work: () => Promise<T>): Promise<T> {
  await query('SAVEPOINT part')
  try {
    const result = await work()
    await query('RELEASE SAVEPOINT part')
    return result
  } catch (error) {
    // A connection that is gone has nothing to undo: the first error is the one to report.
    await query('ROLLBACK TO SAVEPOINT part').catch(() => undefined)
    throw error
  }
}

/** `statementTimeoutSeconds` is the longest that one statement may run. */
export function createRollupReader(dataSource: DataSource, statementTimeoutSeconds: number): RollupReader {
  const schema = schemaOf(dataSource)
  const read = createReadQuery(dataSource, statementTimeoutSeconds)
  const translated = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (error) {
      throw translatePostgresError(error)
    }
  }
  return {
    load: (part) => translated(loadWith(read, schema)(part)),
    lastErrors: (layouts) => translated(readLastErrors(read, schema, layouts)),
    loadTogether: (signal, work) =>
      translated(
        withTransaction(
          dataSource,
          'REPEATABLE READ',
          async (query) => {
            await query(`SET LOCAL statement_timeout = ${statementTimeoutSeconds * 1000}`)
            const inTurn = takeTurns()
            const load = loadWith(query, schema)
            return work(
              (part) =>
                translated(
                  inTurn(async () => {
                    signal.throwIfAborted()
                    return guard(query, () => load(part))
                  }),
                ),
              (layout) =>
                inTurn(async () => {
                  const state = (await readLayoutStates(query, schema, [layout])).get(layout)
                  if (state === undefined) throw new Error(`The layout ${layout} is gone`)
                  return state
                }),
            )
          },
          statementTimeoutSeconds,
        ),
      ),
  }
}
