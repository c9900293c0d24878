import { DAY_MS } from './calendar-day'
import { type Instant, SECOND_MS } from './instant'

/** From `at` on, the zone's clocks are `offsetSeconds` ahead of UTC. */
export interface OffsetChange {
  readonly at: Instant
  readonly offsetSeconds: number
}

/** The offset at the start of a span of time, and its changes within. */
export type OffsetChanges = readonly [OffsetChange, ...OffsetChange[]]

/** What a zone's offset is at an instant, by asking the runtime. */
export type OffsetProbe = (instant: Instant) => number

/** The offset is known to stay the same in [from, until), and perhaps beyond. */
interface Segment {
  readonly from: Instant
  readonly until: Instant
  readonly offsetSeconds: number
}

interface ZoneHistory {
  readonly probe: OffsetProbe
  /** Changes by number of the stretch they lie in; each list begins with the offset at the stretch's start. */
  readonly stretches: Map<number, OffsetChanges>
  /** The segment asked for last: whoever walks through time asks for it again. */
  latest: Segment
}

const HOUR_MS = 3_600 * SECOND_MS
/** History is looked up a stretch of about ten years at a time. */
const STRETCH_MS = 3_650 * DAY_MS
/** Standard time is younger than this: clocks showed local mean time, whose offset never changed. */
const FIRST_STRETCH = Math.floor(Date.UTC(1800, 0, 1) / STRETCH_MS)
/** From here on zones follow yearly rules, and those repeat every 400 years, as the calendar does, weekdays included. */
const RULES_FROM = Date.UTC(2100, 0, 1)
const CYCLE_MS = 146_097 * DAY_MS
/** Up to here offsets were at times in force for only four days (Freetown, 1939); later never for less than six. */
const BUSY_UNTIL = Date.UTC(1950, 0, 1)

/** A memo of the runtime's time zone tables, which do not change while it runs; as large as the zones and decades asked for. */
const histories = new Map<string, ZoneHistory>()

/** Seconds that the zone's clocks are ahead of UTC at the instant. */
export function offsetAt(instant: Instant, zone: string): number {
  return segmentAt(historyOf(zone), instant).offsetSeconds
}

/**
 * The offset in force at `from`, with `at: from`, and then every change of offset after `from` and before `to`, in order.
 */
export function offsetTransitions(zone: string, from: Instant, to: Instant): OffsetChange[] {
  const history = historyOf(zone)
  const changes: OffsetChange[] = []
  let at = from
  do {
    const { offsetSeconds, until } = segmentAt(history, at)
    if (changes.at(-1)?.offsetSeconds !== offsetSeconds) changes.push({ at, offsetSeconds })
    at = until
  } while (at < to)
  return changes
}

/**
 * The first instant at which the zone's clocks have reached a reading, given as the epoch milliseconds at which UTC's clocks
 * show it. A reading shown twice gives its first time, a skipped one the end of the gap. Never decreases as readings grow.
 */
export function instantOfReading(reading: number, zone: string): Instant {
  const history = historyOf(zone)
  // No clock was ever as much as 16 hours ahead of UTC, so the reading cannot have been reached earlier.
  let at = reading - 16 * HOUR_MS
  for (;;) {
    const { offsetSeconds, until } = segmentAt(history, at)
    const reached = Math.max(at, reading - offsetSeconds * SECOND_MS)
    if (reached < until) return reached
    at = until
  }
}

/**
 * Every change of offset from `from` (always first) to before `to`, by probing. The step between probes is shorter than any
 * offset was ever in force, and each change is then bisected to the second.
 */
export function surveyOffsets(probe: OffsetProbe, from: Instant, to: Instant): OffsetChanges {
  let at = from
  let offsetSeconds = probe(from)
  const changes: [OffsetChange, ...OffsetChange[]] = [{ at, offsetSeconds }]
  while (at < to) {
    const next = Math.min(at + surveyStep(at), to)
    if (probe(next) === offsetSeconds) {
      at = next
      continue
    }
    at = firstChange(probe, at, next, offsetSeconds)
    offsetSeconds = probe(at)
    if (at < to) changes.push({ at, offsetSeconds })
  }
  return changes
}

