import fc from 'fast-check'
import { entryKey, leaseKey, type Question, registerKey } from '../../../src/cache/question'

const question: Question = { group: 'flights', topic: 'layout', scope: 'tenant=1', text: '{"a":1}' }

const pairs: readonly [string, Question][] = [
  ['group', { ...question, group: 'flight' }],
  ['group, in letters a tag cannot have', { ...question, group: 'flights}' }],
  ['topic', { ...question, topic: 'layout2' }],
  ['scope', { ...question, scope: 'tenant=2' }],
  ['scope, absent', { ...question, scope: '' }],
  ['text', { ...question, text: '{"a":"1"}' }],
  ['place of the border between two parts', { ...question, topic: 'layouttenant=1', scope: '' }],
  ['place of a quoted border', { ...question, topic: 'layout","tenant=1', scope: '' }],
]
it.each(pairs)('has another key for another %s', (_, other) => {
  expect(entryKey(other)).not.toBe(entryKey(question))
})

it('has one key for one question', () => {
  expect(entryKey({ ...question })).toBe(entryKey(question))
  expect(entryKey(question)).toMatch(/^aggregraph:2:entry:\{flights\}:[\w-]{43}$/)
  expect(registerKey('flights', 'layout')).toMatch(/^aggregraph:2:register:\{flights\}:[\w-]{43}$/)
})

it('has a lease beside each entry', () => {
  expect(leaseKey(entryKey(question))).toMatch(/^aggregraph:2:lease:\{flights\}:[\w-]{43}$/)
})

it('keeps an entry, its lease and its register under one hash tag, whatever the group is called', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (group, topic) => {
      const tags = [entryKey({ ...question, group, topic }), registerKey(group, topic)]
      tags.push(leaseKey(tags[0] ?? ''))
      expect(new Set(tags).size).toBe(3)
      expect(new Set(tags.map(readTag)).size).toBe(1)
      expect(readTag(tags[0] ?? '')).not.toBe('')
    }),
  )
})

it('never gives two questions one key', () => {
  const part = fc.constantFrom('', 'a', 'b', '"', ',', 'a","b', '}', '\u0000', '\ud800', '\ufffd', 'ab')
  const any = fc.record({ group: part, topic: part, scope: part, text: part })
  fc.assert(
    fc.property(any, any, (a, b) => {
      expect(entryKey(a) === entryKey(b)).toBe(JSON.stringify(a) === JSON.stringify(b))
    }),
    { numRuns: 1_000 },
  )
})

/** What Redis Cluster hashes: the text between the first { and the next }. */
function readTag(key: string): string {
  const start = key.indexOf('{') + 1
  return key.slice(start, key.indexOf('}', start))
}
