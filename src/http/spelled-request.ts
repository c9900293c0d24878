import { readSpelling, type Spelling } from '../graphql/spelling'
import { parseJsonBody } from './request-checks'

/** A request that differs from others at most in how its operation is spelled. */
export interface SpelledRequest {
  readonly spelling: Spelling
  /** The same for requests that get the same answer but for its aliases. */
  readonly text: string
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Reads a body that asks one operation and nothing besides; null for any other, which is not necessarily wrong. */
export function readSpelledRequest(body: Buffer): SpelledRequest | null {
  try {
    return spell(parseJsonBody(body))
  } catch {
    // No JSON, or deeper than it can be written again.
    return null
  }
}

function spell(request: unknown): SpelledRequest | null {
  if (!isObject(request)) return null
  const { query, variables, operationName, extensions, ...others } = request
  if (typeof query !== 'string' || Object.keys(others).length > 0) return null
  const values = variables ?? {}
  if ((extensions ?? null) !== null || !isObject(values)) return null
  const spelling = readSpelling(query)
  if (spelling === null || (operationName ?? spelling.operationName) !== spelling.operationName) return null
  const text = writeVariables(values, spelling.variables)
  // Neither part has an empty line.
  return text === null ? null : { spelling, text: `${spelling.text}\n\n${text}` }
}

/**
 * Writes variables by their numbers, so that different ones have different texts; null when there are others beside them. Throws
 * at a number that JSON cannot write: 1e400 is read as infinite.
 */
function writeVariables(values: Readonly<Record<string, unknown>>, names: readonly string[]): string | null {
  const given = names.flatMap((name, number) => (Object.hasOwn(values, name) ? [[number, values[name]]] : []))
  if (given.length !== Object.keys(values).length) return null
  const text = JSON.stringify(given)
  if (text.includes('null')) JSON.stringify(given, refuseInfinite)
  return text
}

function refuseInfinite(_name: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new RangeError('This number cannot be written as JSON')
  return value
}
