import type { DataSource } from 'typeorm'
import { codeOf } from '../storage/postgres-errors'
import { type Query, withLongTransaction } from '../storage/query'

/** Class of the transaction-level advisory locks that let one refresher work on a dataset at a time. */
const WORK_LOCK = 411_773
const SERIALIZATION_FAILURE = '40001'

/**
 * Does a piece of a refresh in one REPEATABLE READ transaction, alone on its dataset cluster-wide; null when another
 * refresher is at work. The statement that takes the lock also takes the snapshot: when another refresher committed in
 * between, what it wrote cannot be written over, and the work begins again on a newer one.
 */
export async function withWorkLock<T>(
  dataSource: DataSource,
  dataset: string,
  work: (query: Query) => Promise<T>,
): Promise<T | null> {
  for (;;) {
    try {
      return await withLongTransaction(dataSource, 'REPEATABLE READ', async (query) => {
        // No statement before this one may take the snapshot: settings and savepoints take none.
        const lock = await query('SELECT pg_try_advisory_xact_lock($1, hashtext($2)) AS held', [WORK_LOCK, dataset])
        if (lock.rows[0]?.held !== true) return null
        // The sum of floats depends on their order: a scan that begins somewhere else finds other last digits.
        await query('SET LOCAL synchronize_seqscans = off')
        return work(query)
      })
    } catch (error) {
      if (codeOf(error) !== SERIALIZATION_FAILURE) throw error
    }
  }
}
