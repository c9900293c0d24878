import { setTimeout as wait } from 'node:timers/promises'
import type { Client } from 'pg'
import type { Stage } from './actors'

interface Sight {
  readonly seq: bigint
  readonly version: string
  readonly content: string
}

const PAUSE_MS = 12

/** Looks at the layouts of a history as a reader does: the version and the rows of every rollup in one snapshot. */
async function look(client: Client, dataset: string): Promise<Map<string, Sight & { readonly counts: string[] }>> {
  const seen = new Map<string, Sight & { counts: string[] }>()
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
  const layouts = await client.query<Record<string, string>>(
    `SELECT id, seq::text, seq || '.' || version AS version,
       (SELECT string_agg(format('SELECT %s AS position, %L AS name, sum(hashtextextended(r::text, 0)::numeric) AS digest, coalesce(sum(rows_count), 0) AS counted FROM aggregraph.%I r',
         position, name, table_name), ' UNION ALL ' ORDER BY position) FROM aggregraph.rollup WHERE layout = id) AS reading
     FROM aggregraph.layout WHERE dataset = $1 AND ready_at IS NOT NULL`,
    [dataset],
  )
  for (const { id = '', seq = '', version = '', reading = '' } of layouts.rows) {
    const { rows } = await client.query<Record<string, string>>(`${reading} ORDER BY position`)
    const content = rows.map(({ digest }) => digest).join(' ')
    seen.set(id, { seq: BigInt(seq), version, content, counts: rows.map(({ counted }) => String(counted)) })
  }
  await client.query('COMMIT')
  return seen
}

/** Which rollups of a layout count the same rows in every version, by their positions. */
export type Agreeing = (layout: string) => readonly number[]

/**
 * Reads until all is quiet. It is a fault when a version goes back, when one version shows two contents, and when rollups of
 * one version do not agree on how many rows there are.
 */
export async function runObserver(stage: Stage, client: Client, agreeing: Agreeing): Promise<number> {
  const known = new Map<string, Sight>()
  let versions = 0
  for (let isLast = false; !isLast; ) {
    isLast = stage.isQuiet
    for (const [layout, sight] of await look(client, stage.world.dataset)) {
      const before = known.get(layout)
      if (before !== undefined && sight.seq < before.seq) {
        stage.faults.push(`The version of ${layout} went back from ${before.version} to ${sight.version}`)
      }
      if (before?.seq === sight.seq && (before.version !== sight.version || before.content !== sight.content)) {
        stage.faults.push(
          `${layout} shows two contents as version ${sight.version}: ${before.content}; ${sight.content}`,
        )
      }
      const counts = agreeing(layout).map((position) => sight.counts[position])
      if (new Set(counts).size > 1) {
        stage.faults.push(
          `The rollups of ${layout} disagree in version ${sight.version}: they count ${sight.counts.join(', ')} rows`,
        )
      }
      if (before?.seq !== sight.seq) versions += 1
      known.set(layout, sight)
    }
    if (!isLast) await wait(PAUSE_MS)
  }
  return versions
}
