import fc from 'fast-check'
import { offsetAt, offsetTransitions, surveyOffsets } from '../../../src/time/offset'
import { ZONES } from './zones'

const at = (text: string) => Date.parse(text)
const spell = ({ at, offsetSeconds }: { at: number; offsetSeconds: number }) => [
  new Date(at).toISOString(),
  offsetSeconds / 3_600,
]

/** What the zone's clocks show, read field by field from the runtime, less the instant. */
function readOffset(instant: number, zone: string): number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  const parts = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, value]))
  const year = parts.era === 'BC' ? 1 - Number(parts.year) : Number(parts.year)
  const shown = new Date(0).setUTCFullYear(year, Number(parts.month) - 1, Number(parts.day))
  const time = (Number(parts.hour) * 60 + Number(parts.minute)) * 60 + Number(parts.second)
  return shown / 1_000 + time - Math.floor(instant / 1_000)
}

test('the changes of a year are given with the offset in force before them', () => {
  expect(offsetTransitions('Europe/Madrid', at('2001-01-01'), at('2002-01-01')).map(spell)).toEqual([
    ['2001-01-01T00:00:00.000Z', 1],
    ['2001-03-25T01:00:00.000Z', 2],
    ['2001-10-28T01:00:00.000Z', 1],
  ])
  expect(offsetTransitions('Australia/Sydney', at('2001-01-01'), at('2002-01-01')).map(spell)).toEqual([
    ['2001-01-01T00:00:00.000Z', 11],
    ['2001-03-24T16:00:00.000Z', 10],
    ['2001-10-27T16:00:00.000Z', 11],
  ])
})

test('a change at the start of the range counts as in force, one at its end does not', () => {
  const change = at('2001-03-25T01:00:00Z')
  expect(offsetTransitions('Europe/Madrid', change, change + 1)).toEqual([{ at: change, offsetSeconds: 7_200 }])
  expect(offsetTransitions('Europe/Madrid', change - 1, change)).toEqual([{ at: change - 1, offsetSeconds: 3_600 }])
})

test('a zone that never changed has one offset over all of time', () => {
  expect(offsetTransitions('UTC', at('0001-01-01'), at('9999-12-31'))).toHaveLength(1)
})

test('changes are found over many decades, from local mean time on', () => {
  const changes = offsetTransitions('America/New_York', at('1800-01-01'), at('2100-01-01'))
  expect(changes[0]?.offsetSeconds).toBe(-17_762)
  expect(changes[1]).toEqual({ at: at('1883-11-18T17:00:00Z'), offsetSeconds: -18_000 })
  expect(changes.filter((change) => change.at >= at('2007-01-01'))).toHaveLength(2 * 93)
})

test('an offset in force for a week is found', () => {
  expect(offsetTransitions('America/Noronha', at('2000-10-01'), at('2000-11-01')).map(spell)).toEqual([
    ['2000-10-01T00:00:00.000Z', -2],
    ['2000-10-08T02:00:00.000Z', -1],
    ['2000-10-15T01:00:00.000Z', -2],
  ])
})

test('rules go on for ever', () => {
  expect(offsetTransitions('Europe/Madrid', at('9998-01-01'), at('9999-01-01')).map(spell)).toEqual([
    ['9998-01-01T00:00:00.000Z', 1],
    ['9998-03-29T01:00:00.000Z', 2],
    ['9998-10-25T01:00:00.000Z', 1],
  ])
})

test('the offset at any instant is the one the runtime tells', () => {
  const instants = fc.oneof(
    fc.integer({ min: at('0001-01-01'), max: at('9999-12-31') }),
    fc.integer({ min: at('1840-01-01'), max: at('2110-01-01') }),
  )
  fc.assert(
    fc.property(instants, fc.constantFrom(...ZONES), (instant, zone) => {
      expect(offsetAt(instant, zone)).toBe(readOffset(instant, zone))
    }),
    { numRuns: 1_000 },
  )
})

test('a survey of ten years with two changes a year asks the runtime at most 1,200 times', () => {
  let asked = 0
  const summer = (instant: number) => {
    asked++
    const month = new Date(instant).getUTCMonth()
    return month >= 3 && month < 9 ? 7_200 : 3_600
  }
  expect(surveyOffsets(summer, at('2000-01-01'), at('2010-01-01'))).toHaveLength(21)
  expect(asked).toBeLessThan(1_200)
})

test('two changes between two probes are both found when the offset ends up another', () => {
  const probe = (instant: number) => (instant < at('2001-01-02T03:04:05Z') ? 0 : instant < at('2001-01-03') ? 60 : 120)
  expect(surveyOffsets(probe, at('2001-01-01'), at('2001-02-01'))).toEqual([
    { at: at('2001-01-01'), offsetSeconds: 0 },
    { at: at('2001-01-02T03:04:05Z'), offsetSeconds: 60 },
    { at: at('2001-01-03'), offsetSeconds: 120 },
  ])
})

test('a zone that the runtime does not know is refused', () => {
  expect(() => offsetAt(0, 'Mars/Olympus')).toThrow(RangeError)
})
