import type { TestDatabase } from '../database'
import { REFUSED } from './agree'
import { bucketAt, bucketsBetween, isClockUnit, startOfDate, writeInstant, zoned } from './calendar'
import { isCovered } from './coverage'
import { measureOf, type OracleDataset } from './dataset'
import { dimensionsOfWhere, whereSql } from './filter'
import { isKept, measuresBeside, sortGroups } from './order'
import type { BreakdownQuestion, Question, SeriesQuestion } from './question'
import { type Comparison, compared, resolve, type Stretch } from './range'
import { aggregate, coveredTime, type ExpectedGroup, type ExpectedMeasures, inGroups, type Rows } from './source'

type Database = Pick<TestDatabase, 'query'>

/** A question over one stretch of time. Instants are on the dataset's own clock: UTC for dates. */
interface Scene {
  readonly database: Database
  readonly dataset: OracleDataset
  readonly question: Question
  readonly stretch: Stretch
  readonly isBounded: boolean
  readonly now: number
  /** Zone in which buckets are computed. */
  readonly zone: string
}

/** A date is shown as the midnight of the report's zone. */
function show({ dataset, question }: Scene, instant: number): string {
  if (!dataset.isDated) return writeInstant(instant, question.zone)
  const date = zoned(instant, 'UTC').toPlainDate()
  return writeInstant(startOfDate(date, question.zone), question.zone)
}

export async function sceneOf(database: Database, dataset: OracleDataset, question: Question): Promise<Scene> {
  const zone = dataset.isDated ? 'UTC' : question.zone
  const clock = zoned(question.now, question.zone).toPlainDateTime()
  const now = dataset.isDated ? clock.toZonedDateTime('UTC').epochMilliseconds : question.now
  const scene = { database, dataset, question, isBounded: question.range !== null, now, zone }
  if (question.range !== null) return { ...scene, stretch: resolve(question.range, zone, now) }
  const covered = await coveredTime(database, dataset)
  const { first, last } = covered ?? { first: now, last: now }
  const from = bucketAt(first, dataset.granularity, 'UTC').start
  const to = covered === null ? from : bucketAt(last, dataset.granularity, 'UTC').end
  return { ...scene, stretch: { from, to } }
}

function earlier(scene: Scene, to: Comparison): Scene {
  const { dataset, question, stretch, zone, now } = scene
  return {
    ...scene,
    stretch: compared(stretch, question.range, to, zone, now, dataset.granularity),
    isBounded: true,
  }
}

function rowsOf({ dataset, question, stretch, isBounded, zone }: Scene): Rows {
  const where = question.where === null ? 'true' : whereSql(question.where, dataset, zone)
  return { dataset, zone, where, from: isBounded ? stretch.from : null, to: isBounded ? stretch.to : null }
}

function covers(scene: Scene, by: readonly string[], series: SeriesQuestion | null): boolean {
  const { dataset, question, stretch, isBounded, zone } = scene
  const names = [...by, ...(question.where === null ? [] : dimensionsOfWhere(question.where))]
  return isCovered(dataset, { names, unit: series?.unit ?? null, zone, stretch, isBounded })
}

/** The measures of no rows. */
function nothing({ dataset, question }: Scene): ExpectedMeasures {
  return Object.fromEntries(
    question.measures.map((name) => {
      const measure = measureOf(dataset, name)
      return [name, measure.isAdditive === true ? 0 : null]
    }),
  )
}

async function totals(scene: Scene): Promise<unknown> {
  if (!covers(scene, [], null)) return REFUSED
  const [all] = await aggregate(scene.database, rowsOf(scene), scene.question.measures)
  return all?.measures
}

function points(scene: Scene, series: SeriesQuestion, found: readonly ExpectedGroup[]): unknown[] {
  const { stretch, now, zone } = scene
  const byBucket = new Map(found.map((group) => [group.bucket, group.measures]))
  const expected = bucketsBetween(stretch.from, stretch.to, series.unit, zone).flatMap(({ start, end, date }) => {
    const key = isClockUnit(series.unit) ? String(start) : String(date)
    const measures = byBucket.get(key)
    byBucket.delete(key)
    if (measures === undefined && !(series.fill && start <= now)) return []
    const partial = start < stretch.from || end > Math.min(stretch.to, now)
    return [{ start: show(scene, start), end: show(scene, end), date, partial, measures: measures ?? nothing(scene) }]
  })
  if (byBucket.size > 0) throw new Error(`The oracle found rows in no bucket: ${[...byBucket.keys()].join(', ')}`)
  return expected
}

