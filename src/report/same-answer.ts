/** Relative; sums of floats differ by far less, however they are added up. */
const TOLERANCE = 1e-9
/** A decimal text of as many digits is that of a float, whose last digits are noise. */
const DIGITS_OF_FLOATS = 16

/**
 * Whether two readings of one version of the data agree: the same JSON, but for fractions, which may differ in their last
 * digits, since those depend on the order in which Postgres added floats up.
 */
export function isSameAnswer(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true
  if (typeof one === 'number' && typeof other === 'number') {
    return one === other || (!(Number.isSafeInteger(one) && Number.isSafeInteger(other)) && areNear(one, other))
  }
  if (typeof one === 'string' && typeof other === 'string') {
    return (isFloat(one) || isFloat(other)) && areNear(Number(one), Number(other))
  }
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false
  if (Array.isArray(one) !== Array.isArray(other)) return false
  const members = membersOf(one)
  return (
    members.length === membersOf(other).length &&
    members.every(([name, value]) => Object.hasOwn(other, name) && isSameAnswer(value, Reflect.get(other, name)))
  )
}

/** JSON has no property without a value. */
function membersOf(value: object): readonly [string, unknown][] {
  return Object.entries(value).filter(([, member]) => member !== undefined)
}

function isFloat(text: string): boolean {
  const match = /^-?(\d+)(?:\.(\d+))?(?:e[+-]?\d+)?$/i.exec(text)
  if (match === null || !/[.e]/i.test(text)) return false
  return `${match[1]}${match[2] ?? ''}`.replace(/^0+/, '').length >= DIGITS_OF_FLOATS
}

/** False for what is no number. */
function areNear(one: number, other: number): boolean {
  return Math.abs(one - other) <= TOLERANCE * Math.max(Math.abs(one), Math.abs(other))
}
