import type { DataSource } from 'typeorm'
import type { LayoutDefinition } from '../dataset/definition'
import { codeOf } from '../storage/postgres-errors'
import { type Query, withLongTransaction } from '../storage/query'

/** Class of the transaction-level advisory locks that let one refresher work on a dataset at a time. */
const WORK_LOCK = 411_773
/**
 * SQLSTATEs of what another attempt is free of: a failure to serialise, a deadlock, and a key that is there already although
 * the snapshot does not show it.
 */
const REPEATABLE = new Set(['40001', '40P01', '23505'])
const ATTEMPTS = 20

/**
 * Does a piece of a refresh in one REPEATABLE READ transaction, alone on its dataset cluster-wide; null when another
 * refresher is at work. The statement that takes the lock also takes the snapshot: when another refresher committed in
 * between, what it wrote cannot be written over, and the work begins again on a newer one.
 */
export async function withWorkLock<T>(
  dataSource: DataSource,
  { name, capture }: Pick<LayoutDefinition, 'name' | 'capture'>,
  work: (query: Query) => Promise<T>,
): Promise<T | null> {
  for (let left = ATTEMPTS; ; left -= 1) {
    try {
      return await withLongTransaction(dataSource, 'REPEATABLE READ', async (query) => {
        // No statement before the work lock's may take the snapshot: settings, savepoints and table locks take none.
        // To a snapshot from before, a table that is truncated meanwhile looks empty. Whoever truncates waits, as for any reader.
        const tables = [...(capture?.timeTables ?? []), ...(capture?.otherTables ?? [])].map(({ table }) => table)
        if (tables.length > 0) await query(`LOCK TABLE ${tables.sort().join(', ')} IN ACCESS SHARE MODE`)
        const lock = await query('SELECT pg_try_advisory_xact_lock($1, hashtext($2)) AS held', [WORK_LOCK, name])
        if (lock.rows[0]?.held !== true) return null
        // The sum of floats depends on their order: a scan that begins somewhere else finds other last digits.
        await query('SET LOCAL synchronize_seqscans = off')
        return work(query)
      })
    } catch (error) {
      if (!REPEATABLE.has(codeOf(error) ?? '') || left <= 1) throw error
    }
  }
}
