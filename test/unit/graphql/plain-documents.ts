import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSchema, type GraphQLSchema, isScalarType } from 'graphql'
import {
  DateOrDateTimeScalar,
  DateScalar,
  DateTimeScalar,
  SafeIntScalar,
  TimeZoneScalar,
} from '../../../src/graphql/scalars'

const ROOT = join(__dirname, '../../..')

/** Builds the schema of `schema.graphql` with what our scalars take: SDL does not say it. */
function buildServed(): GraphQLSchema {
  const schema = buildSchema(readFileSync(join(ROOT, 'schema.graphql'), 'utf8'))
  for (const scalar of [DateOrDateTimeScalar, DateScalar, DateTimeScalar, SafeIntScalar, TimeZoneScalar]) {
    const built = schema.getType(scalar.name)
    if (!isScalarType(built)) throw new Error(`There is no scalar ${scalar.name}`)
    built.parseLiteral = scalar.parseLiteral
  }
  return schema
}

/** What is served. */
export const SERVED = buildServed()

/** What of the language is not served. */
export const STRANGE = buildSchema(`
  directive @note(text: String) repeatable on QUERY | FIELD | FRAGMENT_SPREAD | FRAGMENT_DEFINITION | VARIABLE_DEFINITION
  enum Unit { HOUR DAY }
  scalar Json
  input Range { from: String! to: String = "now" steps: [[Int!]!] weight: Float! = 1 }
  input Choice @oneOf { a: Int b: Range c: [Unit!] d: Choice }
  input Deep { choice: Choice ranges: [Range!]! = [] unit: Unit! = DAY deep: Deep id: ID flag: Boolean json: Json }
  interface Named { name: String }
  union Thing = Point | Group
  type Point implements Named {
    name: String
    start: String!
    value(scale: Float = 1, unit: Unit!): Float
    self(deep: Deep, ids: [[ID!]]): Point
    near(choices: [Choice!], flag: Boolean! = true): [Point!]!
  }
  type Group { key: String! points(unit: Unit!, first: Int! = 10): [Point!] thing: Thing named: Named fields: [Group!] }
  type Query {
    point: Point
    named: Named
    thing: Thing
    groups(first: Int! = 10, choice: Choice, deep: Deep, json: Json): [Group!]!
    tick(at: [Int], id: ID!, units: [Unit!]! = [DAY]): Int
  }
  type Mutation { point: Point }
  type Subscription { point: Point tick: Int }
`)

/** Documents in the pages, of what schema they may be. */
export function listDocumented(): readonly string[] {
  const pages = ['README.md', ...readdirSync(join(ROOT, 'docs')).map((file) => join('docs', file))]
  return pages
    .filter((page) => page.endsWith('.md'))
    .flatMap((page) => [...readFileSync(join(ROOT, page), 'utf8').matchAll(/^```graphql\n([\s\S]*?)^```$/gm)])
    .map(([, text = '']) => text)
}

