/** Floats are sums in another order: they agree to this share of their size. */
const TOLERANCE = 1e-12

/** Throws, naming the first place, unless two answers hold the same numbers. */
export function assertSameNumbers(actual: unknown, expected: unknown, path = 'answer'): void {
  if (typeof actual === 'object' && typeof expected === 'object' && actual !== null && expected !== null) {
    const names = new Set([...Object.keys(actual), ...Object.keys(expected)])
    for (const name of names) {
      assertSameNumbers(Reflect.get(actual, name), Reflect.get(expected, name), `${path}.${name}`)
    }
    return
  }
  const isSame =
    typeof actual === 'number' && typeof expected === 'number'
      ? Math.abs(actual - expected) <= TOLERANCE * Math.abs(expected)
      : actual === expected
  if (!isSame) throw new Error(`${path} is ${String(actual)} from the rollups and ${String(expected)} from the source`)
}
