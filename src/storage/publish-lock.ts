import type { DataSource } from 'typeorm'
import { readLayoutStates, type VersionedState } from './layouts'
import { type Query, withDeadline } from './query'
import { schemaOf } from './schema'

/**
 * Class of the transaction-level advisory locks on layouts that are about to be published: exclusive from just before a
 * version is prepared until its transaction ends, shared while a reader repairs what Redis says of it.
 */
const PUBLISH_LOCK = 411_774

/** How long a reader that stands still may hold up the refreshes of what it repairs. */
const LONGEST_HOLD_MS = 2000

/**
 * Waits until nobody else publishes or repairs the given layouts, and keeps others from it until the transaction ends. To be
 * called when nothing is left to do but to prepare the new versions and commit.
 *
 * Readers hold the lock for a trip to Redis, and Postgres ends those that stand still, so the wait is short; a limit to it
 * could only lose the work that is done.
 */
export async function lockForPublishing(query: Query, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  // A role may have one of its own.
  await query('SET LOCAL lock_timeout = 0')
  // In the order of the keys: two layouts may share one.
  await query(
    `SELECT pg_advisory_xact_lock($1, key)
     FROM (SELECT DISTINCT hashtext(id) AS key FROM unnest($2::text[]) AS id ORDER BY key) AS keys`,
    [PUBLISH_LOCK, ids],
  )
}

/**
 * Reads the states of the given layouts, and does `work` with them while no refresh can publish those whose ids it gets
 * besides. A layout is not among these while its next version is being published or waits to be; one that was never
 * registered has no state. Statements may take so many seconds each.
 *
 * The locks are taken by one statement and the states read by the next, in READ COMMITTED. A statement reads as of when it
 * began, and REPEATABLE READ as of when its first one did: in either the state could be from before a commit that happened
 * while the lock was being taken, and the work would bring back what that commit has replaced. A lock that was had at once
 * is no exception: it is had just after the other's transaction ended, which the snapshot may be older than.
 *
 * Postgres takes the locks away from a process that stands still for 2 s, so what `work` writes has to bear being late, as
 * writes by compare-and-set do. Never waits for a lock, and writes nothing: a role that may only read can do it, though only on
 * the primary, since a replica has locks of its own.
 */
export async function guardStates(
  dataSource: DataSource,
  seconds: number,
  ids: readonly string[],
  work: (states: ReadonlyMap<string, VersionedState>, held: ReadonlySet<string>) => Promise<void>,
): Promise<ReadonlyMap<string, VersionedState>> {
  let done: ReadonlyMap<string, VersionedState> | undefined
  try {
    return await withDeadline(dataSource, seconds, async (query) => {
      await query(`SET LOCAL idle_in_transaction_session_timeout = ${LONGEST_HOLD_MS}`)
      const { rows } = await query(
        'SELECT id, pg_try_advisory_xact_lock_shared($1, hashtext(id)) AS held FROM unnest($2::text[]) AS id',
        [PUBLISH_LOCK, ids],
      )
      const held = new Set(rows.filter((row) => row.held === true).map(({ id }) => String(id)))
      const states = await readLayoutStates(query, schemaOf(dataSource), ids)
      await work(states, held)
      done = states
      return states
    })
  } catch (error) {
    // What was read holds, however a transaction ends that wrote nothing.
    if (done === undefined) throw error
    return done
  }
}
