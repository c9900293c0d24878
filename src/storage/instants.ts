import { writeInstant } from './parameters'

/** SQL of an instant as epoch milliseconds; infinite ones come back infinite. */
export function epochOf(expression: string): string {
  return `(extract(epoch from ${expression}) * 1000)::double precision`
}

/** The number that such an expression gave; null for SQL's null. */
export function readNumber(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value)
}

/** The text of an instant, which may be infinite, for a parameter. */
export function instantText(instant: number | null): string | null {
  if (instant === null || Number.isFinite(instant)) return instant === null ? null : writeInstant(instant)
  return instant > 0 ? 'infinity' : '-infinity'
}
