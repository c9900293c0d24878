import { buildSchema, NoSchemaIntrospectionCustomRule, parse, specifiedRules, validate } from 'graphql'
import { isValidDocument } from '../../../src/graphql/is-valid-document'
import { createLimitsRule, DEFAULT_LIMITS } from '../../../src/graphql/limits'

const schema = buildSchema(`
  enum Unit { HOUR DAY }
  input Range { from: String to: String }
  input Filter @oneOf { a: Int b: Range }
  interface Named { name: String }
  type Point implements Named { name: String start: String! value(scale: Float = 1): Float }
  type Group { key: String! points(unit: Unit!): [Point!] }
  type Query { point: Point named: Named groups(first: Int! = 10, filter: Filter, range: Range): [Group!] }
`)
const rules = [...specifiedRules, createLimitsRule(DEFAULT_LIMITS), NoSchemaIntrospectionCustomRule]

const VALID = [
  '{ point { name start value } }',
  '{ a: point { start } b: point { s: start } }',
  'query Q($u: Unit!, $r: Range) { groups(first: 3, range: $r) { key points(unit: $u) { ...P } } } fragment P on Point { start value(scale: 2) }',
  '{ named { __typename ... on Point { start } } }',
  '{ groups(filter: { b: { from: "x", to: null } }) { key @skip(if: true) points(unit: DAY) { start } } }',
  'query A { point { name } } query B { point { start } }',
  // Nothing of it can be checked: execution refuses it.
  'mutation { point { name } }',
]
const INVALID = [
  '{ nothing }',
  '{ point }',
  '{ point { name { x } } }',
  '{ groups { points { start } } }',
  '{ groups { points(unit: YEAR) { start } } }',
  '{ groups(first: "3") { key } }',
  '{ groups(filter: { a: 1, b: {} }) { key } }',
  '{ groups(range: { since: "x" }) { key } }',
  '{ groups(first: 1, first: 2) { key } }',
  '{ a: point { name } a: groups { key } }',
  '{ point { x: value(scale: 1) x: value(scale: 2) } }',
  'query Q($u: Unit) { groups { points(unit: $u) { start } } }',
  'query Q($u: Nothing) { point { name } }',
  'query Q($u: Unit!) { point { name } }',
  'query Q { groups { points(unit: $u) { start } } }',
  '{ point { ...Nothing } }',
  '{ point { ...A } } fragment A on Point { ...B } fragment B on Point { ...A }',
  '{ point { name } } fragment Unused on Point { name }',
  '{ point { ...G } } fragment G on Group { key }',
  '{ point { name @nothing } }',
  '{ point { name } } { point { start } }',
  'query A { point { name } } query A { point { start } }',
  'type Extra { a: Int }',
  '{ __schema { queryType { name } } }',
  `{ ${Array.from({ length: DEFAULT_LIMITS.aliases + 1 }, (_, n) => `a${n}: point { name }`).join(' ')} }`,
]

describe('a document', () => {
  it.each(VALID)('is valid as graphql-js has it: %s', (text) => {
    expect(validate(schema, parse(text), rules)).toEqual([])
    expect(isValidDocument(schema, parse(text), rules)).toBe(true)
  })

  it.each(INVALID)('is not valid as graphql-js has it: %s', (text) => {
    expect(validate(schema, parse(text), rules)).not.toEqual([])
    expect(isValidDocument(schema, parse(text), rules)).toBe(false)
  })

  it.each(specifiedRules.map((rule) => [rule.name, rule] as const))('is judged by each rule alone: %s', (_, rule) => {
    for (const text of [...VALID, ...INVALID]) {
      const document = parse(text)
      expect([text, isValidDocument(schema, document, [rule])]).toEqual([
        text,
        validate(schema, document, [rule]).length === 0,
      ])
    }
  })

  it('that makes a rule throw does not pass for valid', () => {
    const enter = () => {
      throw new Error('broken')
    }
    const broken = () => ({ enter })
    expect(() => isValidDocument(schema, parse('{ point { name } }'), [broken])).toThrow('broken')
  })
})
