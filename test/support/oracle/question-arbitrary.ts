import fc, { type Arbitrary } from 'fast-check'
import { isClockUnit, isUnionOf, shortestMs, UNITS, type Unit, writeInstant } from './calendar'
import { dimensionOf, IMPLIED, type OracleDataset } from './dataset'
import type { Leaf, Where } from './filter'
import type { BreakdownQuestion, Having, Order, Question, SeriesQuestion } from './question'
import { COMPARISONS, type Range, resolve } from './range'

/** What to ask a dataset about. */
export interface Subject {
  readonly dataset: OracleDataset
  readonly zones: readonly string[]
  /** Moments to ask at, and near which ranges begin and end; epoch milliseconds on the hour. */
  readonly moments: readonly number[]
  /** Sets of dimensions that questions keep to; without any, every question may name every dimension. */
  readonly pools: readonly (readonly string[])[]
}

const PERIODS = ['TODAY', 'YESTERDAY', 'WEEK', 'MONTH', 'QUARTER', 'YEAR'].flatMap((name) =>
  name.endsWith('DAY') ? [name] : [`THIS_${name}`, `LAST_${name}`],
)
const HOUR_MS = 3_600_000
const MOST_POINTS = 1_500
const MOST_GROUP_POINTS = 4_000

function unitsOf(dataset: OracleDataset): Unit[] {
  return UNITS.filter((unit) => isUnionOf(unit, dataset.granularity))
}

function dateOf(moment: number): string {
  return new Date(moment).toISOString().slice(0, 10)
}

function betweenArbitrary({ dataset, moments }: Subject, zone: string): Arbitrary<Range> {
  const hours = fc.record({
    at: fc.constantFrom(...moments),
    before: fc.nat({ max: 60 }),
    length: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 24, max: 24 * 120 })),
    isSpelledInZone: fc.boolean(),
  })
  const instants = hours.map(({ at, before, length, isSpelledInZone }) => {
    const [from, to] = [at - before * HOUR_MS, at + (length - before) * HOUR_MS]
    const write = (instant: number) => writeInstant(instant, isSpelledInZone ? zone : 'UTC')
    return { between: { from: write(from), to: write(to) } }
  })
  const days = fc.record({
    at: fc.constantFrom(...moments),
    before: fc.nat({ max: 5 }),
    length: fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 10, max: 500 })),
    isWholeMonths: fc.boolean(),
  })
  const dates = days.map(({ at, before, length, isWholeMonths }) => {
    const day = 24 * HOUR_MS
    const [from, to] = [dateOf(at - before * day), dateOf(at + length * day)]
    const isLongEnough = isWholeMonths && from.slice(0, 7) !== to.slice(0, 7)
    const monthOf = (date: string) => `${date.slice(0, 7)}-01`
    return { between: isLongEnough ? { from: monthOf(from), to: monthOf(to) } : { from, to } }
  })
  return dataset.isDated ? dates : fc.oneof(instants, dates)
}

const LONGEST: Readonly<Record<Unit, number>> = {
  MINUTE: 120,
  QUARTER_HOUR: 200,
  HOUR: 100,
  DAY: 40,
  WEEK: 30,
  MONTH: 18,
  QUARTER: 6,
  YEAR: 3,
}

function rangeArbitrary(subject: Subject, zone: string): Arbitrary<Range | null> {
  const last = fc
    .constantFrom(...unitsOf(subject.dataset))
    .chain((unit) => fc.integer({ min: 1, max: LONGEST[unit] }).map((count) => ({ last: { count, unit } })))
  return fc.oneof(
    { weight: 1, arbitrary: fc.constant(null) },
    { weight: 5, arbitrary: betweenArbitrary(subject, zone) },
    { weight: 2, arbitrary: last },
    { weight: 2, arbitrary: fc.constantFrom(...PERIODS).map((period) => ({ period })) },
  )
}

