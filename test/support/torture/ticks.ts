import { count, Dataset, Dimension, Measure, sum } from '../../../src/index'

/*
 * Two datasets whose content tells how fresh it is: in round n every row of the last day holds the amount n, and n % 7 rows
 * of the kind `extra` hold nothing, so that every answer about that day says n, and says it in each of its parts. The days
 * before are never touched after they were loaded. All of it lies in the past, so that no answer depends on the clock.
 */

@Dataset({ source: 'ticks', time: 'at', refresh: { every: '12h', capture: 'trigger' } })
export class Ticks {
  @Dimension() kind!: string
  @Measure(count()) rows!: number
  @Measure(sum('amount')) amount!: number
}

@Dataset({ source: 'tocks', time: 'at', refresh: { every: '12h', capture: 'trigger' } })
export class Tocks {
  @Dimension() kind!: string
  @Measure(count()) rows!: number
  @Measure(sum('amount')) amount!: number
}

export const DATASETS = [Ticks, Tocks] as const
/** Their query names, which are their tables, too. An index into this list says in every log which one is meant. */
export const NAMES = ['ticks', 'tocks'] as const

/** The day that changes. */
export const TODAY = '2001-03-15'
/** The first of the days that do not. */
export const FIRST_DAY = '2001-01-01'
export const CLOSED_DAYS = 73
export const KINDS = ['a', 'b', 'c', 'd'] as const
/** Hours of the last day that have a row of each kind. */
export const HOURS = 12
export const CELLS = HOURS * KINDS.length

/** Rows of the kind `extra` in a round. */
export function extraRows(round: number): number {
  return round % 7
}

/** The amount that a closed day, counted from 0, holds for a kind. */
export function closedAmount(day: number, kind: number): number {
  return (day + 1) * (kind + 1)
}

/** Creates both sources in their first round. */
export async function createTicks(database: { query(sql: string): Promise<unknown> }): Promise<void> {
  await database.query('CREATE TABLE rounds (source text PRIMARY KEY, n bigint NOT NULL)')
  for (const name of NAMES) {
    await database.query(`CREATE TABLE ${name} (at timestamptz NOT NULL, kind text NOT NULL, amount bigint NOT NULL)`)
    await database.query(`INSERT INTO ${name}
      SELECT '${FIRST_DAY} 12:00Z'::timestamptz + day * interval '1 day', (ARRAY['${KINDS.join("','")}'])[kind + 1], (day + 1) * (kind + 1)
      FROM generate_series(0, ${CLOSED_DAYS - 1}) AS day, generate_series(0, ${KINDS.length - 1}) AS kind`)
    await database.query(`INSERT INTO ${name}
      SELECT '${TODAY} 00:30Z'::timestamptz + hour * interval '1 hour', kind, 0
      FROM generate_series(0, ${HOURS - 1}) AS hour, unnest(ARRAY['${KINDS.join("','")}']) AS kind`)
    await database.query(`CREATE INDEX ON ${name} (at)`)
    await database.query(`INSERT INTO rounds VALUES ('${name}', 0)`)
    for (const statement of advance(name)) await database.query(statement)
  }
}

/** The statements that take a source to its next round, to be run in one transaction; the first gives it as `n`. */
export function advance(name: (typeof NAMES)[number]): readonly string[] {
  const round = `(SELECT n FROM rounds WHERE source = '${name}')`
  return [
    `UPDATE rounds SET n = n + 1 WHERE source = '${name}' RETURNING n::double precision AS n`,
    `UPDATE ${name} SET amount = ${round} WHERE at >= '${TODAY}Z' AND kind <> 'extra'`,
    `DELETE FROM ${name} WHERE at >= '${TODAY}Z' AND kind = 'extra'`,
    `INSERT INTO ${name} SELECT '${TODAY} 00:45Z', 'extra', 0 FROM generate_series(1, ${round} % 7)`,
  ]
}
