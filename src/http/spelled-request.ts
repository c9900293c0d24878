import { readSpelling, type Spelling } from '../graphql/spelling'
import { parseJsonBody } from './request-checks'

/** A request that differs from others at most in how its operation is spelled. */
export interface SpelledRequest {
  readonly spelling: Spelling
  /** The same for requests that get the same answer but for its aliases; no request's own bytes are the same as this. */
  readonly text: string
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Reads a body that asks one operation and nothing besides; null for any other, which is not necessarily wrong. */
export function readSpelledRequest(body: Buffer): SpelledRequest | null {
  const request = parse(body)
  if (!isObject(request)) return null
  const { query, variables, operationName, extensions, ...others } = request
  if (typeof query !== 'string' || Object.keys(others).length > 0) return null
  if ((extensions ?? null) !== null || !isObject(variables ?? {})) return null
  const spelling = readSpelling(query)
  if (spelling === null || (operationName ?? spelling.operationName) !== spelling.operationName) return null
  // An object in JSON begins otherwise, and neither part has an empty line.
  return { spelling, text: `spelled\n${spelling.text}\n\n${JSON.stringify(variables ?? {})}` }
}

function parse(body: Buffer): unknown {
  try {
    return parseJsonBody(body)
  } catch {
    return null
  }
}
