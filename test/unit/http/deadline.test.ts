import { DeadlineError } from '../../../src/errors'
import { runWithDeadline } from '../../../src/http/deadline'

const never = (): void => {}

describe('runWithDeadline', () => {
  it('gives what the work gives', async () => {
    await expect(runWithDeadline(1_000, never, async (signal) => signal.aborted)).resolves.toBe(false)
  })

  it('gives what was left when the work stops at its signal, before the deadline', async () => {
    const work = (signal: AbortSignal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)))
    await expect(runWithDeadline(100, never, work)).resolves.toBeInstanceOf(DeadlineError)
  })

  it('ends work that does not stop', async () => {
    await expect(runWithDeadline(20, never, () => new Promise(never))).rejects.toBeInstanceOf(DeadlineError)
  })

  it('stops the work when nobody waits any more', async () => {
    let leave = never
    const work = (signal: AbortSignal) => {
      leave()
      return Promise.resolve(signal.aborted)
    }
    const onGone = (gone: () => void) => {
      leave = gone
    }
    await expect(runWithDeadline(60_000, onGone, work)).resolves.toBe(true)
  })
})
