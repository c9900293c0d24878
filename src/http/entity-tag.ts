import { hash } from 'node:crypto'

/** The strong entity tag of an answer: a digest of its bytes (SHA-256), in quotes. */
export function tagOf(content: Buffer | string): string {
  return `"${hash('sha256', content, 'base64url')}"`
}

/**
 * Whether an `If-None-Match` header names the tag, so that the client has the answer already: `*`, or a list with the tag
 * in it, weak or strong (RFC 9110, section 13.1.2). A header that is no such list names nothing.
 */
export function namesTag(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  const text = ifNoneMatch.trim()
  if (text === '*') return true
  // A tag may hold commas, so a list is not simply split at them.
  const members = text.match(/(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g) ?? []
  return members.some((member) => member.replace(/^W\//, '') === etag)
}
