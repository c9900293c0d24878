import { DeadlineError } from '../errors'

/** Share of the time that is kept for telling what was found so far, once `signal` has stopped the rest. */
const RESERVE = 0.1
const LONGEST_RESERVE_MS = 500

/**
 * Runs work that must be over within `milliseconds`. Its signal aborts a little earlier, so that parts that are done
 * can still be served, and when `onGone` calls back because nobody waits any more.
 *
 * @throws DeadlineError at the deadline, whether or not the work has stopped.
 */
export async function runWithDeadline<Result>(
  milliseconds: number,
  onGone: (gone: () => void) => void,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController()
  const abort = () => controller.abort(new DeadlineError())
  const soft = setTimeout(abort, milliseconds - Math.min(milliseconds * RESERVE, LONGEST_RESERVE_MS))
  let hard: NodeJS.Timeout | undefined
  const expired = new Promise<never>((_resolve, reject) => {
    hard = setTimeout(() => reject(new DeadlineError()), milliseconds)
  })
  onGone(abort)
  try {
    return await Promise.race([work(controller.signal), expired])
  } finally {
    clearTimeout(soft)
    clearTimeout(hard)
  }
}
