/** Postgres cuts names at 63 bytes; what remains is for a number that tells two apart. */
const LONGEST = 60

/** Columns that every rollup or every table has. */
export const TAKEN_COLUMNS = ['bucket', 'tableoid', 'xmin', 'xmax', 'cmin', 'cmax', 'ctid'] as const

/** Returns the wanted name, shortened and numbered so that it is not among the taken ones, and takes it. */
export function takeColumn(wanted: string, taken: Set<string>): string {
  let column = wanted.slice(0, LONGEST)
  for (let number = 2; taken.has(column); number += 1) {
    const suffix = `_${number}`
    column = wanted.slice(0, LONGEST - suffix.length) + suffix
  }
  taken.add(column)
  return column
}
