import type { Definition } from '../dataset/definition'
import { BadInputError } from '../errors'
import type { VersionedState } from '../storage/layouts'
import { countBuckets } from '../time/buckets'
import { isMadeOf } from '../time/granularity'
import { plannedEnd } from './part-plan'
import type { ReportRequest, SeriesRequest } from './request'
import { type Asking, readSubject, type Subject, shiftSubject } from './subject'

function countSeries({ definition, frame, state }: Subject, series: readonly SeriesRequest[]): number {
  const end = plannedEnd(state, frame)
  return series
    .filter(({ granularity }) => isMadeOf(granularity, definition.granularity))
    .reduce(
      (sum, { granularity, occurrences }) => sum + occurrences * countBuckets(frame.from, end, granularity, frame.zone),
      0,
    )
}

/**
 * Counts the points that a report may answer with, before anything is read: those under groups as often as the page may
 * have groups, and each as often as it is written out. A report whose arguments are wrong counts nothing: it is refused for
 * that.
 */
export function countPoints(
  definition: Definition,
  request: ReportRequest,
  state: VersionedState,
  asking: Asking,
): number {
  try {
    const subject = readSubject(definition, request, state, asking)
    const own = countSeries(subject, request.series)
    const compared = request.compares.map(({ to, series }) => countSeries(shiftSubject(subject, to), series))
    const grouped = request.breakdowns.map(
      ({ first, series, other }) =>
        Math.max(first, 0) * countSeries(subject, series) + countSeries(subject, other?.series ?? []),
    )
    return [own, ...compared, ...grouped].reduce((sum, count) => sum + count, 0)
  } catch (error) {
    if (error instanceof BadInputError) return 0
    throw error
  }
}
