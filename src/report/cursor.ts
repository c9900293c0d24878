import { createHash } from 'node:crypto'
import { z } from 'zod'
import { canonicalJson } from '../cache/canonical-json'
import { BadInputError } from '../errors'
import type { Position } from '../storage/part'

const encoded = z.strictObject({
  q: z.string(),
  v: z.array(z.string().nullable()),
  k: z.array(z.union([z.string(), z.number(), z.boolean(), z.null()])),
})

const MOST_CHARACTERS = 65_536

/** Digest of what a cursor is bound to: the question without its page, and the resolved range. */
export function bindingOf(question: unknown): string {
  return createHash('sha256').update(canonicalJson(question)).digest('base64url').slice(0, 22)
}

export function encodeCursor(binding: string, position: Position): string {
  return Buffer.from(JSON.stringify({ q: binding, v: position.values, k: position.key })).toString('base64url')
}

/**
 * Reads the `after` argument.
 *
 * @throws BadInputError when it is no cursor, or one of another question or range.
 */
export function decodeCursor(binding: string, cursor: string, fields: number, keys: number): Position {
  const refuse = (): never => {
    throw new BadInputError(
      'after',
      '"after" must be an endCursor of this very question over the same range. Begin again without "after".',
    )
  }
  if (cursor.length > MOST_CHARACTERS) return refuse()
  let content: unknown
  try {
    content = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    return refuse()
  }
  const parsed = encoded.safeParse(content)
  if (!parsed.success) return refuse()
  const { q, v, k } = parsed.data
  if (q !== binding || v.length !== fields || k.length !== keys) return refuse()
  return { values: v, key: k }
}
