import { Temporal } from 'temporal-polyfill'
import { bucketAt, firstDate, isClockUnit, shortestMs, spanOf, startOfDate, UNITS, type Unit, zoned } from './calendar'

export type Range =
  | { readonly between: { readonly from: string; readonly to: string } }
  | { readonly last: { readonly count: number; readonly unit: Unit } }
  | { readonly period: string }

export const COMPARISONS = ['PREVIOUS_PERIOD', 'PREVIOUS_WEEK', 'PREVIOUS_MONTH', 'PREVIOUS_YEAR'] as const
export type Comparison = (typeof COMPARISONS)[number]

export interface Stretch {
  readonly from: number
  readonly to: number
}

/** The instants that a range means at `now`. */
export function resolve(range: Range, zone: string, now: number): Stretch {
  if ('between' in range) {
    const { from, to } = range.between
    return { from: boundOf(from, zone), to: boundOf(to, zone) }
  }
  if ('last' in range) {
    const { count, unit } = range.last
    const { start, end } = bucketAt(now, unit, zone)
    if (isClockUnit(unit)) return { from: start - (count - 1) * shortestMs(unit), to: end }
    const first = firstDate(zoned(now, zone).toPlainDate(), unit)
    return { from: startOfDate(first.subtract(spanOf(unit, count - 1)), zone), to: end }
  }
  const { unit, ago } = meaningOf(range.period)
  const first = firstDate(zoned(now, zone).toPlainDate(), unit).subtract(spanOf(unit, ago))
  return { from: startOfDate(first, zone), to: startOfDate(first.add(spanOf(unit, 1)), zone) }
}

function meaningOf(period: string): { readonly unit: Unit; readonly ago: number } {
  if (period === 'TODAY') return { unit: 'DAY', ago: 0 }
  if (period === 'YESTERDAY') return { unit: 'DAY', ago: 1 }
  return { unit: unitNamed(period), ago: period.startsWith('THIS') ? 0 : 1 }
}

/** The unit that LAST_WEEK or PREVIOUS_WEEK is one of. */
function unitNamed(name: string): Unit {
  const unit = UNITS.find((candidate) => name.endsWith(`_${candidate}`))
  if (unit === undefined) throw new Error(`${name} names no unit`)
  return unit
}

function boundOf(text: string, zone: string): number {
  return text.length === 10 ? startOfDate(text, zone) : Temporal.Instant.from(text).epochMilliseconds
}

/** The earlier stretch that a report over `stretch` is compared with. `grain`: the finest unit that the dataset keeps. */
export function compared(
  stretch: Stretch,
  range: Range | null,
  to: Comparison,
  zone: string,
  now: number,
  grain: Unit,
): Stretch {
  const span = spanBack(stretch, range, to, zone)
  const back = (instant: number) =>
    typeof span === 'number' ? instant - span : zoned(instant, zone).subtract(span).epochMilliseconds
  const from = back(stretch.from)
  const whole = back(stretch.to)
  if (stretch.to <= now || stretch.from > now) return { from, to: whole }
  const cut = bucketAt(now, grain, zone).end
  if (cut >= stretch.to) return { from, to: whole }
  return { from, to: Math.max(from, Math.min(whole, backToSamePart(cut, span, zone))) }
}

/** Elapsed milliseconds, or a duration of the calendar. */
function spanBack(stretch: Stretch, range: Range | null, to: Comparison, zone: string): number | Temporal.Duration {
  if (to !== 'PREVIOUS_PERIOD') return spanOf(unitNamed(to), 1)
  if (range !== null && 'period' in range) return spanOf(meaningOf(range.period).unit, 1)
  if (range !== null && 'last' in range) {
    const { unit, count } = range.last
    return isClockUnit(unit) ? count * shortestMs(unit) : spanOf(unit, count)
  }
  const [from, until] = [zoned(stretch.from, zone), zoned(stretch.to, zone)]
  const isWhole = [from, until].every((bound) => bound.equals(bound.startOfDay()))
  if (range === null || !isWhole) return stretch.to - stretch.from
  return Temporal.Duration.from({ days: from.toPlainDate().until(until.toPlainDate()).days })
}

/** A date that the earlier month lacks stands for the end of that month. */
function backToSamePart(cut: number, span: number | Temporal.Duration, zone: string): number {
  if (typeof span === 'number') return cut - span
  const earlier = zoned(cut, zone).subtract(span)
  const isShort = (span.months > 0 || span.years > 0) && earlier.day !== zoned(cut, zone).day
  return isShort
    ? startOfDate(earlier.toPlainDate().with({ day: 1 }).add({ months: 1 }), zone)
    : earlier.epochMilliseconds
}
