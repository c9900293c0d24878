/**
 * The one JSON text of a value: keys sorted by code unit, properties that are `undefined` left out, no white space.
 * Two values have the same text if and only if they are the same JSON: 1 differs from "1" and null from absent, and
 * strings are kept as they are (no Unicode normalisation). Throws a TypeError, with the path, on whatever JSON cannot
 * say: functions, symbols, bigints, NaN, ±Infinity, `undefined` in a list, cycles and objects that are not plain.
 */
export function canonicalJson(value: unknown): string {
  // Where something lies is asked only when it is no JSON.
  return writeQuickly(value, 0) ?? write(value, '$', [])
}

/** Deeper values are looked at for cycles. */
const DEEPEST = 100

/** The same text; null when it is not JSON, or may not be. */
function writeQuickly(value: unknown, depth: number): string | null {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : null
  if (typeof value !== 'object' || depth > DEEPEST) return null
  let text = ''
  if (Array.isArray(value)) {
    for (const item of value) {
      const written = writeQuickly(item, depth + 1)
      if (written === null) return null
      text += text === '' ? written : `,${written}`
    }
    return `[${text}]`
  }
  if (!isPlainObject(value)) return null
  for (const name of Object.keys(value).sort()) {
    const member: unknown = Reflect.get(value, name)
    if (member === undefined) continue
    const written = writeQuickly(member, depth + 1)
    if (written === null) return null
    text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${written}`
  }
  return `{${text}}`
}

function write(value: unknown, path: string, parents: readonly object[]): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value)
  if (typeof value === 'function') throw new TypeError(`${path} is not JSON: a function`)
  if (typeof value !== 'object') throw new TypeError(`${path} is not JSON: ${String(value)}`)
  if (parents.includes(value)) throw new TypeError(`${path} is not JSON: it contains itself`)
  const inside = [...parents, value]
  if (Array.isArray(value)) {
    // Array.from visits the holes of a sparse list, which are not JSON either.
    return `[${Array.from(value, (item: unknown, index) => write(item, `${path}[${index}]`, inside)).join(',')}]`
  }
  if (!isPlainObject(value))
    throw new TypeError(`${path} is not JSON: ${value.constructor?.name ?? 'an exotic object'}`)
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${write(member, `${path}.${name}`, inside)}`)
  return `{${members.join(',')}}`
}

/** Whether the object is a literal: made by `{}`, `Object.create(null)` or JSON.parse, in this realm or another. */
export function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
