import { TIME_ZONE_LINKS } from './time-zone-links'

/** A name starts with a letter, so that offsets such as `+02:00` are none; the longest has 32 characters. */
const NAME = /^[A-Za-z][A-Za-z0-9_+/-]{1,63}$/
/**
 * Spellings that runtimes take although the IANA database has none of them: three letters that mean several zones (IST, BST,
 * CST), and System V's.
 */
const NOT_IANA = /^(?:[ABCEIJMNPSV][A-Z]T|SystemV\/.*)$/i
const IANA_IN_SPITE = new Set(['CET', 'EET', 'EST', 'MET', 'MST'])

const TARGETS: ReadonlyMap<string, string> = new Map(
  Object.entries(TIME_ZONE_LINKS).flatMap(([target, links]) => links.map((link) => [link, target])),
)

/** A memo of the names the runtime knows, in lower case; unknown names are not kept. */
const canonicalNames = new Map<string, string>()

/**
 * The one name of a time zone: an IANA name or link in any letter case, canonicalised so that every spelling of a zone gives
 * the same string (`asia/calcutta` and `Asia/Kolkata` give `Asia/Kolkata`; `Etc/UTC`, `Zulu` and `GMT` give `UTC`). Null for
 * anything else: offsets, abbreviations, names the runtime does not know.
 */
export function canonicalTimeZone(name: string): string | null {
  if (!NAME.test(name)) return null
  const key = name.toLowerCase()
  const known = canonicalNames.get(key)
  if (known !== undefined) return known
  if (NOT_IANA.test(name) && !IANA_IN_SPITE.has(name.toUpperCase())) return null
  const resolved = resolveByRuntime(name)
  if (resolved === null) return null
  const canonical = TARGETS.get(resolved) ?? resolved
  canonicalNames.set(key, canonical)
  return canonical
}

function resolveByRuntime(name: string): string | null {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

export { type OffsetChange, offsetAt, offsetTransitions } from './offset'
export { formatInstant, localDate } from './wall-clock'
