import { canonicalJson } from '../cache/canonical-json'
import type { Question } from '../cache/question'
import { IMPLIED_DIMENSIONS, isImplied } from '../dataset/implied-dimension'
import { BadInputError } from '../errors'
import type { LayoutState } from '../storage/layouts'
import type { BreakdownPart, KeyValue, Part, PartRows, Position, Slice } from '../storage/part'
import { layoutId } from '../storage/rollup-table'
import { bucketBoundaries } from '../time/buckets'
import type { Granularity } from '../time/granularity'
import type { Stretch } from '../time/stretch'
import { offsetTransitions } from '../time/time-zone'
import { stretchOf } from './basis'
import { chooseRollup, firstBucket, type Need } from './choose-rollup'
import { dimensionsOfCondition } from './filter'
import { checkZone, type Frame } from './frame'
import type { BreakdownPlan } from './plan-breakdown'
import type { SeriesRequest } from './request'
import type { Subject } from './subject'

/** A part ready to be read, and the question it is the answer to, for the cache. */
export interface PlannedPart<P extends Part> {
  readonly part: P
  readonly question: Question
  /** The part depends on nothing outside of this stretch of its dataset. */
  readonly stretch: Stretch
  /** Seconds until nobody asks this any more, because a relative range moves on; undefined for a range that stands still. */
  readonly ttlSeconds: number | undefined
}

/** Gives the rows of a part, from wherever they are. */
export type LoadPart = <P extends Part>(planned: PlannedPart<P>) => Promise<PartRows<P>>

/** Instants beyond which no bucket can have rows or be filled: there is nothing to compute there. */
export function plannedEnd(state: LayoutState, frame: Frame): number {
  return Math.min(frame.to, Math.max(frame.now + 1, state.dataTo ?? frame.now + 1))
}

/** The boundaries of a series' buckets: n + 1 instants, none when the range is empty. */
export function seriesBoundaries(subject: Subject, granularity: Granularity): number[] {
  const { frame, state } = subject
  return bucketBoundaries(frame.from, plannedEnd(state, frame), granularity, frame.zone)
}

function unitsOf(names: readonly string[]): Granularity[] {
  return [...new Set(names.filter(isImplied).map((name) => IMPLIED_DIMENSIONS[name].needs))]
}

/** Dimensions, declared and implied, that a part groups or filters by. */
function namesOf({ definition, where }: Subject, by: readonly string[]): string[] {
  return [...new Set([...by, ...dimensionsOfCondition(where), ...Object.keys(definition.scope)])]
}

/**
 * What a part needs of a rollup that groups by the given dimensions, cut into buckets or not.
 *
 * @throws BadInputError when the range does not allow for units of time.
 */
export function needOf(subject: Subject, by: readonly string[], granularity: Granularity | null): Need {
  const { definition, frame } = subject
  const names = namesOf(subject, by)
  const units = [...new Set([...unitsOf(names), ...(granularity === null ? [] : [granularity])])]
  if (units.length > 0) checkZone(definition, frame)
  return { dimensions: names.filter((name) => !isImplied(name)), units, frame }
}

function sliceOf(subject: Subject, by: readonly string[], granularity: Granularity | null): Slice {
  const { definition, state, frame, where } = subject
  const rollup = chooseRollup(definition, state, needOf(subject, by, granularity))
  const needsOffsets = namesOf(subject, by).some(isImplied)
  const offsets = needsOffsets ? offsetTransitions(frame.zone, firstBucket(rollup, frame), frame.span.to) : []
  return {
    definition,
    layout: layoutId(definition),
    rollup,
    rows: state.rows[rollup.index] ?? Number.POSITIVE_INFINITY,
    from: frame.readFrom,
    to: frame.readTo,
    offsets,
    where,
  }
}

/** Joins a part with the question that it answers, whatever rollup it is read from. */
function planPart<P extends Part>(subject: Subject, part: P, content: object): PlannedPart<P> {
  const { definition, frame, where, scope } = subject
  const text = canonicalJson({
    part: part.kind,
    range: [frame.from, frame.to, frame.readFrom === null],
    span: [frame.span.from, frame.span.to],
    zone: frame.zone,
    where,
    meaning: definition.meaning,
    ...content,
  })
  return {
    part,
    question: { group: definition.name, topic: layoutId(definition), scope: scope.key, text },
    stretch: stretchOf(frame),
    ttlSeconds: frame.movesAt === null ? undefined : Math.max(1, frame.until(frame.movesAt) / 1000),
  }
}

export function planTotals(
  subject: Subject,
  measures: readonly string[],
): PlannedPart<Extract<Part, { kind: 'totals' }>> {
  return planPart(subject, { kind: 'totals', slice: sliceOf(subject, [], null), measures }, { measures })
}

export function planSeries(
  subject: Subject,
  request: SeriesRequest,
  boundaries: readonly number[],
): PlannedPart<Extract<Part, { kind: 'series' }>> {
  const { granularity, measures } = request
  const slice = sliceOf(subject, [], granularity)
  const end = boundaries.at(-1) ?? null
  return planPart(subject, { kind: 'series', slice, measures, boundaries }, { measures, granularity, end })
}

export function planBreakdown(
  subject: Subject,
  plan: BreakdownPlan,
  measures: readonly string[],
  other: readonly string[] | null,
): PlannedPart<BreakdownPart> {
  const slice = sliceOf(subject, plan.by, null)
  return planPart(subject, { kind: 'breakdown', slice, measures, other, ...plan }, { measures, other, ...plan })
}

/** The groups of a page: as totals, or with a granularity as series. */
export function planGroups(
  subject: Subject,
  by: readonly string[],
  keys: readonly (readonly KeyValue[])[],
  measures: readonly string[],
  series: { readonly granularity: Granularity; readonly boundaries: readonly number[] } | null,
): PlannedPart<Extract<Part, { kind: 'groups' }>> {
  const slice = sliceOf(subject, by, series?.granularity ?? null)
  const end = series?.boundaries.at(-1) ?? null
  const part = { kind: 'groups', slice, by, keys, measures, boundaries: series?.boundaries ?? null } as const
  return planPart(subject, part, { by, keys, measures, granularity: series?.granularity, end })
}

export function planOtherSeries(
  subject: Subject,
  plan: BreakdownPlan,
  request: SeriesRequest,
  boundaries: readonly number[],
): PlannedPart<Extract<Part, { kind: 'otherSeries' }>> {
  const { granularity, measures } = request
  const slice = sliceOf(subject, plan.by, granularity)
  const pageSlice = sliceOf(subject, plan.by, null)
  const breakdown: BreakdownPart = { kind: 'breakdown', slice: pageSlice, measures: [], other: null, ...plan }
  const end = boundaries.at(-1) ?? null
  const part = { kind: 'otherSeries', slice, breakdown, measures, boundaries } as const
  return planPart(subject, part, { measures, granularity, end, ...plan })
}

/** Refuses a cursor whose values Postgres could not read: it was made up. */
export function refuseCursor(after: Position | null, code: string | undefined): void {
  if (after !== null && code?.startsWith('22')) {
    throw new BadInputError('after', '"after" is not a cursor of this question. Begin again without "after".')
  }
}
