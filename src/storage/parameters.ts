/** Writes an instant, given in epoch milliseconds, as Postgres reads it: ISO 8601 within the years 1 to 9999. */
export function writeInstant(instant: number): string {
  const date = new Date(instant)
  const text = date.toISOString()
  const year = date.getUTCFullYear()
  if (year > 0 && year <= 9999) return text
  // Zones east of Greenwich begin the year 1, and zones west of it end the year 9999, in a year that ISO 8601 writes with a
  // sign or as 0000, which Postgres does not read.
  const rest = text.slice(text.indexOf('-', 1))
  return year > 0 ? `${String(year).padStart(4, '0')}${rest}` : `${String(1 - year).padStart(4, '0')}${rest} BC`
}

/** Collects the parameters of one statement: a value never becomes part of the SQL text. */
export class Parameters {
  readonly values: unknown[] = []
  readonly #places = new Map<string, string>()

  /** Returns the placeholder of a value, with its SQL type: `$3::text`. Equal values share a place. */
  add(value: unknown, sqlType: string): string {
    const identity = `${sqlType}:${JSON.stringify(value)}`
    const known = this.#places.get(identity)
    if (known !== undefined) return known
    this.values.push(value)
    const place = `$${this.values.length}::${sqlType}`
    this.#places.set(identity, place)
    return place
  }

  /** An instant, given in epoch milliseconds. */
  addInstant(instant: number): string {
    return this.add(writeInstant(instant), 'timestamptz')
  }

  addInstants(instants: readonly number[]): string {
    return this.add(instants.map(writeInstant), 'timestamptz[]')
  }
}
