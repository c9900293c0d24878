import { buildSchema, getIntrospectionQuery, isScalarType, parse, validate } from 'graphql'
import { defineDataset } from '../../../src/dataset/define'
import { createExampleQueries } from '../../../src/graphql/example-queries'
import { isPlainlyValid } from '../../../src/graphql/is-plainly-valid'
import { aDeclaration } from '../dataset/a-declaration'
import { listDocumented, SERVED, STRANGE, TO_SERVED, TO_STRANGE } from './plain-documents'

function readExamples(): readonly string[] {
  const columns = ['departed_at', 'origin'] as const
  const types = { departed_at: ['timestamptz', 'timestamp with time zone'], origin: ['text', 'text'] } as const
  const result = defineDataset(aDeclaration({ options: { rollups: [{ by: ['origin'], granularity: 'day' }] } }), {
    relation: { columns },
    expressions: Object.fromEntries(
      columns.map((name) => [`"${name}"`, { type: types[name][0], pgType: types[name][1] }]),
    ),
    dependencies: {},
    capture: null,
  })
  if ('faults' in result) throw new Error(JSON.stringify(result.faults))
  return createExampleQueries([result.definition]).map(({ query }) => query)
}

const DOCUMENTED = listDocumented().filter((text) => validate(SERVED, parse(text)).length === 0)
const EXAMPLES = readExamples()
const PLAIN = [
  ...[...TO_SERVED, ...DOCUMENTED, ...EXAMPLES].map((text) => ({ text, schema: SERVED })),
  ...TO_STRANGE.map((text) => ({ text, schema: STRANGE })),
].map(({ text, schema }) => [text.replace(/\s+/g, ' '), text, schema] as const)

/** Valid, and for graphql-js to say so. */
const NOT_PLAIN = [
  '{ named { name } }',
  '{ thing { __typename } }',
  '{ groups { thing { ... on Point { start } } } }',
  '{ point { ... on Named { name } } }',
  '{ point { ...N } } fragment N on Named { name }',
  '{ point { name @note } }',
  'query @note { point { name } }',
  'query ($u: Unit! @note) { groups { points(unit: $u) { name } } }',
  '{ point { ...P } } fragment P on Point @note { name }',
  '{ groups(json: { any: [1, "2", { b: null }] }) { key } }',
  '{ groups(json: [1]) { key } }',
  'mutation { point { name } }',
  'subscription { tick }',
  '{ __type(name: "Point") { name } }',
  '{ __schema { queryType { name } } }',
  getIntrospectionQuery({ descriptions: false }),
  // What graphql-js compares each with each, and lists that nobody writes by hand.
  `{ point { ${'name '.repeat(120)} } }`,
  `{ point { ${'...P '.repeat(1_000)} } } fragment P on Point { name }`,
  `{ tick(id: 1, at: [${'1,'.repeat(2_000)}]) }`,
]

const INVALID = [
  '{ nothing }',
  '{ point }',
  '{ point { name { x } } }',
  '{ point { __typename { x } } }',
  '{ point { __typename(a: 1) } }',
  '{ point { __schema { queryType { name } } } }',
  '{ point { constructor toString __proto__ } }',
  '{ groups { points { start } } }',
  '{ groups { points(unit: null) { start } } }',
  '{ groups { points(unit: YEAR) { start } } }',
  '{ groups { points(unit: "DAY") { start } } }',
  '{ groups { points(unit: DAY, since: 1) { start } } }',
  '{ groups(first: "3") { key } }',
  '{ groups(first: null) { key } }',
  '{ groups(first: [3]) { key } }',
  '{ groups(first: {}) { key } }',
  '{ groups(first: 99999999999) { key } }',
  '{ groups(first: 1, first: 2) { key } }',
  '{ groups(choice: {}) { key } }',
  '{ groups(choice: { a: null }) { key } }',
  '{ groups(choice: { a: 1, b: { from: "x" } }) { key } }',
  '{ groups(choice: { a: 1, a: 1 }) { key } }',
  '{ groups(choice: { e: 1 }) { key } }',
  '{ groups(choice: { b: {} }) { key } }',
  '{ groups(choice: { b: { from: "x", from: "y" } }) { key } }',
  '{ groups(choice: { b: { from: "x", since: 1 } }) { key } }',
  '{ groups(choice: { b: { from: null } }) { key } }',
  '{ groups(choice: { b: { from: "x", steps: [null] } }) { key } }',
  '{ groups(choice: { b: { from: "x", steps: [[[1]]] } }) { key } }',
  '{ groups(deep: 1) { key } }',
  '{ groups(deep: [{}]) { key } }',
  '{ groups(deep: { ranges: null }) { key } }',
  'query ($a: Int) { groups(choice: { a: $a }) { key } }',
  'query ($a: Int = 1) { groups(choice: { a: $a }) { key } }',
  'query ($a: Float!) { groups(first: $a) { key } }',
  'query ($u: Unit) { groups { points(unit: $u) { start } } }',
  'query ($u: Unit = null) { groups { points(unit: $u) { start } } }',
  'query ($u: Unit! = null) { groups { points(unit: $u) { start } } }',
  'query ($u: Unit = YEAR) { groups { points(unit: $u) { start } } }',
  'query ($u: [Unit!]!) { groups { points(unit: $u) { start } } }',
  'query ($at: Int) { tick(id: 1, at: $at) }',
  'query ($at: [Int]) { tick(id: 1, at: [$at]) }',
  'query ($at: Int) { point { self(ids: [[$at]]) { name } } }',
  'query ($u: Nothing) { point { name } }',
  'query ($u: Nothing) { groups { points(unit: $u) { start } } }',
  'query ($u: Point) { groups { points(unit: $u) { start } } }',
  'query ($u: Unit!) { point { name } }',
  'query ($u: Unit!, $u: Unit!) { groups { points(unit: $u) { start } } }',
  'query { groups { points(unit: $u) { start } } }',
  'query A($u: Unit!) { ...Q } query B { ...Q } fragment Q on Query { groups { points(unit: $u) { start } } }',
  'query A($u: Unit!) { ...Q } query B($u: Int!) { ...Q } fragment Q on Query { groups { points(unit: $u) { start } } }',
  '{ point { ...Nothing } }',
  '{ point { ...A } } fragment A on Point { ...A }',
  '{ point { ...A } } fragment A on Point { self { ...B } } fragment B on Point { self { ...A } }',
  '{ point { name } } fragment Unused on Point { name }',
  '{ point { ...A } } fragment A on Point { name } fragment A on Point { name }',
  'fragment A on Point { name }',
  '{ point { ...G } } fragment G on Group { key }',
  '{ point { ... on Group { key } } }',
  '{ point { ... on Nothing { key } } }',
  '{ point { ...A } } fragment A on Unit { key }',
  '{ point { name @nothing } }',
  '{ point { name @include } }',
  '{ point { name @include(if: null) } }',
  '{ point { name @include(if: 1) } }',
  '{ point { name @include(if: true, unless: true) } }',
  '{ point { name @include(if: true, if: true) } }',
  '{ point { name @include(if: true) @include(if: true) } }',
  '{ point { name @include(if: true) @skip(if: true) @include(if: true) } }',
  'query ($b: Boolean) { point { name @include(if: $b) } }',
  'query @include(if: true) { point { name } }',
  'query ($u: Unit! @skip(if: true)) { groups { points(unit: $u) { name } } }',
  '{ point { ...A } } fragment A on Point @include(if: true) { name }',
  '{ point { name } } { point { start } }',
  '{ point { name } } query A { point { start } }',
  'query A { point { name } } query A { point { start } }',
  'mutation { nothing }',
  'type Extra { a: Int }',
  '{ point { name } } extend type Point { more: Int }',
  '{ point { name } } directive @more on FIELD',
  '{ a: point { name } a: groups { key } }',
  '{ point { name name: start } }',
  '{ point { x: value(unit: DAY) x: value(unit: HOUR) } }',
  '{ point { value(unit: DAY) value(unit: DAY, scale: 1) } }',
  '{ point { self { x: name } self { x: start } } }',
  '{ point { self { x: name } ...A } } fragment A on Point { ... { ...B } } fragment B on Point { self { x: start } }',
]