function leafArbitrary(dataset: OracleDataset, dimension: string): Arbitrary<Leaf> {
  const { type, samples, needles = [] } = dimensionOf(dataset, dimension, 'UTC')
  const value = fc.constantFrom(...samples)
  const list = fc.array(value, { maxLength: 4 })
  const shared = [
    ...['eq', 'ne'].map((operator) => value.map((operand): Leaf => ({ [operator]: operand }))),
    ...['in', 'notIn'].map((operator) => list.map((operand): Leaf => ({ [operator]: operand }))),
    fc.boolean().map((isNull): Leaf => ({ isNull })),
  ]
  const operators = type === 'text' ? ['startsWith', 'contains'] : ['gt', 'gte', 'lt', 'lte']
  const operand = type === 'text' ? fc.constantFrom(...needles, '') : value
  const own = type === 'boolean' ? [] : operators.map((name) => operand.map((each): Leaf => ({ [name]: each })))
  const one = fc.oneof(...shared, ...own)
  return fc.oneof(
    { weight: 4, arbitrary: one },
    { weight: 1, arbitrary: fc.tuple(one, one).map(([a, b]) => ({ ...a, ...b })) },
  )
}

function whereArbitrary(dataset: OracleDataset, pool: readonly string[]): Arbitrary<Where | null> {
  if (pool.length === 0) return fc.constant(null)
  const leaf: Arbitrary<Where> = fc
    .constantFrom(...pool)
    .chain((dimension) => leafArbitrary(dataset, dimension).map((filter) => ({ of: { dimension, filter } })))
  const { tree } = fc.letrec<{ tree: Where }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 2, depthSize: 'small' },
      { weight: 3, arbitrary: leaf },
      { weight: 1, arbitrary: fc.array(tie('tree'), { maxLength: 3 }).map((and) => ({ and })) },
      { weight: 2, arbitrary: fc.array(tie('tree'), { maxLength: 3 }).map((or) => ({ or })) },
      { weight: 2, arbitrary: tie('tree').map((not) => ({ not })) },
    ),
  }))
  return fc.oneof({ weight: 2, arbitrary: fc.constant(null) }, { weight: 3, arbitrary: tree })
}

const seriesArbitrary = (units: readonly Unit[]): Arbitrary<SeriesQuestion> =>
  fc.record({ unit: fc.constantFrom(...units), fill: fc.boolean() })

function havingArbitrary(dataset: OracleDataset): Arbitrary<Having> {
  // A float's last bits hang on the order of its sum, so none is compared with a number that it could be.
  const countable = dataset.measures.filter(({ type }) => type === 'integer')
  const inexact = dataset.measures.filter(({ type }) => type === 'float' || type === 'exact')
  const whole = fc.record({
    name: fc.constantFrom(...countable.map(({ name }) => name)),
    operator: fc.constantFrom('eq', 'ne', 'gt', 'gte', 'lt', 'lte'),
    operand: fc.oneof(fc.integer({ min: -5, max: 30 }), fc.integer({ min: -3000, max: 3000 })),
  })
  const near = fc.record({
    name: fc.constantFrom(...inexact.map(({ name }) => name)),
    operator: fc.constantFrom('ne', 'ne', 'gt', 'lte'),
    operand: fc.integer({ min: -900, max: 900 }).map((tenths) => tenths / 10 + 0.0123456),
  })
  const one = fc
    .oneof({ weight: 1, arbitrary: whole }, { weight: 1, arbitrary: near })
    .map(({ name, operator, operand }) => ({ [name]: { [operator]: operand } }))
  const two = fc.tuple(one, one).map(([a, b]): Having => ({ ...a, ...b }))
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant({}) },
    { weight: 2, arbitrary: one },
    { weight: 1, arbitrary: two },
  )
}

