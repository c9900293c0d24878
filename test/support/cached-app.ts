import { buildSchema, type GraphQLFieldResolver, type GraphQLSchema } from 'graphql'
import type { CacheEvent } from '../../src/cache/cache-event'
import { createResponseStore, type ResponseFacts } from '../../src/cache/response-store'
import type { HttpAppOptions } from '../../src/http/http-app'
import { startTestApp, type TestApp, type TestContext } from './http-app'

/** What answers are made from, and what is said of it: a test changes it as it goes. */
export interface World {
  /** What the schema's one number is. */
  count: number
  /** How often it was looked up. */
  executions: number
  /** Whether what was answered before is still what would be answered. */
  confirms: () => Promise<boolean>
  /** Of every answer from now on. */
  facts: ResponseFacts | null
  /** Epoch milliseconds. */
  now: number
}

export interface CachedApp extends TestApp {
  readonly world: World
  /** What became of the requests, oldest first. */
  readonly outcomes: readonly string[]
}

export const FOREVER: ResponseFacts = { dependencies: [], expiresAt: null }

const SDL =
  'type Query { count: Int fail: Int who: String nothing: Int many(of: Int!): [Int!] echo(text: String!): String maybe(of: Int): Int }'

function createSchema(world: World): GraphQLSchema {
  const schema = buildSchema(SDL)
  const resolvers: Readonly<Record<string, GraphQLFieldResolver<unknown, TestContext>>> = {
    count: () => {
      world.executions += 1
      return world.count
    },
    fail: () => {
      throw new Error('It fails')
    },
    who: (_source, _arguments, { facts }) => facts.caller.scope,
    echo: (_source, { text }) => {
      world.executions += 1
      return text
    },
    maybe: (_source, { of }) => of,
    many: (_source, { of }) => Array.from({ length: of }, (_, index) => index),
  }
  for (const [name, field] of Object.entries(schema.getQueryType()?.getFields() ?? {})) field.resolve = resolvers[name]
  return schema
}

/** Starts a server over one number that keeps its answers; whether they are still true is for the test to say. */
export async function startCachedApp(
  http: Partial<HttpAppOptions<TestContext>> = {},
  { maxBytes = 1_000_000, host }: { readonly maxBytes?: number; readonly host?: string } = {},
): Promise<CachedApp> {
  const world: World = { count: 1, executions: 0, confirms: async () => true, facts: FOREVER, now: 1_000_000 }
  const outcomes: string[] = []
  const app = await startTestApp({
    schema: createSchema(world),
    host,
    http: {
      responses: createResponseStore({ maxBytes, clock: () => world.now, confirms: () => world.confirms() }),
      responseFacts: () => world.facts,
      onCacheEvent: (event: CacheEvent) => {
        if (event.kind === 'response') outcomes.push(event.outcome)
      },
      ...http,
    },
  })
  return { ...app, world, outcomes }
}

/** An answer as it came over the wire. */
export interface Seen {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

async function see(response: Response): Promise<Seen> {
  return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() }
}

/** Asks with POST; a text is sent as it is. */
export async function post(
  app: TestApp,
  body: object | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Seen> {
  return see(
    await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    }),
  )
}

/** Asks with GET, the parameters in their order. */
export async function get(
  app: TestApp,
  parameters: Readonly<Record<string, string | object>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Seen> {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    search.append(name, typeof value === 'string' ? value : JSON.stringify(value))
  }
  return see(await fetch(`${app.url}/graphql?${search}`, { headers: { accept: 'application/json', ...headers } }))
}
