import type { Definition } from '../dataset/definition'
import type { SeriesRows, Value } from '../storage/part'
import { isCalendar } from '../time/granularity'
import type { Measures, Point } from './answer'
import type { Frame } from './frame'
import type { SeriesRequest } from './request'

/** Names the values of a part. */
export function nameValues(measures: readonly string[], values: readonly Value[]): Measures {
  return Object.fromEntries(measures.map((name, index) => [name, values[index] ?? null]))
}

/** The measures of nothing: 0 for counts and sums, null for the rest. */
export function emptyMeasures(definition: Definition, measures: readonly string[]): Measures {
  return nameValues(
    measures,
    measures.map((name) => (definition.measures.find((measure) => measure.name === name)?.algebra.nullable ? null : 0)),
  )
}

/**
 * Turns rows of buckets into points. With `fill`, buckets without rows are added with the measures of nothing, but none
 * that starts after now.
 *
 * @param boundaries n + 1 instants that bound n buckets
 */
export function toPoints(
  definition: Definition,
  frame: Frame,
  series: SeriesRequest,
  measures: readonly string[],
  boundaries: readonly number[],
  rows: SeriesRows['rows'],
): Point[] {
  const byBucket = new Map(rows)
  const empty = emptyMeasures(definition, measures)
  const end = Math.min(frame.to, frame.now)
  return boundaries.slice(0, -1).flatMap((start, index) => {
    const values = byBucket.get(index)
    if (values === undefined && (!series.fill || start > frame.now)) return []
    const next = boundaries[index + 1] ?? start
    return [
      {
        start: frame.format(start),
        end: frame.format(next),
        date: isCalendar(series.granularity) ? frame.date(start) : null,
        partial: start < frame.from || next > end,
        measures: values === undefined ? empty : nameValues(measures, values),
      },
    ]
  })
}
