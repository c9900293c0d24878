import type { Query } from './query'

/** Up to where a refresh by `updatedAt` has seen every change, and what it may become when the refresh is done. */
export interface Watermark {
  /** Rows changed since have to be looked at; RFC 3339 with microseconds, or `-infinity`. */
  readonly since: string
  readonly next: { readonly watermark: string; readonly candidate: string; readonly xid: string }
}

/** How far before the first build a transaction may have begun whose rows the build did not see. */
const HEAD_START = `interval '1 hour'`

/**
 * Reads the watermark of a layout. A moment becomes the watermark only once every transaction that was under way then has
 * ended: such a one may still commit rows that say they changed before.
 */
export async function readWatermark(query: Query, schema: string, layout: string): Promise<Watermark> {
  const { rows } = await query(
    `SELECT since::text, CASE WHEN is_settled THEN next_watermark ELSE since END::text AS watermark,
       CASE WHEN is_settled OR next_watermark IS NULL THEN now() ELSE next_watermark END::text AS candidate,
       CASE WHEN is_settled OR next_watermark IS NULL THEN pg_snapshot_xmax(pg_current_snapshot()) ELSE next_watermark_xid END::text AS xid
     FROM (SELECT coalesce(watermark, created_at - ${HEAD_START}) AS since, next_watermark, next_watermark_xid,
         coalesce(next_watermark_xid <= pg_snapshot_xmin(pg_current_snapshot()), false) AS is_settled
       FROM ${schema}.layout WHERE id = $1) AS known`,
    [layout],
  )
  const text = (key: string) => String(rows[0]?.[key])
  return {
    since: text('since'),
    next: { watermark: text('watermark'), candidate: text('candidate'), xid: text('xid') },
  }
}

/** Writes down a watermark whose changes are all taken over. */
export async function saveWatermark(query: Query, schema: string, layout: string, { next }: Watermark): Promise<void> {
  await query(
    `UPDATE ${schema}.layout SET watermark = $2::timestamptz, next_watermark = $3::timestamptz, next_watermark_xid = $4::xid8
     WHERE id = $1`,
    [layout, next.watermark, next.candidate, next.xid],
  )
}
