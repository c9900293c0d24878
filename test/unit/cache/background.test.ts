import { Background } from '../../../src/cache/background'
import type { CacheEvent } from '../../../src/cache/cache-event'
import { defer, turn } from '../../contract/readings'

function create() {
  const events: CacheEvent[] = []
  return { events, background: new Background((event) => void events.push(event)) }
}

const failures: readonly [string, () => Promise<unknown>, string][] = [
  ['rejects', () => Promise.reject(new Error('wrong')), 'wrong'],
  ['rejects with no error', () => Promise.reject('a text'), 'a text'],
  [
    'throws',
    () => {
      throw new Error('at once')
    },
    'at once',
  ],
]
it.each(failures)('tells of work that %s, and fails nobody', async (_, work, message) => {
  const { background, events } = create()
  background.run('warm', work)
  await background.drain()
  expect(events).toEqual([{ kind: 'background-failed', work: 'warm', message }])
  expect(background.size).toBe(0)
})

it('waits at its end for all that runs, and for what that begins', async () => {
  const { background, events } = create()
  const [one, other] = [defer<void>(), defer<void>()]
  background.run('one', async () => {
    await one.begin()
    background.run('other', other.begin)
  })
  expect(background.size).toBe(1)
  let isDrained = false
  const drained = background.drain().then(() => {
    isDrained = true
  })
  one.resolve()
  await turn()
  expect([isDrained, background.size]).toEqual([false, 1])
  other.reject(new Error('wrong'))
  await drained
  expect([isDrained, background.size]).toEqual([true, 0])
  expect(events).toHaveLength(1)
})

it('is at its end at once when nothing runs', async () => {
  await expect(create().background.drain()).resolves.toBeUndefined()
})