/** Documents that our clients may send. */
export const TO_SERVED: readonly string[] = [
  `query Days1($from: DateOrDateTime!, $to: DateOrDateTime!) {
    days1: flights(range: { between: { from: $from, to: $to } }) { series(granularity: DAY) { date measures { flights averageDelay } } }
  }`,
  `{ flights(range: { between: { from: "2001-03-01", to: "2001-04-01T00:00:00Z" } }, timezone: "Europe/Madrid") { id __typename totals { flights } } }`,
  `query Zone($range: RangeInput, $zone: TimeZone! = "UTC") { flights(range: $range, timezone: $zone) { meta { from to } } }`,
  `query Zone($zone: TimeZone = "UTC") { flights(timezone: $zone) { meta { timezone } } }`,
  `query Zone($zone: TimeZone) { flights(timezone: $zone) { meta { timezone } } }`,
  `query Page($by: [FlightsDimension!]!, $first: Int, $after: String, $more: Boolean!) {
    flights(range: { period: LAST_MONTH }, where: { originState: { in: ["NY", "NJ"] }, or: [{ hourOfDay: { gte: 6 } }, { not: { origin: { isNull: true } } }] }) {
      breakdown(by: $by, first: $first, after: $after, orderBy: { field: DELAY_RATE }, having: { flights: { gte: 5, lt: 1e9 } }) {
        totalCount
        nodes { key measures { flights } compare(to: PREVIOUS_YEAR) @include(if: $more) { flights } }
        other @skip(if: $more) @include(if: true) { measures { flights } }
        pageInfo { endCursor hasNextPage }
      }
    }
  }`,
  `query Board($unit: Granularity!) {
    lastWeek: flights(range: { last: { count: 7, unit: DAY } }) { ...Numbers series(granularity: $unit) { ...Point } }
    lastYear: flights(range: { last: { count: 1, unit: YEAR } }) { ...Numbers ... on FlightsReport { id } ... @include(if: true) { id } }
  }
  fragment Numbers on FlightsReport { id totals { ...Measures } meta { dataAsOf stale } }
  fragment Measures on FlightsMeasures { flights delayRate __typename }
  fragment Point on FlightsPoint { start measures { ...Measures flights } }`,
  `query Now { flights { ...Numbers } } query Then($to: Comparison! = PREVIOUS_YEAR) { flights { ...Numbers compare(to: $to) { totals { flights } } } }
  fragment Numbers on FlightsReport { totals { flights } }`,
  `{ flights { series(granularity: DAY) { start } ...Ends } } fragment Ends on FlightsReport { series(granularity: DAY) { start end } }`,
  `{ datasets { name label description measures { name label } dimensions { name type } refresh { exact every } } }`,
]

/** Documents with what of the language is not served. */
export const TO_STRANGE: readonly string[] = [
  '{ point { name start value(unit: HOUR) } }',
  '{ a: point { start } b: point { s: start value(scale: 2, unit: DAY) } __typename }',
  '{ point { start start b: value(unit: DAY) b: value(unit: DAY) self { name } self { start self { name } } } }',
  '{ tick(id: 5) t: tick(at: 1, id: "a", units: HOUR) u: tick(at: [1, null], id: "a", units: [HOUR, DAY]) v: tick(at: null, id: "a") }',
  '{ groups(first: 3, choice: { a: 1 }, json: "any", deep: { choice: { c: DAY }, ranges: { from: "x" }, unit: DAY, flag: null }) { key } }',
  '{ groups(choice: { b: { from: "x", to: null, steps: [1, [2, 3]] } }) { key @skip(if: true) points(unit: DAY) { start } } }',
  '{ point { near(choices: { d: { d: { c: [DAY, HOUR] } } }) { name } self(ids: [["a"], "b", null, [1]]) { name } } }',
  'query ($a: Int!, $b: Range!, $c: [Unit!]!) { a: groups(choice: { a: $a }) { key } b: groups(choice: { b: $b }) { key } c: groups(choice: { c: $c }) { key } }',
  'query ($a: Int = 1, $b: Boolean = true, $c: Boolean) { groups(first: $a) { key @include(if: $b) points(unit: DAY) { near(flag: $c) { name } } } }',
  'query ($ids: [[ID!]!]!, $id: ID!, $list: [ID!]) { point { self(ids: $ids) { a: self(ids: [$list, [$id]]) { name } } } }',
  'query ($unit: Unit! = DAY, $deep: Deep = { ranges: [{ from: "x" }], deep: { choice: { a: 1 } } }) { groups(deep: $deep) { points(unit: $unit) { start } } }',
  'query ($unit: Unit, $range: Range!) { groups(deep: { unit: $unit, ranges: [$range, { from: "x" }] }) { key } }',
  'query A($u: Unit!) { ...Q } query B($u: Unit!) { ...Q point { name } } fragment Q on Query { groups { points(unit: $u) { ...P } } } fragment P on Point { start }',
  '{ groups { fields { fields { fields { fields { key } } } } } }',
]
