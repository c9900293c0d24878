import { isSameAnswer } from '../../../src/report/same-answer'

const SAME: readonly (readonly [unknown, unknown])[] = [
  [null, null],
  [0, -0],
  [12, 12],
  [0.1 + 0.2, 0.3],
  [1e21, 1.0000000000000001e21],
  [3, 3.0000000000000004],
  ['0.30000000000000004', '0.3'],
  ['12345.678901234567', '12345.678901234568'],
  ['JFK', 'JFK'],
  [[], []],
  [
    { a: 1, b: [2, null] },
    { b: [2, null], a: 1 },
  ],
  [{ a: 1, b: undefined }, { a: 1 }],
  [{ rows: [[0, [12, 7.000000000000001]]] }, { rows: [[0, [12, 7]]] }],
]

const DIFFERENT: readonly (readonly [unknown, unknown])[] = [
  [null, 0],
  [12, 13],
  [9007199254740991, 9007199254740990],
  [12, '12'],
  [0.3, 0.30000001],
  [0, 1e-300],
  [1, -1.0000000000000002],
  ['12.50', '12.51'],
  ['12.5', '12.50'],
  ['123456789012.34', '123456789012.35'],
  ['90071992547409910', '90071992547409911'],
  ['0.30000000000000004', 'JFK'],
  ['0.30000000000000004', '0.31'],
  ['', '0.30000000000000004'],
  ['a', 'b'],
  [true, false],
  [[], {}],
  [
    [1, 2],
    [2, 1],
  ],
  [[1], [1, 1]],
  [{ a: 1 }, { b: 1 }],
  [{ a: 1 }, { a: 1, b: null }],
  [{ a: null }, { a: undefined }],
  [{}, { toString: 1 }],
  [{ toString: 1 }, {}],
]

it.each(SAME)('%j is the same answer as %j', (one, other) => {
  expect([isSameAnswer(one, other), isSameAnswer(other, one)]).toEqual([true, true])
})

it.each(DIFFERENT)('%j is not the same answer as %j', (one, other) => {
  expect([isSameAnswer(one, other), isSameAnswer(other, one)]).toEqual([false, false])
})
