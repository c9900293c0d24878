import type { Query } from './query'

/** Up to where a refresh by `updatedAt` has seen every change, and what it may become when the refresh is done. */
export interface Watermark {
  /** Rows changed since have to be looked at; RFC 3339 with microseconds, or `-infinity`. */
  readonly since: string
  readonly next: {
    readonly watermark: string
    readonly candidate: string
    readonly xid: string
    /** Transactions of the database that were open when the candidate was taken. */
    readonly open: readonly string[]
  }
}

/** How far before the first build a transaction may have begun whose rows the build did not see. */
const HEAD_START = `interval '1 hour'`

/**
 * The transactions of this database that are open, by their virtual ids: one that has yet to write has no other, though the
 * moment that it calls now has passed. Of maintenance, which has no user, none.
 */
const OPEN = `ARRAY(SELECT DISTINCT virtualtransaction FROM pg_locks JOIN pg_stat_activity USING (pid)
  WHERE locktype = 'virtualxid' AND mode = 'ExclusiveLock' AND pid <> pg_backend_pid()
    AND datid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND usesysid IS NOT NULL)`

/** Whether a transaction was prepared since a moment: it is not among the open ones any more, and may still commit. */
const IS_PREPARED_SINCE = `EXISTS (SELECT FROM pg_prepared_xacts WHERE database = current_database() AND prepared >= next_watermark)`

/**
 * Reads the watermark of a layout. A moment becomes the watermark only once every transaction that was under way then has
 * ended: such a one may still commit rows that say they changed before.
 */
export async function readWatermark(query: Query, schema: string, layout: string): Promise<Watermark> {
  const { rows } = await query(
    `SELECT since::text, CASE WHEN is_settled THEN next_watermark ELSE since END::text AS watermark,
       CASE WHEN is_settled OR next_watermark IS NULL THEN now() ELSE next_watermark END::text AS candidate,
       CASE WHEN is_settled OR next_watermark IS NULL THEN pg_snapshot_xmax(pg_current_snapshot()) ELSE next_watermark_xid END::text AS xid,
       CASE WHEN is_settled OR next_watermark IS NULL THEN open ELSE next_watermark_open END AS open
     FROM (SELECT coalesce(watermark, created_at - ${HEAD_START}) AS since, next_watermark, next_watermark_xid, next_watermark_open, open,
         coalesce(next_watermark_xid <= pg_snapshot_xmin(pg_current_snapshot()) AND NOT next_watermark_open && open
           AND NOT ${IS_PREPARED_SINCE}, false) AS is_settled
       FROM ${schema}.layout, (SELECT ${OPEN} AS open) AS now WHERE id = $1) AS known`,
    [layout],
  )
  const text = (key: string) => String(rows[0]?.[key])
  const open = rows[0]?.open
  return {
    since: text('since'),
    next: {
      watermark: text('watermark'),
      candidate: text('candidate'),
      xid: text('xid'),
      open: Array.isArray(open) ? open.map(String) : [],
    },
  }
}

/** Writes down a watermark whose changes are all taken over. */
export async function saveWatermark(query: Query, schema: string, layout: string, { next }: Watermark): Promise<void> {
  await query(
    `UPDATE ${schema}.layout SET watermark = $2::timestamptz, next_watermark = $3::timestamptz, next_watermark_xid = $4::xid8,
       next_watermark_open = $5::text[]
     WHERE id = $1`,
    [layout, next.watermark, next.candidate, next.xid, next.open],
  )
}
