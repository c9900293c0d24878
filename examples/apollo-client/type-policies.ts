import type { FieldPolicy, TypePolicies } from '@apollo/client/cache'

/**
 * Lays one answer over another to the same question, which asked for other fields. Lists hold the same things in the
 * same order. What contradicts the earlier answer replaces it: the dataset has changed in between.
 */
function layOver(existing: unknown, incoming: unknown): unknown {
  if (Array.isArray(existing) && Array.isArray(incoming)) {
    return incoming.map((item, index) => layOver(existing[index], item))
  }
  if (!isObject(existing) || !isObject(incoming) || contradicts(incoming, existing)) return incoming
  const laid = Object.entries(incoming).map(([name, value]) => [name, layOver(existing[name], value)])
  return { ...existing, ...Object.fromEntries(laid) }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function contradicts(
  incoming: Readonly<Record<string, unknown>>,
  existing: Readonly<Record<string, unknown>>,
): boolean {
  return Object.entries(incoming).some(
    ([name, value]) => typeof value !== 'object' && Object.hasOwn(existing, name) && existing[name] !== value,
  )
}

const part: FieldPolicy = { merge: layOver }

/** Apollo Client's `typePolicies` for the given dataset classes: `createTypePolicies('Flights')`. */
export function createTypePolicies(...classNames: readonly string[]): TypePolicies {
  const reports = classNames.map((className) => [
    `${className}Report`,
    { keyFields: ['id'], fields: { meta: part, totals: part, series: part, breakdown: part, compare: part } },
  ])
  return {
    DatasetInfo: { keyFields: ['name'], fields: { dimensions: part, measures: part, refresh: part } },
    ...Object.fromEntries(reports),
  }
}