function surveyStep(at: Instant): number {
  if (at < BUSY_UNTIL) return 3 * DAY_MS
  return (at < RULES_FROM ? 6 : 28) * DAY_MS
}

/** The first second in (before, after] with another offset. Nearly every change falls on the hour, so that is tried first. */
function firstChange(probe: OffsetProbe, before: Instant, after: Instant, offsetSeconds: number): Instant {
  const hour = bisectChange(probe, before, after, offsetSeconds, HOUR_MS)
  if (probe(hour - SECOND_MS) === offsetSeconds) return hour
  return bisectChange(probe, Math.max(before, hour - HOUR_MS), hour, offsetSeconds, SECOND_MS)
}

/** Narrows (before, after] down to one step, of which it gives the end. */
function bisectChange(
  probe: OffsetProbe,
  before: Instant,
  after: Instant,
  offsetSeconds: number,
  step: number,
): Instant {
  let low = before
  let high = after
  while (high - low > step) {
    const middle = low + Math.max(1, Math.floor((high - low) / 2 / step)) * step
    if (probe(middle) === offsetSeconds) low = middle
    else high = middle
  }
  return high
}

function segmentAt(history: ZoneHistory, instant: Instant): Segment {
  const { latest } = history
  if (instant >= latest.from && instant < latest.until) return latest
  history.latest = findSegment(history, instant)
  return history.latest
}

function findSegment(history: ZoneHistory, instant: Instant): Segment {
  const cycles = Math.max(0, Math.floor((instant - RULES_FROM) / CYCLE_MS))
  const folded = instant - cycles * CYCLE_MS
  const number = Math.floor(folded / STRETCH_MS)
  const changes = stretchOf(history, Math.max(number, FIRST_STRETCH))
  const [first] = changes
  if (number < FIRST_STRETCH) return { ...first, from: Number.NEGATIVE_INFINITY, until: first.at }
  const next = changes.findIndex((change) => change.at > folded)
  const { at, offsetSeconds } = changes.at(next === -1 ? -1 : next - 1) ?? first
  const until = changes[next]?.at ?? (number + 1) * STRETCH_MS
  return { from: at + cycles * CYCLE_MS, until: until + cycles * CYCLE_MS, offsetSeconds }
}

function stretchOf(history: ZoneHistory, number: number): OffsetChanges {
  const known = history.stretches.get(number)
  if (known !== undefined) return known
  const changes = surveyOffsets(history.probe, number * STRETCH_MS, (number + 1) * STRETCH_MS)
  history.stretches.set(number, changes)
  return changes
}

function historyOf(zone: string): ZoneHistory {
  const known = histories.get(zone)
  if (known !== undefined) return known
  const nothing = { from: 0, until: 0, offsetSeconds: 0 }
  const history = { probe: createProbe(zone), stretches: new Map(), latest: nothing }
  histories.set(zone, history)
  return history
}

/** Throws a RangeError on a zone the runtime does not know. */
function createProbe(zone: string): OffsetProbe {
  if (zone === 'UTC') return () => 0
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })
  return (instant) => parseLongOffset(format.format(instant))
}

/** Reads `1/1/1800, GMT-04:56:02`, where a bare `GMT` is UTC. */
function parseLongOffset(text: string): number {
  const match = /GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(text)
  if (match === null) throw new RangeError(`The runtime wrote an offset from UTC as "${text}".`)
  const seconds = Number(match[2] ?? 0) * 3_600 + Number(match[3] ?? 0) * 60 + Number(match[4] ?? 0)
  return match[1] === '-' ? -seconds : seconds
}
