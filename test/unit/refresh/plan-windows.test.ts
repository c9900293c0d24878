import { commonStart } from '../../../src/refresh/plan-windows'
import { secondsLeft } from '../../../src/refresh/seconds-left'

const at = (text: string) => Date.parse(text)

describe('the latest moment at which a bucket of every rollup begins', () => {
  it.each([
    ['hours and months', ['hour', 'month'], '2026-03-17T10:20:00Z', '2026-03-01T00:00:00Z'],
    ['a moment that is one', ['hour', 'month'], '2026-03-01T00:00:00Z', '2026-03-01T00:00:00Z'],
    ['weeks and months', ['week', 'month'], '2026-03-17T10:20:00Z', '2025-12-01T00:00:00Z'],
    ['days alone', ['day'], '2026-03-17T10:20:00Z', '2026-03-17T00:00:00Z'],
  ] as const)('is for %s no later than asked for', (_, units, from, expected) => {
    const rollups = units.map((granularity, index) => ({
      ...{ granularity, index, timezone: 'UTC', name: granularity, by: [], keep: null },
    }))
    expect(commonStart(rollups, at(from))).toBe(at(expected))
  })

  it('is that of the zones of all of them', () => {
    const day = (timezone: string) => ({
      granularity: 'day' as const,
      index: 0,
      name: 'day',
      by: [],
      keep: null,
      timezone,
    })
    expect(commonStart([day('Asia/Tokyo'), day('Europe/Madrid')], at('2026-03-17T10:20:00Z'))).toBe(
      Number.NEGATIVE_INFINITY,
    )
    expect(commonStart([], at('2026-03-17T10:20:00Z'))).toBe(at('2026-03-17T10:20:00Z'))
  })
})

describe('the seconds left', () => {
  it.each([
    [1000, 0, 10, null],
    [1000, 5, 10, 1],
    [30_000, 1, 4, 90],
    [10, 9, 10, 1],
    [1000, 10, 10, null],
  ])('after %p ms with %p of %p done are %p', (elapsed, done, total, expected) => {
    expect(secondsLeft(elapsed, done, total)).toBe(expected)
  })
})
