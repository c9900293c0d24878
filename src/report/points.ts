import type { Definition } from '../dataset/definition'
import type { SeriesRows, Value } from '../storage/part'
import { isCalendar } from '../time/granularity'
import { formatInstant } from '../time/time-zone'
import type { Measures, Point } from './answer'
import type { SeriesRequest } from './request'
import type { Subject } from './subject'

/** Gives the function that names values. An instant is written with the offset of the report's zone, to the millisecond. */
function createNamer(
  { definition, frame }: Pick<Subject, 'definition' | 'frame'>,
  measures: readonly string[],
): (values: readonly Value[]) => Measures {
  const instants = new Set(
    definition.measures.filter(({ algebra }) => algebra.type === 'DateTime').map((measure) => measure.name),
  )
  const write = (name: string, value: Value): Value =>
    typeof value === 'number' && instants.has(name) ? formatInstant(Math.floor(value), frame.timezone) : value
  return (values) => {
    const named: Record<string, Value> = {}
    for (const [index, name] of measures.entries()) named[name] = write(name, values[index] ?? null)
    return named
  }
}

/** Names the values of a part. */
export function nameValues(
  subject: Pick<Subject, 'definition' | 'frame'>,
  measures: readonly string[],
  values: readonly Value[],
): Measures {
  return createNamer(subject, measures)(values)
}

/** The measures of nothing: 0 for counts and sums, null for the rest. */
export function emptyMeasures(definition: Definition, measures: readonly string[]): Measures {
  const isNullable = (name: string) => definition.measures.find((measure) => measure.name === name)?.algebra.nullable
  return Object.fromEntries(measures.map((name) => [name, isNullable(name) ? null : 0]))
}

/** Makes the points of series that share their buckets, from rows of buckets. */
export type PointMaker = (rows: SeriesRows['rows']) => Point[]

/**
 * Prepares the points of one or more series over the same buckets. With `fill`, buckets without rows are added with the
 * measures of nothing, but none that starts after now.
 *
 * @param boundaries n + 1 instants that bound n buckets
 */
export function createPointMaker(
  subject: Pick<Subject, 'definition' | 'frame'>,
  series: SeriesRequest,
  boundaries: readonly number[],
): PointMaker {
  const { definition, frame } = subject
  const { measures, fill, granularity } = series
  const empty = emptyMeasures(definition, measures)
  const name = createNamer(subject, measures)
  const texts = boundaries.map((boundary) => frame.format(boundary))
  const dates = isCalendar(granularity) ? boundaries.map((boundary) => frame.date(boundary)) : null
  const end = Math.min(frame.to, frame.now)
  return (rows) => {
    const byBucket = new Map(rows)
    const points: Point[] = []
    for (let index = 0; index < boundaries.length - 1; index++) {
      const values = byBucket.get(index)
      const from = boundaries[index] ?? 0
      const to = boundaries[index + 1] ?? from
      if (values === undefined && !(fill && from <= frame.now)) continue
      points.push({
        start: texts[index] ?? '',
        end: texts[index + 1] ?? '',
        date: dates?.[index] ?? null,
        partial: from < frame.from || to > end,
        measures: values === undefined ? empty : name(values),
      })
    }
    return points
  }
}
