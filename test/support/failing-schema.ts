import { buildSchema, type GraphQLFieldConfig, GraphQLObjectType, type GraphQLSchema } from 'graphql'
import {
  BadInputError,
  DatasetNotReadyError,
  DeadlineError,
  ForbiddenError,
  NoRollupError,
  TooComplexError,
  UnavailableError,
} from '../../src/errors'
import type { TestContext } from './http-app'

export const SECRET = 'select password from accounts where id = $1'

/** Each way in which a field can fail. */
const FAILURES: Readonly<Record<string, () => Error>> = {
  input: () => new BadInputError('range.between.from', 'Give a date.'),
  rollup: () => new NoRollupError('flights', 'destination by hour', 'day × destination'),
  unready: () => new DatasetNotReadyError('flights'),
  forbidden: () => new ForbiddenError('flights'),
  complex: () => new TooComplexError('points', 10, 11),
  down: () => new UnavailableError(new Error(SECRET)),
  late: () => new DeadlineError(),
  unknown: () => Object.assign(new Error(SECRET), { query: SECRET, code: '42P01' }),
}

const SDL = `
  enum Failure { ${Object.keys(FAILURES).join(' ')} }
  input Filter { and: [Filter!] n: Int tag: String! = "x" }
  type Part { ok: Boolean fail(how: Failure!): Int part: Part list: [Int!] }
  type Query {
    ok: Boolean
    fail(how: Failure!): Int
    must(how: Failure!): Int!
    part: Part
    echo(n: Int, ns: [Int!], filter: Filter): Int
    hollow: Int!
    hang(obedient: Boolean! = false): Int
  }
  type Mutation { ok: Boolean }
`

async function hang(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
}

const fail = (_source: unknown, { how }: { readonly how: string }) => {
  throw FAILURES[how]?.() ?? new Error(`There is no failure ${how}`)
}

/** Resolvers of `Type.field`; others take the value of the same name. */
const RESOLVERS: Readonly<Record<string, GraphQLFieldConfig<unknown, TestContext>['resolve']>> = {
  'Query.ok': () => true,
  'Query.fail': fail,
  'Query.must': fail,
  'Query.part': () => ({}),
  'Query.echo': (_source, { n }) => n,
  'Query.hollow': () => null,
  'Query.hang': (_source, { obedient }, { facts }) => (obedient ? hang(facts.signal) : new Promise(() => {})),
  'Part.ok': () => true,
  'Part.fail': fail,
  'Part.part': () => ({}),
  'Part.list': () => [],
}

/** A schema whose fields fail in every way there is. */
export function createFailingSchema(): GraphQLSchema {
  const schema = buildSchema(SDL)
  for (const type of Object.values(schema.getTypeMap())) {
    if (!(type instanceof GraphQLObjectType)) continue
    for (const field of Object.values(type.getFields())) {
      const resolve = RESOLVERS[`${type.name}.${field.name}`]
      if (resolve !== undefined) field.resolve = resolve
    }
  }
  return schema
}
