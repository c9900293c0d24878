import { Doorkeeper } from '../../../src/cache/doorkeeper'

it('lets in what it has met before', () => {
  const doorkeeper = new Doorkeeper()
  expect(['a', 'b', 'a', 'a'].map((key) => doorkeeper.admits(key))).toEqual([false, false, true, true])
})

it('remembers the last so many, and forgets what was met before twice as many others', () => {
  const doorkeeper = new Doorkeeper(3)
  for (const key of ['a', 'b', 'c', 'd', 'e']) doorkeeper.admits(key)
  expect(doorkeeper.admits('c')).toBe(true)
  for (const key of ['f', 'g', 'h', 'i', 'j', 'k']) doorkeeper.admits(key)
  expect(doorkeeper.admits('a')).toBe(false)
})