function breakdownArbitrary(dataset: OracleDataset, names: readonly string[]): Arbitrary<BreakdownQuestion | null> {
  if (names.length === 0) return fc.constant(null)
  const units = unitsOf(dataset)
  const by = fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: Math.min(4, names.length) })
  const maybe = <T>(arbitrary: Arbitrary<T>) => fc.option(arbitrary, { freq: 2 })
  return maybe(
    by.chain((chosen) => {
      const fields = [...dataset.measures.map(({ name }) => name), ...chosen]
      const order: Arbitrary<Order> = fc.record({
        field: fc.constantFrom(...fields),
        direction: fc.constantFrom('ASC', 'DESC'),
      })
      return fc.record({
        by: fc.constant(chosen),
        orderBy: fc.uniqueArray(order, { maxLength: 3, selector: ({ field }) => field }),
        having: havingArbitrary(dataset),
        first: fc.oneof(
          { weight: 4, arbitrary: fc.integer({ min: 1, max: 9 }) },
          { weight: 1, arbitrary: fc.constantFrom(60, 1000) },
        ),
        series: maybe(seriesArbitrary(units)),
        compare: maybe(fc.constantFrom(...COMPARISONS)),
        otherSeries: maybe(seriesArbitrary(units)),
      })
    }),
  )
}

/** Makes the unit longer until there are at most so many points over the span. */
function coarsen<S extends SeriesQuestion | null>(series: S, spanMs: number, most: number): S {
  if (series === null) return series
  const fits = (unit: Unit) => spanMs / shortestMs(unit) <= most
  const unit = UNITS.slice(UNITS.indexOf(series.unit)).find((candidate) => fits(candidate)) ?? 'YEAR'
  return { ...series, unit }
}

/** Keeps a question below the number of points that one operation may ask for. */
function bound(question: Question): Question {
  const { range, zone, now, breakdown, compare } = question
  const { from, to } = range === null ? { from: 0, to: 3 * 366 * 24 * HOUR_MS } : resolve(range, zone, now)
  const points = <S extends SeriesQuestion | null>(series: S) => coarsen(series, to - from, MOST_POINTS)
  return {
    ...question,
    series: question.series.map(points),
    compare: compare === null ? null : { ...compare, series: points(compare.series) },
    breakdown:
      breakdown === null
        ? null
        : {
            ...breakdown,
            first: breakdown.series === null ? breakdown.first : Math.min(breakdown.first, 60),
            series: coarsen(breakdown.series, to - from, MOST_GROUP_POINTS / Math.min(breakdown.first, 60)),
            otherSeries: points(breakdown.otherSeries),
          },
  }
}

/** Random questions about a subject, with the time at which they are asked. */
export function questionArbitrary(subject: Subject): Arbitrary<Question> {
  const { dataset, zones, moments } = subject
  const all = dataset.dimensions.map(({ name }) => name)
  const implied = IMPLIED.map(({ name }) => name)
  const units = unitsOf(dataset)
  const pools = [...subject.pools, all]
  const outer = fc.record({ zone: fc.constantFrom(...zones), pool: fc.constantFrom(...pools) })
  return outer
    .chain(({ zone, pool }) =>
      fc.record({
        zone: fc.constant(zone),
        now: fc
          .tuple(fc.constantFrom(...moments), fc.oneof(fc.nat({ max: 30 }), fc.nat({ max: 200 })), fc.nat({ max: 59 }))
          .map(([at, hours, minutes]) => at + (hours * 60 + minutes) * 60_000),
        range: rangeArbitrary(subject, zone),
        where: whereArbitrary(dataset, [...pool, ...(pool.length > 3 ? implied : [])]),
        measures: fc.subarray(
          dataset.measures.map(({ name }) => name),
          { minLength: 1 },
        ),
        series: fc.uniqueArray(seriesArbitrary(units), { maxLength: 2, selector: ({ unit }) => unit }),
        breakdown: breakdownArbitrary(dataset, [
          ...pool,
          ...implied.filter((name) => units.some(isClockUnit) || name !== 'hourOfDay'),
        ]),
        compare: fc.option(
          fc.record({
            to: fc.constantFrom(...COMPARISONS),
            series: fc.option(seriesArbitrary(units)),
          }),
          { freq: 1 },
        ),
      }),
    )
    .map(bound)
}
