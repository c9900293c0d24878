import { createMemoryStore } from '../../../src/cache/memory-store'
import type { Question } from '../../../src/cache/question'

const ask = (text: string): Question => ({ group: 'g', topic: 't', scope: 's', text })
const version = { seq: 1, uuid: 'u1' }

function create(maxBytes: number) {
  let now = 0
  return {
    store: createMemoryStore({ maxBytes, clock: () => now }),
    pass: (milliseconds: number) => {
      now += milliseconds
    },
  }
}

it('forgets an entry when its time is over', async () => {
  const { store, pass } = create(1_000_000)
  await store.set(ask('a'), version, 'x', 300)
  pass(299_999)
  expect(await store.get(ask('a'))).toBeDefined()
  pass(1)
  expect(await store.get(ask('a'))).toBeUndefined()
})

it('takes an older version again when the newer one is past its time', async () => {
  const { store, pass } = create(1_000_000)
  await store.set(ask('a'), { seq: 9, uuid: 'gone' }, 'x', 1)
  pass(1_000)
  expect(await store.set(ask('a'), version, 'restored', 1)).toBe(true)
})

it('stays within its bytes and drops what was used least recently', async () => {
  const { store } = create(20_000)
  const texts = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l']
  for (const text of texts) {
    await store.set(ask(text), version, 'x'.repeat(1_000), 300)
    await store.get(ask('a'))
  }
  const kept = await Promise.all(texts.map(async (text) => ((await store.get(ask(text))) ? text : '')))
  expect(kept.join('')).toMatch(/^a[e-l]+l$/)
})

it('does not keep a value that would take more than an eighth, nor the older one it replaces', async () => {
  const { store } = create(20_000)
  await store.set(ask('a'), version, 'small', 300)
  expect(await store.set(ask('a'), { seq: 2, uuid: 'u2' }, 'x'.repeat(1_300), 300)).toBe(false)
  expect(await store.get(ask('a'))).toBeUndefined()
})

it('keeps nothing in no memory', async () => {
  const { store } = create(0)
  expect(await store.set(ask('a'), version, 1, 300)).toBe(false)
  expect(await store.get(ask('a'))).toBeUndefined()
})

it('gives everyone the same frozen value', async () => {
  const { store } = create(1_000_000)
  const value = { rows: [{ flights: 1 }] }
  await store.set(ask('a'), version, value, 300)
  expect((await store.get(ask('a')))?.value).toBe(value)
  expect([value, value.rows, value.rows[0]].every(Object.isFrozen)).toBe(true)
})
