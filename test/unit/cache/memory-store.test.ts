import fc from 'fast-check'
import { createMemoryStore } from '../../../src/cache/memory-store'
import { formatVersion } from '../../../src/cache/version'
import { versionOf } from '../../contract/versions'

const LONG = { freshSeconds: 300, keepSeconds: 600 }
const entry = (value: unknown, seq = 1, name?: string) => ({ version: versionOf(seq, name), asOf: 5, loadMs: 1, value })

function create(maxBytes = 1_000_000) {
  let now = 0
  return {
    store: createMemoryStore({ maxBytes, clock: () => now }),
    pass: (milliseconds: number) => {
      now += milliseconds
    },
  }
}

it('keeps an entry past its time, says when that was, and forgets it at the end', () => {
  const { store, pass } = create()
  store.set('a', entry('x'), LONG)
  expect(store.get('a')).toEqual({ ...entry('x'), staleAt: 300_000, goneAt: 600_000 })
  pass(599_999)
  expect(store.get('a')).toBeDefined()
  pass(1)
  expect(store.get('a')).toBeUndefined()
  expect(store.size).toEqual({ entries: 0, bytes: 0 })
})

it.each([0, -1, Number.NaN])('keeps nothing for %d seconds, nor what was there before', (keepSeconds) => {
  const { store } = create()
  store.set('a', entry('old'), LONG)
  expect(store.set('a', entry('late', 2), { freshSeconds: 0, keepSeconds })).toBe(false)
  expect(store.get('a')).toBeUndefined()
})

it('does not let a slow loader bring older data back', () => {
  const { store } = create()
  store.set('a', entry('new', 10), LONG)
  expect(store.set('a', entry('old', 9), LONG)).toBe(false)
  expect(store.get('a')?.value).toBe('new')
})

it('takes an older version in place of the one that it is said to replace, and of no other', () => {
  const { store } = create()
  store.set('a', entry('lost', 10), LONG)
  expect(store.set('a', entry('kept', 9), LONG, formatVersion(versionOf(11)))).toBe(false)
  expect(store.set('a', entry('kept', 9), LONG, formatVersion(versionOf(10)))).toBe(true)
  expect(store.get('a')?.value).toBe('kept')
})

it('takes the last of two versions with the same number', () => {
  const { store } = create()
  store.set('a', entry('lost', 4, 'lost'), LONG)
  expect(store.set('a', entry('kept', 4, 'kept'), LONG)).toBe(true)
  expect(store.get('a')?.value).toBe('kept')
})

it('takes an older version again when the newer one is gone', () => {
  const { store, pass } = create()
  store.set('a', entry('x', 9, 'gone'), { freshSeconds: 1, keepSeconds: 1 })
  pass(1_000)
  expect(store.set('a', entry('restored'), LONG)).toBe(true)
})

it('stays within its bytes and drops what was used least recently', () => {
  const { store } = create(20_000)
  const texts = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l']
  for (const text of texts) {
    store.set(text, entry('x'.repeat(1_000)), LONG)
    store.get('a')
  }
  expect(texts.filter((text) => store.get(text)).join('')).toMatch(/^a[e-l]+l$/)
})

it('never takes more than its bytes, whatever is kept, and counts what it takes', () => {
  const { store } = create(50_000)
  const entries = fc.record({ key: fc.string({ maxLength: 60 }), value: fc.jsonValue(), long: fc.nat(9_000) })
  let seq = 0
  fc.assert(
    fc.property(entries, ({ key, value, long }) => {
      seq += 1
      const plain: unknown = JSON.parse(JSON.stringify([value, 'y'.repeat(long)]))
      const isKept = store.set(key, entry(plain, seq), LONG)
      expect(store.get(key) !== undefined).toBe(isKept)
      expect(store.size.bytes).toBeLessThanOrEqual(50_000)
      // UTF-16, at least.
      if (isKept) expect(store.size.bytes).toBeGreaterThanOrEqual(2 * (key.length + long))
      expect(store.size.entries === 0).toBe(store.size.bytes === 0)
    }),
    { numRuns: 300, seed: 7 },
  )
  expect(store.size.entries).toBeGreaterThan(2)
})

it('does not count twice what is replaced', () => {
  const { store } = create(8_000_000)
  const fill = (seq: number) => {
    for (let i = 0; i < 4_000; i++) {
      const rows = Array.from({ length: 20 }, (_, row) => ({ origin: `A${i} ${row} ${seq}`, flights: [row + i / 3] }))
      store.set(`key ${i}`, entry(rows, seq), LONG)
    }
  }
  fill(1)
  const { entries, bytes } = store.size
  expect(bytes).toBeLessThanOrEqual(8_000_000)
  fill(2)
  expect(Math.abs(store.size.entries - entries)).toBeLessThan(entries / 10)
})

it('does not keep a value that would take more than an eighth, nor the older one it replaces', () => {
  const { store } = create(20_000)
  store.set('a', entry('small'), LONG)
  expect(store.set('a', entry('x'.repeat(1_300), 2), LONG)).toBe(false)
  expect(store.get('a')).toBeUndefined()
})

it('keeps nothing in no memory', () => {
  const { store } = create(0)
  expect(store.set('a', entry(1), LONG)).toBe(false)
  expect(store.get('a')).toBeUndefined()
})

it.each([
  ['undefined', undefined],
  ['an undefined member', { a: undefined }],
  ['a date', [new Date(0)]],
  ['NaN', Number.NaN],
  ['a bigint', 1n],
  ['a map', new Map()],
  ['a hole', new Array(1)],
])('does not keep %s, and does not fail', (_, value) => {
  const { store } = create()
  expect(store.set('a', entry(value), LONG)).toBe(false)
  expect(store.get('a')).toBeUndefined()
})
