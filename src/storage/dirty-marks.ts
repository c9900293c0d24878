import { clipStretches, type Stretch } from '../time/stretch'
import { epochOf, instantText, readNumber } from './instants'
import type { Query, Row } from './query'

/** What the marks of a dataset say has changed. */
export interface Changes {
  readonly stretches: readonly Stretch[]
  /** Whether rows without a usable time came, went or changed. */
  readonly isTimelessTouched: boolean
  /** Whether a table changed whose rows may bear on every bucket. */
  readonly isWholeTouched: boolean
}

const BOUNDS = `${epochOf('lower')} AS lower, ${epochOf('upper')} AS upper, is_whole`

function readChanges(rows: readonly Row[]): Changes {
  const stretches = rows.flatMap((row) => {
    const from = readNumber(row.lower)
    const to = readNumber(row.upper)
    return row.is_whole === true || from === null || to === null ? [] : [{ from, to }]
  })
  return {
    stretches,
    // What may be any row may be one without a time.
    isTimelessTouched:
      stretches.some((one) => one.to - one.from === Infinity) || rows.some((row) => row.lower === null),
    isWholeTouched: rows.some((row) => row.is_whole === true),
  }
}

/** Reads what is marked, and leaves the marks. */
export async function readMarks(query: Query, schema: string, dataset: string): Promise<Changes> {
  const { rows } = await query(`SELECT DISTINCT ${BOUNDS} FROM ${schema}.dirty WHERE dataset = $1`, [dataset])
  return readChanges(rows)
}

/**
 * Deletes the marks that touch a window, those of whole tables only if asked to, and tells what they said. What such a mark
 * covers outside the window stays marked.
 */
export async function claimMarks(
  query: Query,
  schema: string,
  dataset: string,
  window: Stretch,
  includesWhole: boolean,
): Promise<Changes> {
  const { rows } = await query(
    `WITH claimed AS (
       DELETE FROM ${schema}.dirty
       WHERE dataset = $1 AND CASE WHEN is_whole THEN $4::boolean
         ELSE lower IS NULL OR (lower < $3::timestamptz AND upper > $2::timestamptz) END
       RETURNING lower, upper, is_whole, marked_at
     ), rest AS (
       INSERT INTO ${schema}.dirty (dataset, lower, upper, marked_at)
       SELECT $1, lower, upper, min(marked_at) FROM (
         SELECT lower, $2::timestamptz AS upper, marked_at FROM claimed WHERE NOT is_whole AND lower < $2::timestamptz
         UNION ALL
         SELECT $3::timestamptz, upper, marked_at FROM claimed WHERE NOT is_whole AND upper > $3::timestamptz
       ) AS outside GROUP BY lower, upper
     )
     SELECT DISTINCT ${BOUNDS} FROM claimed`,
    [dataset, instantText(window.from), instantText(window.to), includesWhole],
  )
  const changes = readChanges(rows)
  return { ...changes, stretches: clipStretches(changes.stretches, window) }
}

/** Marks stretches of a dataset as its triggers would. */
export async function addMarks(
  query: Query,
  schema: string,
  dataset: string,
  stretches: readonly Stretch[],
): Promise<void> {
  await query(
    `INSERT INTO ${schema}.dirty (dataset, lower, upper) SELECT $1, lower, upper
     FROM unnest($2::timestamptz[], $3::timestamptz[]) AS marked (lower, upper)`,
    [dataset, stretches.map(({ from }) => instantText(from)), stretches.map(({ to }) => instantText(to))],
  )
}

/** Whether changes are marked: of the rows that carry the time, and of any table. */
export async function countMarks(
  query: Query,
  schema: string,
  dataset: string,
): Promise<{ readonly hasRowMarks: boolean; readonly hasMarks: boolean }> {
  const { rows } = await query(
    `SELECT EXISTS (SELECT FROM ${schema}.dirty WHERE dataset = $1 AND NOT is_whole) AS of_rows,
       EXISTS (SELECT FROM ${schema}.dirty WHERE dataset = $1) AS any`,
    [dataset],
  )
  return { hasRowMarks: rows[0]?.of_rows === true, hasMarks: rows[0]?.any === true }
}
