import { canonicalJson } from '../cache/canonical-json'
import type { BreakdownRows, KeyValue, Value } from '../storage/part'
import { codeOf } from '../storage/postgres-errors'
import type { Breakdown, Group, Measures, Point, Settled } from './answer'
import { settle } from './answer'
import { encodeCursor } from './cursor'
import { type LoadPart, planBreakdown, planGroups, planOtherSeries, refuseCursor, seriesBoundaries } from './part-plan'
import { type BreakdownPlan, readBreakdown } from './plan-breakdown'
import { createPointMaker, emptyMeasures, nameValues } from './points'
import type { BreakdownRequest, SeriesRequest } from './request'
import { type Subject, shiftSubject } from './subject'

type Keys = readonly (readonly KeyValue[])[]

/** The series of every group of a page, from one query. */
async function evaluateGroupSeries(
  subject: Subject,
  by: readonly string[],
  keys: Keys,
  request: SeriesRequest,
  load: LoadPart,
): Promise<Point[][]> {
  const boundaries = seriesBoundaries(subject, request.granularity)
  const { granularity, measures } = request
  const planned = planGroups(subject, by, keys, measures, { granularity, boundaries })
  const rows = keys.length === 0 || boundaries.length === 0 ? [] : (await load(planned)).rows
  const byGroup: [number, readonly Value[]][][] = keys.map(() => [])
  for (const [group, bucket, values] of rows) byGroup[group]?.push([bucket, values])
  return byGroup.map(createPointMaker(subject, request, boundaries))
}

/** The measures of every group of a page over the earlier range, from one query. */
async function evaluateGroupCompare(
  subject: Subject,
  by: readonly string[],
  keys: Keys,
  request: BreakdownRequest['compares'][number],
  load: LoadPart,
): Promise<Measures[]> {
  const earlier = shiftSubject(subject, request.to)
  const planned = planGroups(earlier, by, keys, request.measures, null)
  const rows = keys.length === 0 ? [] : (await load(planned)).rows
  const byGroup = new Map(rows.map(([group, , values]) => [group, values]))
  return keys.map((_, index) => {
    const values = byGroup.get(index)
    return values === undefined
      ? emptyMeasures(subject.definition, request.measures)
      : nameValues(earlier, request.measures, values)
  })
}

async function evaluateOtherSeries(
  subject: Subject,
  plan: BreakdownPlan,
  request: SeriesRequest,
  load: LoadPart,
): Promise<Point[]> {
  const boundaries = seriesBoundaries(subject, request.granularity)
  const planned = planOtherSeries(subject, plan, request, boundaries)
  const rows = boundaries.length === 0 ? [] : (await load(planned)).rows
  return createPointMaker(subject, request, boundaries)(rows)
}

async function loadBreakdown(
  subject: Subject,
  request: BreakdownRequest,
  plan: BreakdownPlan,
  load: LoadPart,
): Promise<BreakdownRows> {
  const planned = planBreakdown(subject, plan, request.measures, request.other === null ? null : request.other.measures)
  try {
    return await load(planned)
  } catch (error) {
    refuseCursor(plan.after, codeOf(error))
    throw error
  }
}

/** One settled part of a page, handed out to its groups. */
function pick<T>(page: Settled<readonly T[]>, index: number): Settled<T> {
  if (!page.isOk) return page
  const value = page.value[index]
  return value === undefined
    ? { isOk: false, error: new Error('A page answered fewer groups than it has') }
    : { isOk: true, value }
}

/** Answers a breakdown: its page first, then everything under its groups with one query each. */
export async function evaluateBreakdown(
  subject: Subject,
  request: BreakdownRequest,
  load: LoadPart,
): Promise<Breakdown> {
  const { plan, binding } = readBreakdown(subject.definition, request, subject)
  const page = await loadBreakdown(subject, request, plan, load)
  const keys = page.groups.map((group) => group.position.key)
  const { by } = plan
  const [series, compares, otherSeries] = await Promise.all([
    Promise.all(request.series.map((one) => settle(() => evaluateGroupSeries(subject, by, keys, one, load)))),
    Promise.all(request.compares.map((one) => settle(() => evaluateGroupCompare(subject, by, keys, one, load)))),
    page.other === null
      ? []
      : Promise.all(
          (request.other?.series ?? []).map((one) => settle(() => evaluateOtherSeries(subject, plan, one, load))),
        ),
  ])
  const groups = page.groups.map(
    ({ position, values }, index): Group => ({
      key: canonicalJson(position.key),
      cursor: encodeCursor(binding, position),
      dimensions: Object.fromEntries(by.map((name, place) => [name, position.key[place] ?? null])),
      measures: nameValues(subject, request.measures, values),
      series: series.map((one) => pick(one, index)),
      compares: compares.map((one) => pick(one, index)),
    }),
  )
  return {
    groups,
    hasNext: page.hasNext,
    hasPrevious: plan.after !== null,
    totalCount: page.totalCount,
    other:
      page.other === null
        ? null
        : { measures: nameValues(subject, request.other?.measures ?? [], page.other), series: otherSeries },
  }
}
