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
    return this.add(new Date(instant).toISOString(), 'timestamptz')
  }

  addInstants(instants: readonly number[]): string {
    return this.add(
      instants.map((instant) => new Date(instant).toISOString()),
      'timestamptz[]',
    )
  }
}
