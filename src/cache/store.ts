import type { StoreName } from './cache-event'
import type { Entry } from './envelope'
import type { Question } from './question'
import type { Version } from './version'

/**
 * Where entries are kept. A store may forget anything at any time; it never answers with an entry of another question.
 *
 * - Values are JSON. Only "absent" is a miss: null, 0, [] and "" come back as they are.
 * - The version is kept as the caller gave it; whether it is good enough is the caller's to say.
 * - A store that cannot be reached rejects; the caller takes that as a miss.
 */
export interface CacheStore {
  readonly name: StoreName
  /** The entry kept for the question; undefined when there is none, it is past its time, or it cannot be read. */
  get(question: Question): Promise<Entry | undefined>
  /**
   * Keeps a value for at most `ttlSeconds`, unless an entry with a larger `seq` is there: a slow loader never brings
   * older data back. Resolves to whether it was kept; too large, not JSON, or no time left is no error.
   */
  set(question: Question, version: Version, value: unknown, ttlSeconds: number): Promise<boolean>
}
