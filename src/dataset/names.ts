/** Splits a name at capitals and underscores: `HTTPRequests` → `HTTP`, `Requests`. */
function wordsOf(name: string): readonly string[] {
  return name.match(/[A-Z]{2,}(?![a-z])[0-9]*|[A-Z]?[a-z0-9]+|[A-Z]/g) ?? [name]
}

/** Whether GraphQL accepts the name for a field of ours. Names that start with two underscores are its own. */
export function isGraphqlName(name: string): boolean {
  return /^(?!__)[_A-Za-z][_0-9A-Za-z]*$/.test(name)
}

/** Returns the query's name of a class: `Flights` → `flights`, `HTTPRequests` → `httpRequests`. */
export function queryName(className: string): string {
  return className.replace(/^[A-Z]+(?=[A-Z][a-z])|^[A-Z]+/, (capitals) => capitals.toLowerCase())
}

/** Returns the enum value of a field: upper case, an underscore before each capital: `p95Delay` → `P95_DELAY`. */
export function enumValueName(name: string): string {
  return name.replace(/(?<!^)[A-Z]/g, (capital) => `_${capital}`).toUpperCase()
}

/** Returns the name in the manner of SQL: `averageDelay` → `average_delay`, `tenantID` → `tenant_id`. */
export function snakeCase(name: string): string {
  return wordsOf(name).join('_').toLowerCase()
}

/** Returns the name as people would write it: `delayedFlights` → `Delayed flights`, `HTTPRequests` → `HTTP requests`. */
export function humanise(name: string): string {
  const text = wordsOf(name)
    .map((word) => (/^[A-Z][A-Z0-9]+$/.test(word) ? word : word.toLowerCase()))
    .join(' ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}
