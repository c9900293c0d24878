import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ContestantPlan } from './contestant'

const PEERS = join(__dirname, '../../../bench/peers')

/** Which rows of the table a contestant is in. */
export type Row = 'hot' | 'new' | 'miss'

export interface Entrant extends ContestantPlan {
  readonly rows: readonly Row[]
}

export const BARE = 'bare node:http'
export const AGGREGRAPH = 'Aggregraph'
export const MERCURIUS = 'Mercurius, JIT and cache'
export const PLAIN_APOLLO = 'Apollo Server'

/** Everybody who takes part, in the order of their turns. */
export const ENTRANTS: readonly Entrant[] = [
  { name: BARE, shape: 'graphql', peer: ['bare.mjs'], rows: ['hot', 'new'] },
  { name: AGGREGRAPH, shape: 'graphql', peer: null, env: { LOG_LEVEL: 'warn' }, rows: ['hot', 'new', 'miss'] },
  { name: 'Aggregraph, LOG_LEVEL=info', shape: 'graphql', peer: null, env: { LOG_LEVEL: 'info' }, rows: ['hot'] },
  { name: MERCURIUS, shape: 'graphql', peer: ['mercurius.mjs'], rows: ['hot', 'new', 'miss'] },
  { name: 'Apollo Server, response cache', shape: 'graphql', peer: ['apollo.mjs', 'response-cache'], rows: ['hot'] },
  { name: PLAIN_APOLLO, shape: 'graphql', peer: ['apollo.mjs', 'plain'], rows: ['hot', 'new', 'miss'] },
  { name: 'Apollo Server, rows remembered', shape: 'graphql', peer: ['apollo.mjs', 'memo'], rows: ['new'] },
  { name: 'GraphQL Yoga, response cache', shape: 'graphql', peer: ['yoga.mjs'], rows: ['hot', 'miss'] },
  { name: 'PostGraphile', shape: 'postgraphile', peer: ['postgraphile.mjs'], rows: ['hot', 'miss'] },
  { name: 'by hand: Fastify, SQL, Redis', shape: 'route', peer: ['by-hand.mjs'], rows: ['hot', 'miss'] },
]

/** Whether a contestant is another server of GraphQL: neither Aggregraph, nor the limit, nor a route that knows one question. */
export function isPeer(name: string): boolean {
  const entrant = ENTRANTS.find((each) => each.name === name)
  return entrant !== undefined && entrant.peer !== null && entrant.name !== BARE && entrant.shape !== 'route'
}

/** The versions of what is compared with, as installed. */
export function readPeerVersions(): readonly (readonly [string, string])[] {
  const read = (file: string): { dependencies: Record<string, string>; version: string } =>
    JSON.parse(readFileSync(join(PEERS, file), 'utf8'))
  return Object.keys(read('package.json').dependencies).map((name) => [
    name,
    read(`node_modules/${name}/package.json`).version,
  ])
}
