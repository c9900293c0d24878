import { createHash } from 'node:crypto'
import { canonicalJson } from '../cache/canonical-json'
import { formatVersion } from '../cache/version'
import type { Definition } from '../dataset/definition'
import type { VersionedState } from '../storage/layouts'
import {
  type Breakdown,
  type ComparisonAnswer,
  type Measures,
  type Meta,
  type Point,
  type ReportAnswer,
  type Settled,
  settle,
} from './answer'
import { evaluateBreakdown } from './evaluate-breakdown'
import type { Frame } from './frame'
import { type LoadPart, planSeries, planTotals, seriesBoundaries } from './part-plan'
import { createPointMaker, nameValues } from './points'
import type { CompareRequest, ReportRequest, SeriesRequest } from './request'
import { type Asking, readSubject, type Subject, shiftSubject } from './subject'

export async function evaluateTotals(subject: Subject, measures: readonly string[], load: LoadPart): Promise<Measures> {
  return nameValues(subject, measures, (await load(planTotals(subject, measures))).values)
}

export async function evaluateSeries(subject: Subject, request: SeriesRequest, load: LoadPart): Promise<Point[]> {
  const boundaries = seriesBoundaries(subject, request.granularity)
  const planned = planSeries(subject, request, boundaries)
  if (boundaries.length === 0) return []
  const { rows } = await load(planned)
  return createPointMaker(subject, request, boundaries)(rows)
}

function metaOf(frame: Frame, state: VersionedState): Meta {
  return {
    from: frame.format(frame.from),
    to: frame.format(frame.to),
    timezone: frame.timezone,
    version: formatVersion(state.version),
    dataAsOf: state.data.dataAsOf === null ? null : new Date(state.data.dataAsOf).toISOString(),
    stale: false,
  }
}

async function evaluateComparison(
  subject: Subject,
  request: CompareRequest,
  state: VersionedState,
  load: LoadPart,
): Promise<ComparisonAnswer> {
  const earlier = shiftSubject(subject, request.to)
  const { totals } = request
  const [totalsAnswer, series] = await Promise.all([
    totals === null ? null : settle(() => evaluateTotals(earlier, totals, load)),
    Promise.all(request.series.map((one) => settle(() => evaluateSeries(earlier, one, load)))),
  ])
  return { meta: metaOf(earlier.frame, state), totals: totalsAnswer, series }
}

/**
 * Answers a report from one state of its layout. A part that fails is settled as failed and leaves the others alone.
 *
 * @throws BadInputError for the arguments that all parts share.
 */
export async function evaluateReport(
  definition: Definition,
  request: ReportRequest,
  state: VersionedState,
  asking: Asking,
  load: LoadPart,
): Promise<ReportAnswer> {
  const subject = readSubject(definition, request, state, asking)
  const { frame } = subject
  const [totals, series, breakdowns, compares]: [
    Settled<Measures> | null,
    Settled<Point[]>[],
    Settled<Breakdown>[],
    Settled<ComparisonAnswer>[],
  ] = await Promise.all([
    request.totals === null ? null : settle(() => evaluateTotals(subject, request.totals ?? [], load)),
    Promise.all(request.series.map((one) => settle(() => evaluateSeries(subject, one, load)))),
    Promise.all(request.breakdowns.map((one) => settle(() => evaluateBreakdown(subject, one, load)))),
    Promise.all(request.compares.map((one) => settle(() => evaluateComparison(subject, one, state, load)))),
  ])
  const identity = canonicalJson([
    definition.hash,
    definition.meaning,
    // A comparison goes back by other steps for each kind of range.
    frame.range,
    frame.from,
    frame.to,
    frame.timezone,
    subject.where,
    subject.scope.key,
    formatVersion(state.version),
  ])
  return {
    id: createHash('sha256').update(identity).digest('base64url').slice(0, 27),
    meta: metaOf(frame, state),
    totals,
    series,
    breakdowns,
    compares,
  }
}
