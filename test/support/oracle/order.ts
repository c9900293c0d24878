import { measureOf, type OracleDataset } from './dataset'
import type { BreakdownQuestion, Having } from './question'
import type { ExpectedGroup, ExpectedValue, KeyValue } from './source'

type Comparable = KeyValue | ExpectedValue

function compareValues(a: Exclude<Comparable, null>, b: Exclude<Comparable, null>): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  return Number(typeof a === 'object' ? a.near : a) - Number(typeof b === 'object' ? b.near : b)
}

/** Puts what has no value last, in either direction. */
function compare(a: Comparable, b: Comparable, direction: 'ASC' | 'DESC'): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null)
  return direction === 'ASC' ? compareValues(a, b) : compareValues(b, a)
}

/** Sorts groups: by what was asked for (else by the first measure, largest first), then by the dimensions, ascending. */
export function sortGroups(
  dataset: OracleDataset,
  { by, orderBy }: BreakdownQuestion,
  groups: readonly ExpectedGroup[],
): ExpectedGroup[] {
  const [first] = dataset.measures
  const default_ = first === undefined ? [] : [{ field: first.name, direction: 'DESC' } as const]
  const order = [
    ...(orderBy.length > 0 ? orderBy : default_),
    ...by.map((field) => ({ field, direction: 'ASC' }) as const),
  ]
  const read = (group: ExpectedGroup, field: string): Comparable =>
    by.includes(field) ? (group.keys[by.indexOf(field)] ?? null) : (group.measures[field] ?? null)
  return groups.toSorted((a, b) => {
    for (const { field, direction } of order) {
      const difference = compare(read(a, field), read(b, field), direction)
      if (difference !== 0) return difference
    }
    return 0
  })
}

const HOLDS: Readonly<Record<string, (value: number, operand: number) => boolean>> = {
  eq: (value, operand) => value === operand,
  ne: (value, operand) => value !== operand,
  gt: (value, operand) => value > operand,
  gte: (value, operand) => value >= operand,
  lt: (value, operand) => value < operand,
  lte: (value, operand) => value <= operand,
}

/** Whether `having` keeps the group. A value that is missing differs from every number, and compares with none. */
export function isKept(having: Having, group: ExpectedGroup): boolean {
  return Object.entries(having).every(([measure, filter]) =>
    Object.entries(filter).every(([operator, operand]) => {
      const value = group.measures[measure] ?? null
      if (value === null) return operator === 'ne'
      return HOLDS[operator]?.(Number(typeof value === 'object' ? value.near : value), operand) === true
    }),
  )
}

/** Measures that the order or `having` look at, beside those asked for. */
export function measuresBeside(dataset: OracleDataset, { by, orderBy, having }: BreakdownQuestion): string[] {
  const [first] = dataset.measures
  const ordered = orderBy
    .map(({ field }) => field)
    .filter((field) => dataset.measures.some(({ name }) => name === field))
  const names = [...ordered, ...Object.keys(having), ...(first === undefined ? [] : [first.name])]
  return [...new Set(names)].filter((name) => !by.includes(name)).map((name) => measureOf(dataset, name).name)
}
