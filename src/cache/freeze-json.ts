import { isPlainObject } from './canonical-json'

const SLOT_BYTES = 8
const OBJECT_BYTES = 48
const STRING_BYTES = 24

/**
 * Freezes a JSON value, deeply, and estimates the bytes it takes in memory. Null for what is not exactly JSON
 * (`undefined`, dates, NaN, bigints, …): such a value would come back from Redis as something else. Cycles throw.
 */
export function freezeJson(value: unknown): number | null {
  if (value === null || typeof value === 'boolean') return SLOT_BYTES
  if (typeof value === 'number') return Number.isFinite(value) ? SLOT_BYTES : null
  if (typeof value === 'string') return STRING_BYTES + 2 * value.length
  if (typeof value !== 'object') return null
  if (!Array.isArray(value) && !isPlainObject(value)) return null
  let bytes = OBJECT_BYTES
  // Array.from visits the holes of a sparse list, which JSON does not have.
  for (const member of Array.isArray(value) ? Array.from<unknown>(value) : Object.values(value)) {
    const size = freezeJson(member)
    if (size === null) return null
    bytes += SLOT_BYTES + size
  }
  if (!Array.isArray(value)) bytes += SLOT_BYTES * Object.keys(value).length
  Object.freeze(value)
  return bytes
}
