import { getIntrospectionQuery, parse, parseValue } from 'graphql'
import { measureJson, measureLiteral } from '../../../src/graphql/input-size'
import { checkDocument, checkVariables, DEFAULT_LIMITS } from '../../../src/graphql/limits'
import { measureOperations } from '../../../src/graphql/operation-size'

function nest(levels: number, innermost: unknown): unknown {
  let value = innermost
  for (let level = 0; level < levels; level += 1) value = { not: value }
  return value
}

function chainFragments(count: number, body: (next: string) => string): string {
  const chain = Array.from({ length: count }, (_, index) => `fragment F${index} on Q { ${body(`F${index + 1}`)} }`)
  return `{ ...F0 } ${chain.join(' ')} fragment F${count} on Q { a }`
}

describe('measureOperations', () => {
  it.each([
    ['{ a b { c } }', { depth: 2, aliases: 0, selections: 3 }],
    ['{ x: a ... on Q { y: b { z: __typename } } }', { depth: 2, aliases: 3, selections: 3 }],
    ['{ ...F ...F } fragment F on Q { a { b: c } }', { depth: 2, aliases: 2, selections: 4 }],
    ['query A { a } query B { a { a { a } } }', { depth: 3, aliases: 0, selections: 3 }],
    ['{ a { ...F } } fragment F on Q { b { ...F } }', { depth: 2, aliases: 0, selections: 2 }],
    ['{ ...Missing }', { depth: 0, aliases: 0, selections: 0 }],
    [chainFragments(26, (next) => `...${next} ...${next}`), { depth: 1, aliases: 0, selections: 2 ** 26 }],
  ])('%#: %.60s', (document, size) => {
    expect(measureOperations(parse(document))).toEqual(size)
  })
})

describe('the size of an input', () => {
  it.each([
    ['{ origin: { eq: "JFK" } }', { levels: 1, nodes: 1, items: 0 }],
    ['{ not: { origin: { eq: "JFK" } } }', { levels: 2, nodes: 2, items: 0 }],
    ['{ or: [{ a: { eq: 1 } }, { b: { in: [1, 2, 3] } }] }', { levels: 2, nodes: 3, items: 3 }],
    ['{ or: [{}, {}] }', { levels: 2, nodes: 3, items: 2 }],
    ['[[[1]]]', { levels: 2, nodes: 0, items: 1 }],
    ['"text"', { levels: 0, nodes: 0, items: 0 }],
  ])('%s is the same written out and as a variable', (literal, size) => {
    expect(measureLiteral(parseValue(literal))).toEqual(size)
    expect(measureJson(JSON.parse(literal.replace(/(\w+):/g, '"$1":')))).toEqual(size)
  })
})

describe('checkVariables', () => {
  it.each([
    ['8 levels', nest(7, { origin: { eq: 'JFK' } }), null],
    ['9 levels', nest(8, { origin: { eq: 'JFK' } }), { limit: 8, actual: 9 }],
    ['100,000 levels', nest(100_000, { origin: { eq: 'JFK' } }), { limit: 8, actual: 100_001 }],
    ['200 nodes', { or: Array.from({ length: 199 }, () => ({ origin: { eq: 'JFK' } })) }, null],
    ['201 nodes', { or: Array.from({ length: 200 }, () => ({ origin: { eq: 'JFK' } })) }, { limit: 200, actual: 201 }],
    ['1,000 items', { origin: { in: Array.from({ length: 1_000 }, String) } }, null],
    ['1,001 items', { origin: { in: Array.from({ length: 1_001 }, String) } }, { limit: 1_000, actual: 1_001 }],
  ])('%s', (_title, where, details) => {
    expect(checkVariables({ where }, DEFAULT_LIMITS)?.details ?? null).toEqual(details)
  })
})

describe('checkDocument', () => {
  it.each([
    ['what explorers ask for', getIntrospectionQuery({ inputValueDeprecation: true, oneOf: true }), null],
    ['15 levels', `${'{ a '.repeat(15)}${'}'.repeat(15)}`, null],
    ['16 levels', `${'{ a '.repeat(16)}${'}'.repeat(16)}`, { limit: 15, actual: 16 }],
    [
      '101 aliases',
      `{ ${Array.from({ length: 101 }, (_, n) => `a${n}: __typename`).join(' ')} }`,
      { limit: 100, actual: 101 },
    ],
    [
      'a literal of 9 levels',
      `{ a(where: ${'{ not: '.repeat(8)}{ b: { eq: 1 } }${' }'.repeat(8)}) }`,
      { limit: 8, actual: 9 },
    ],
    [
      'a default of 9 levels',
      `query ($w: W = ${'{ not: '.repeat(8)}{ b: { eq: 1 } }${' }'.repeat(8)}) { a }`,
      { limit: 8, actual: 9 },
    ],
    [
      'doubling fragments',
      chainFragments(300, (next) => `...${next} ...${next}`),
      { limit: 2_000, actual: 2 ** 53 - 1 },
    ],
  ])('%s', (_title, document, details) => {
    expect(checkDocument(parse(document), DEFAULT_LIMITS)?.details ?? null).toEqual(details)
  })
})