describe('a document', () => {
  it.each(PLAIN)('is plainly valid: %.150s', (_title, text, schema) => {
    expect(validate(schema, parse(text))).toEqual([])
    expect(isPlainlyValid(schema, parse(text))).toBe(true)
  })

  it.each(NOT_PLAIN)('is valid, but not plain: %.150s', (text) => {
    expect(validate(STRANGE, parse(text))).toEqual([])
    expect(isPlainlyValid(STRANGE, parse(text))).toBe(false)
  })

  it.each(INVALID)('is not valid: %s', (text) => {
    const document = parse(text)
    expect(validate(STRANGE, document)).not.toEqual([])
    expect(isPlainlyValid(STRANGE, document)).toBe(false)
  })

  it('is found in the pages and among the examples', () => {
    expect(DOCUMENTED.length).toBeGreaterThan(4)
    expect(EXAMPLES).toHaveLength(3)
  })
})

describe('a small document that is large once written out', () => {
  const list = (count: number, each: (n: number) => string) =>
    Array.from({ length: count }, (_, n) => each(n)).join(' ')
  /** Fragments each of which holds the next as is said. */
  const chain = (count: number, body: (next: string) => string) =>
    `{ ...F0 } ${list(count, (n) => `fragment F${n} on Query { ${body(`...F${n + 1}`)} }`)} fragment F${count} on Query { leaf }`

  it.each([
    ['doubled by each fragment', chain(30, (next) => `leaf(at: 1) ${next} ${next}`)],
    ['doubled by each, level by level', chain(30, (next) => `a: self(at: 1) { ${next} } b: self(at: 1) { ${next} }`)],
    ['a long chain', chain(200, (next) => `leaf(at: 1) ${next}`)],
    ['a fragment within itself', '{ ...F } fragment F on Query { self(at: 1) { ...F } }'],
    ['a fragment that is itself', '{ ...F } fragment F on Query { leaf(at: 1) ...F }'],
    ['objects within objects', `{ leaf(at: 1, deep: ${'{ a: '.repeat(1_500)}null${'}'.repeat(1_500)}) }`],
    ['fields within fields', `{ ${'a: leaf(at: 1) self { '.repeat(1_200)} leaf ${'}'.repeat(1_200)} }`],
    [
      'many operations of one fragment',
      `${list(300, (n) => `query Q${n} { ...F }`)} fragment F on Query { ${list(20, (n) => `f${n}: leaf(at: 1)`)} }`,
    ],
  ])('is not read to its end: %s', (_title, text) => {
    const schema = buildSchema(`
      scalar Counted
      input Deep { a: Deep }
      type Query { self(at: Counted): Query leaf(at: Counted, deep: Deep): Int }
    `)
    const scalar = schema.getType('Counted')
    if (!isScalarType(scalar)) throw new Error('There is no such scalar')
    let read = 0
    scalar.parseLiteral = () => {
      read += 1
      return read
    }
    expect(isPlainlyValid(schema, parse(text))).toBe(false)
    expect(read).toBeGreaterThan(0)
    expect(read).toBeLessThan(2_000)
  })
})
