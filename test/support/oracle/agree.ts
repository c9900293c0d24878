/** Stands for a part that no rollup covers: null in the answer, and an error at its path. */
export const REFUSED = Symbol('refused')

function isNear(value: object): value is { readonly near: number; readonly slack: number } {
  return 'near' in value && 'slack' in value
}

/** Throws at the first place where an answer differs from what is expected; returns the paths of refused parts. */
export function agree(expected: unknown, actual: unknown, path: string): string[] {
  const differ = (): never => {
    throw new Error(`${path}: expected ${JSON.stringify(expected)}, but the answer is ${JSON.stringify(actual)}`)
  }
  if (expected === REFUSED) return actual === null ? [path] : differ()
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) {
      const count = Array.isArray(actual) ? `${actual.length} items: ` : ''
      throw new Error(
        `${path}: expected ${expected.length} items, but the answer is ${count}${JSON.stringify(actual)?.slice(0, 2000)}`,
      )
    }
    return expected.flatMap((each, index) => agree(each, actual[index], `${path}.${index}`))
  }
  if (typeof expected !== 'object' || expected === null) {
    return Object.is(expected, actual) || (expected === 0 && actual === 0) ? [] : differ()
  }
  if (isNear(expected)) {
    return typeof actual === 'number' && Math.abs(actual - expected.near) <= expected.slack ? [] : differ()
  }
  if (typeof actual !== 'object' || actual === null) return differ()
  return Object.entries(expected).flatMap(([name, each]) => agree(each, Reflect.get(actual, name), `${path}.${name}`))
}
