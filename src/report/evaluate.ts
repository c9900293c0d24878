import { hash } from 'node:crypto'
import { canonicalJson } from '../cache/canonical-json'
import { newestChange } from '../cache/history'
import type { Pinned } from '../cache/topic-state'
import { formatVersion, type Version } from '../cache/version'
import type { Definition } from '../dataset/definition'
import type { LayoutState } from '../storage/layouts'
import { ALWAYS, type Stretch } from '../time/stretch'
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
import { basisOf, stretchOf } from './basis'
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

/** What was shown that may be older than it should be: there was nothing newer to be had. */
export interface Older {
  /** Null: nothing is known to have changed since. */
  readonly version: Version | null
  readonly asOf: number | null
}

/** The version of what is shown of a stretch: the newest change inside of it. */
function versionOf(stretch: Stretch, { version, history }: Pinned<LayoutState>, older: Older | null): string {
  return formatVersion(older?.version ?? newestChange(history, [stretch]) ?? version)
}

function metaOf(frame: Frame, state: Pinned<LayoutState>, older: Older | null): Meta {
  const asOf = older === null ? state.data.dataAsOf : older.asOf
  return {
    from: frame.format(frame.from),
    to: frame.format(frame.to),
    timezone: frame.timezone,
    version: versionOf(stretchOf(frame), state, older),
    dataAsOf: asOf === null ? null : new Date(asOf).toISOString(),
    stale: older !== null,
  }
}

async function evaluateComparison(
  subject: Subject,
  request: CompareRequest,
  load: LoadPart,
): Promise<Omit<ComparisonAnswer, 'meta'> & { readonly frame: Frame }> {
  const earlier = shiftSubject(subject, request.to)
  const { totals } = request
  const [totalsAnswer, series] = await Promise.all([
    totals === null ? null : settle(() => evaluateTotals(earlier, totals, load)),
    Promise.all(request.series.map((one) => settle(() => evaluateSeries(earlier, one, load)))),
  ])
  return { frame: earlier.frame, totals: totalsAnswer, series }
}

/** The earlier ranges that a report compares with, for all of it or for its groups. */
function listEarlier(subject: Subject, { compares, breakdowns }: ReportRequest): Frame[] {
  const all = [...compares, ...breakdowns.flatMap((breakdown) => breakdown.compares)]
  return [...new Set(all.map(({ to }) => to))].flatMap((to) => {
    try {
      return [shiftSubject(subject, to).frame]
    } catch {
      // What cannot be compared with fails where it is asked for, and an answer with a failure is not kept.
      return []
    }
  })
}

/**
 * Answers a report from one state of its layout. A part that fails is settled as failed and leaves the others alone.
 * `readOlder` tells, once all parts are loaded, the oldest that any of them showed; null: all show the state.
 *
 * @throws BadInputError for the arguments that all parts share.
 */
export async function evaluateReport(
  definition: Definition,
  request: ReportRequest,
  state: Pinned<LayoutState>,
  asking: Asking,
  load: LoadPart,
  readOlder: () => Older | null,
): Promise<ReportAnswer> {
  const subject = readSubject(definition, request, state, asking)
  const { frame } = subject
  const [totals, series, breakdowns, compares]: [
    Settled<Measures> | null,
    Settled<Point[]>[],
    Settled<Breakdown>[],
    Settled<Awaited<ReturnType<typeof evaluateComparison>>>[],
  ] = await Promise.all([
    request.totals === null ? null : settle(() => evaluateTotals(subject, request.totals ?? [], load)),
    Promise.all(request.series.map((one) => settle(() => evaluateSeries(subject, one, load)))),
    Promise.all(request.breakdowns.map((one) => settle(() => evaluateBreakdown(subject, one, load)))),
    Promise.all(request.compares.map((one) => settle(() => evaluateComparison(subject, one, load)))),
  ])
  // Known only now: any part may have been the one that could not be had.
  const older = readOlder()
  const frames = [frame, ...listEarlier(subject, request)]
  // All that a comparison goes back to lies before the end, so this says for each of them whether it is the same.
  const before = { from: ALWAYS.from, to: stretchOf(frame).to }
  const identify = () => {
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
      versionOf(before, state, older),
    ])
    return hash('sha256', identity, 'base64url').slice(0, 27)
  }
  return {
    identify,
    meta: metaOf(frame, state, older),
    totals,
    series,
    breakdowns,
    compares: compares.map((compare) => {
      if (!compare.isOk) return compare
      const { frame: earlier, ...answer } = compare.value
      return { isOk: true, value: { ...answer, meta: metaOf(earlier, state, older) } }
    }),
    basis: basisOf(definition, frames, asking.clock),
  }
}
