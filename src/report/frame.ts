import { baseZone } from '../dataset/base-zone'
import type { Definition } from '../dataset/definition'
import { BadInputError } from '../errors'
import type { LayoutState } from '../storage/layouts'
import { bucketEnd, bucketStart } from '../time/buckets'
import { type DateOrDateTime, parseDateOrDateTime } from '../time/date-or-time'
import { isCalendar, isMadeOf, nameGranularity, STEP_SECONDS } from '../time/granularity'
import { nextChange, type RangeInput, resolveRange } from '../time/range'
import { canonicalTimeZone, formatInstant, localDate, offsetTransitions } from '../time/time-zone'
import { relabel } from '../time/wall-clock'
import type { RangeArgument } from './request'

/**
 * The time that a question is about. Instants are on the dataset's own clock: real instants, or, for a `date` time
 * column, midnights UTC of the dates, which no zone ever shifts.
 */
export interface Frame {
  /** The report's zone, canonical: how instants are shown. */
  readonly timezone: string
  /** Zone in which buckets are computed. */
  readonly zone: string
  readonly now: number
  /** Null: all data. */
  readonly range: RangeInput | null
  readonly from: number
  readonly to: number
  /** Bounds for reading rows; null: unbounded. */
  readonly readFrom: number | null
  readonly readTo: number | null
  /** The stretch of the range that may hold rows; where none may, its first millisecond. Half-open, never empty. */
  readonly span: { readonly from: number; readonly to: number }
  /** When a relative range moves to its next bucket; null for one that stands still. */
  readonly movesAt: number | null
  /** Milliseconds from now until the dataset's clock gets to an instant, also where the days between are not of 24 hours. */
  until(instant: number): number
  /** Writes an instant in the report's zone. */
  format(instant: number): string
  /** The local date of an instant. */
  date(instant: number): string
}

function relabelInto(definition: Definition, timezone: string, instant: number): number {
  return definition.timeType === 'date' ? relabel(instant, timezone, 'UTC') : instant
}

function readBound(definition: Definition, timezone: string, text: string, argument: string): DateOrDateTime {
  const bound = parseDateOrDateTime(text)
  if (bound === null) {
    throw new BadInputError(
      argument,
      `"${argument}" is neither a date such as 2001-03-25 nor an RFC 3339 time such as 2001-03-25T00:00:00Z.`,
    )
  }
  return bound.kind === 'date' ? bound : { ...bound, instant: relabelInto(definition, timezone, bound.instant) }
}

const MOST_UNITS = 1_000_000
/** Two years: the rules by which clocks will change repeat every year, so nothing new comes after. */
const RULES_REPEAT_MS = 2 * 366 * 86_400_000

function readRange(definition: Definition, timezone: string, argument: RangeArgument): RangeInput {
  if (argument.between) {
    const from = readBound(definition, timezone, argument.between.from, 'range.between.from')
    const to = readBound(definition, timezone, argument.between.to, 'range.between.to')
    return { kind: 'between', from, to }
  }
  if (argument.last) {
    const { count, unit } = argument.last
    if (count < 1 || count > MOST_UNITS) {
      throw new BadInputError('range.last.count', `"range.last.count" must be from 1 to ${MOST_UNITS}.`)
    }
    if (!isMadeOf(unit, definition.granularity)) {
      throw new BadInputError(
        'range.last.unit',
        `"${definition.name}" keeps ${nameGranularity(definition.granularity)} buckets, so its shortest unit is ${definition.granularity.toUpperCase()}.`,
      )
    }
    return { kind: 'last', count, unit }
  }
  if (argument.period) return { kind: 'period', period: argument.period }
  throw new BadInputError('range', 'Give exactly one of "between", "last" and "period" in "range".')
}

/** The start of the bucket of the dataset's own granularity that an instant falls in, and of the next one. */
function nearestBounds(definition: Definition, instant: number): [number, number] {
  const zone = baseZone(definition)
  const start = bucketStart(instant, definition.granularity, zone)
  return [start, bucketEnd(start, definition.granularity, zone)]
}

