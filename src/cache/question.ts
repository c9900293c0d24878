import { hash } from 'node:crypto'

/** Part of every key and every envelope: raising it leaves all that was kept before unread. */
export const FORMAT_VERSION = 2

/** One question to the cache. All four texts together are its identity. */
export interface Question {
  /** What shares a slot on Redis Cluster, for example a dataset. */
  readonly group: string
  /** What the answer depends on: its versions are the topic's. Unique across groups, for example a layout. */
  readonly topic: string
  /** What the principal may see, as text. */
  readonly scope: string
  /** The canonical text of the normalised question: two spellings have the same. */
  readonly text: string
}

/** The question whose key was asked for last: whoever reads an entry asks several times. */
let latest: { readonly question: Question; readonly key: string } | null = null

/** The key of a question's entry. Different questions or scopes have different keys (SHA-256). */
export function entryKey(question: Question): string {
  if (latest?.question === question) return latest.key
  const { group, topic, scope, text } = question
  const key = `aggregraph:${FORMAT_VERSION}:entry:{${hashTag(group)}}:${digest([group, topic, scope, text])}`
  latest = { question, key }
  return key
}

/** The key of the lease of a question: whoever holds it loads. */
export function leaseKey(entry: string): string {
  return entry.replace(':entry:', ':lease:')
}

/** The key of a topic's register. */
export function registerKey(group: string, topic: string): string {
  return `aggregraph:${FORMAT_VERSION}:register:{${hashTag(group)}}:${digest([group, topic])}`
}

/** A tag that Redis Cluster reads whole: a brace would end it, and an empty one is ignored. The digest tells groups apart. */
function hashTag(group: string): string {
  return group === '' ? '_' : group.replaceAll(/[^\w.-]/g, '_')
}

/** A JSON list is unambiguous (no concatenation of parts equals another) and spells lone surrogates as ASCII. */
function digest(parts: readonly string[]): string {
  return hash('sha256', JSON.stringify([FORMAT_VERSION, ...parts]), 'base64url')
}
