import fc from 'fast-check'
import { canonicalJson } from '../../../src/cache/canonical-json'

const same: readonly [unknown, unknown][] = [
  [
    { a: 1, b: 2 },
    { b: 2, a: 1 },
  ],
  [{ a: { y: 1, x: [{ d: 1, c: 2 }] } }, { a: { x: [{ c: 2, d: 1 }], y: 1 } }],
  [{ a: 1, b: undefined }, { a: 1 }],
  [1, 1.0],
  [0, -0],
  [Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
]
it.each(same)('writes %j and %j alike', (a, b) => {
  expect(canonicalJson(a)).toBe(canonicalJson(b))
})

const different: readonly [unknown, unknown][] = [
  [1, '1'],
  [null, 'null'],
  [{ a: null }, {}],
  [true, 1],
  [true, 'true'],
  [[], {}],
  [[], null],
  ['', null],
  [
    [1, 2],
    [2, 1],
  ],
  [
    [1, [2]],
    [[1], 2],
  ],
  [['a,b'], ['a', 'b']],
  [['a","b'], ['a', 'b']],
  [{ a: 'b' }, { 'a":"b': '' }],
  // The same letter, composed and decomposed.
  ['\u00e9', 'e\u0301'],
  ['a', 'A'],
  ['a', 'a '],
  ['\ud800', '\ufffd'],
  [0.1 + 0.2, 0.3],
]
it.each(different)('tells %j and %j apart', (a, b) => {
  expect(canonicalJson(a)).not.toBe(canonicalJson(b))
})

const cycle: Record<string, unknown> = {}
cycle.self = [cycle]
const refused: readonly [string, unknown, string][] = [
  ['undefined', undefined, '$ is not JSON: undefined'],
  ['NaN', { a: [Number.NaN] }, '$.a[0] is not JSON: NaN'],
  ['infinity', Number.POSITIVE_INFINITY, '$ is not JSON: Infinity'],
  ['a bigint', { n: 1n }, '$.n is not JSON: 1'],
  ['a function', { f: () => 1 }, '$.f is not JSON: a function'],
  ['a symbol', [Symbol('s')], '$[0] is not JSON: Symbol(s)'],
  ['a date', { at: new Date(0) }, '$.at is not JSON: Date'],
  ['a map', new Map(), '$ is not JSON: Map'],
  ['undefined in a list', [undefined], '$[0] is not JSON: undefined'],
  ['a hole', new Array(1), '$[0] is not JSON: undefined'],
  ['a cycle', cycle, '$.self[0] is not JSON: it contains itself'],
]
it.each(refused)('refuses %s and says where', (_, value, message) => {
  expect(() => canonicalJson(value)).toThrow(new TypeError(message))
})

it('takes the same object twice, side by side', () => {
  const shared = { a: 1 }
  expect(canonicalJson([shared, shared])).toBe('[{"a":1},{"a":1}]')
})

it('means what it was made from, and does not depend on the order of keys', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value)
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
      expect(canonicalJson(reverseKeys(value))).toBe(text)
    }),
  )
})

function reverseKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reverseKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, reverseKeys(member)]),
  )
}