/** Refuses a bound inside a bucket: the answer would have to be rounded. */
function checkBound(definition: Definition, frame: Frame, instant: number, argument: string): void {
  const [before, after] = nearestBounds(definition, instant)
  if (before === instant) return
  throw new BadInputError(
    argument,
    `"${definition.name}" keeps ${nameGranularity(definition.granularity)} buckets, and ${frame.format(instant)} lies inside one. ` +
      `The nearest bounds are ${frame.format(before)} and ${frame.format(after)}.`,
  )
}

/**
 * Checks that a part which cuts time into units (a series, an hour of the day) can do so in the report's zone.
 *
 * @throws BadInputError for a zone whose days do not begin where buckets of the dataset do.
 */
export function checkZone(definition: Definition, frame: Frame): void {
  const { granularity } = definition
  if (isCalendar(granularity)) return
  const step = STEP_SECONDS[granularity]
  const end = Math.min(frame.to, Math.max(frame.now, frame.span.to) + RULES_REPEAT_MS)
  const odd = offsetTransitions(frame.zone, frame.from, Math.max(end, frame.from + 1)).find(
    ({ offsetSeconds }) => offsetSeconds % step !== 0,
  )
  if (odd === undefined) return
  const bounds = nearestBounds(definition, frame.from).map(frame.format).join(' and ')
  throw new BadInputError(
    'timezone',
    `"${definition.name}" keeps ${nameGranularity(granularity)} buckets in UTC, and clocks in ${frame.timezone} differ from UTC by ` +
      `${odd.offsetSeconds / 60} minutes, so its days and hours begin inside a bucket. The nearest bounds are ${bounds}; ` +
      `choose a zone whose offset is a multiple of ${step / 60} minutes.`,
  )
}

function spanOf({ from, to }: { readonly from: number; readonly to: number }, state: LayoutState): Frame['span'] {
  const first = Math.max(from, state.dataFrom ?? from)
  const end = Math.min(to, state.dataTo ?? to)
  return first < end ? { from: first, to: end } : { from, to: from + 1 }
}

/**
 * Resolves the `range` and `timezone` arguments of a question.
 *
 * @throws BadInputError for a zone, range or bound that the dataset cannot serve, naming what would be right.
 */
export function resolveFrame(
  definition: Definition,
  state: LayoutState,
  arguments_: { readonly range: RangeArgument | null; readonly timezone: string },
  clock: number,
): Frame {
  const timezone = canonicalTimeZone(arguments_.timezone)
  if (timezone === null) {
    throw new BadInputError('timezone', '"timezone" must be the IANA name of a time zone, such as Europe/Madrid.')
  }
  const zone = definition.timeType === 'date' ? 'UTC' : timezone
  const show = (instant: number) => (zone === timezone ? instant : relabel(instant, zone, timezone))
  const now = relabelInto(definition, timezone, clock)
  const range = arguments_.range === null ? null : readRange(definition, timezone, arguments_.range)
  const [today] = nearestBounds(definition, now)
  const bounds =
    range === null ? { from: state.dataFrom ?? today, to: state.dataTo ?? today } : resolveRange(range, zone, now)
  if (range?.kind === 'between' && bounds.from >= bounds.to) {
    throw new BadInputError(
      'range.between.to',
      '"range.between.to" must be later than "range.between.from": the range ends just before it.',
    )
  }
  const frame: Frame = {
    timezone,
    zone,
    now,
    range,
    ...bounds,
    readFrom: range === null ? null : bounds.from,
    readTo: range === null ? null : bounds.to,
    span: spanOf(bounds, state),
    movesAt: range === null ? null : nextChange(range, zone, now),
    until: (instant) => show(instant) - clock,
    format: (instant) => formatInstant(show(instant), timezone),
    date: (instant) => localDate(instant, zone),
  }
  if (range === null) return frame
  if (range.kind === 'between') {
    checkBound(definition, frame, bounds.from, 'range.between.from')
    checkBound(definition, frame, bounds.to, 'range.between.to')
  } else {
    checkZone(definition, frame)
    const argument = range.kind === 'last' ? 'range.last' : 'range.period'
    checkBound(definition, frame, bounds.from, argument)
    checkBound(definition, frame, bounds.to, argument)
  }
  return frame
}

/** The same frame over another stretch of time: what a comparison reads. */
export function moveFrame(frame: Frame, to: { readonly from: number; readonly to: number }, state: LayoutState): Frame {
  return { ...frame, ...to, readFrom: to.from, readTo: to.to, span: spanOf(to, state) }
}