async function series(scene: Scene, asked: SeriesQuestion): Promise<unknown> {
  if (!covers(scene, [], asked)) return REFUSED
  const found = await aggregate(scene.database, rowsOf(scene), scene.question.measures, { unit: asked.unit })
  return points(scene, asked, found)
}

async function comparison(scene: Scene, asked: NonNullable<Question['compare']>): Promise<unknown> {
  const before = earlier(scene, asked.to)
  return {
    meta: { from: show(before, before.stretch.from), to: show(before, before.stretch.to) },
    totals: await totals(before),
    ...(asked.series === null ? {} : { series: await series(before, asked.series) }),
  }
}

/** The whole answer but for the breakdown. */
export async function expectedReport(scene: Scene): Promise<object> {
  const { question, stretch } = scene
  const answer: Record<string, unknown> = {
    meta: { from: show(scene, stretch.from), to: show(scene, stretch.to), timezone: question.zone },
    totals: await totals(scene),
  }
  for (const [index, asked] of question.series.entries()) answer[`s${index}`] = await series(scene, asked)
  if (question.compare !== null) answer.compare = await comparison(scene, question.compare)
  return answer
}

/** All groups of a breakdown in their order, those that `having` keeps first; null when no rollup covers it. */
export async function expectedGroups(scene: Scene, asked: BreakdownQuestion): Promise<ExpectedGroup[] | null> {
  if (!covers(scene, asked.by, null)) return null
  const { database, dataset, question } = scene
  const names = [...new Set([...question.measures, ...measuresBeside(dataset, asked)])]
  const groups = await aggregate(database, rowsOf(scene), names, { by: asked.by })
  return sortGroups(dataset, asked, groups)
}

function pickMeasures({ question }: Scene, { measures }: ExpectedGroup): ExpectedMeasures {
  return Object.fromEntries(question.measures.map((name) => [name, measures[name] ?? null]))
}

/** One page of a breakdown, from the group at `offset` on. */
export async function expectedPage(
  scene: Scene,
  asked: BreakdownQuestion,
  groups: readonly ExpectedGroup[],
  offset: number,
): Promise<object> {
  const { database, question } = scene
  const { by, first } = asked
  const kept = groups.filter((group) => isKept(asked.having, group))
  const page = kept.slice(offset, offset + first)
  const rows = rowsOf(scene)
  const ids = page.map(({ id }) => id)
  const seriesRows =
    asked.series === null || !covers(scene, by, asked.series) || page.length === 0
      ? []
      : await aggregate(database, rows, question.measures, {
          by,
          unit: asked.series.unit,
          and: inGroups(rows, by, ids),
        })
  const before = asked.compare === null ? null : earlier(scene, asked.compare)
  const beforeRows =
    before === null || !covers(before, by, null) || page.length === 0
      ? []
      : await aggregate(database, rowsOf(before), question.measures, { by, and: inGroups(rows, by, ids) })
  const nodes = page.map((group) => ({
    ...Object.fromEntries(by.map((name, index) => [name, group.keys[index]])),
    measures: pickMeasures(scene, group),
    ...(asked.series !== null && {
      series: covers(scene, by, asked.series)
        ? points(
            scene,
            asked.series,
            seriesRows.filter(({ id }) => id === group.id),
          )
        : REFUSED,
    }),
    ...(before !== null && {
      compare: covers(before, by, null)
        ? (beforeRows.find(({ id }) => id === group.id)?.measures ?? nothing(scene))
        : REFUSED,
    }),
  }))
  const seen = kept.slice(0, offset + first).map(({ id }) => id)
  return {
    totalCount: kept.length,
    pageInfo: { hasNextPage: kept.length > offset + first, hasPreviousPage: offset > 0 },
    nodes,
    other: seen.length === groups.length ? null : await expectedOther(scene, asked, rows, seen),
  }
}

async function expectedOther(
  scene: Scene,
  { by, otherSeries }: BreakdownQuestion,
  rows: Rows,
  seen: readonly string[],
): Promise<object> {
  const { database, question } = scene
  const and = `NOT ${inGroups(rows, by, seen)}`
  const [rest] = await aggregate(database, rows, question.measures, { and })
  if (otherSeries === null) return { measures: rest?.measures }
  if (!covers(scene, by, otherSeries)) return { measures: rest?.measures, series: REFUSED }
  const found = await aggregate(database, rows, question.measures, { unit: otherSeries.unit, and })
  return { measures: rest?.measures, series: points(scene, otherSeries, found) }
}
