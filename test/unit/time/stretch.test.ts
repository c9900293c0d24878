import fc from 'fast-check'
import { ALWAYS, clipStretches, coverStretches, type Stretch, uniteStretches } from '../../../src/time/stretch'

/** Small numbers, so that stretches meet; some ends are infinite, some stretches empty or the wrong way round. */
const end = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 0, max: 40 }) },
  { weight: 1, arbitrary: fc.constantFrom(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY) },
)
const stretch = fc.record({ from: end, to: end })
const stretches = fc.array(stretch, { maxLength: 12 })
/** Every instant of which something could differ, and two far away. */
const MOMENTS = [-1e15, ...Array.from({ length: 85 }, (_, index) => index / 2 - 1), 1e15]

const holds = (list: readonly Stretch[], moment: number) => list.some(({ from, to }) => from <= moment && moment < to)
const momentsOf = (list: readonly Stretch[]) => MOMENTS.filter((moment) => holds(list, moment))

describe('united stretches', () => {
  it('hold the same instants, oldest first, with a gap between each two', () => {
    fc.assert(
      fc.property(stretches, (given) => {
        const united = uniteStretches(given)
        expect(momentsOf(united)).toEqual(momentsOf(given))
        for (const [index, { from, to }] of united.entries()) {
          expect(from).toBeLessThan(to)
          const before = united[index - 1]
          if (before !== undefined) expect(before.to).toBeLessThan(from)
        }
        expect(uniteStretches(united)).toEqual(united)
      }),
    )
  })

  it.each([
    [
      'that meet are one',
      [
        [1, 2],
        [2, 3],
      ],
      [[1, 3]],
    ],
    [
      'that lie within one another are one',
      [
        [1, 9],
        [2, 3],
      ],
      [[1, 9]],
    ],
    [
      'that are empty vanish',
      [
        [2, 2],
        [5, 4],
      ],
      [],
    ],
  ])('%s', (_, given, expected) => {
    const toStretch = ([from = 0, to = 0]: readonly number[]) => ({ from, to })
    expect(uniteStretches(given.map(toStretch))).toEqual(expected.map(toStretch))
  })

  it('leave what was given as it was', () => {
    const given = [
      { from: 1, to: 3 },
      { from: 2, to: 5 },
    ]
    uniteStretches(given)
    expect(given).toEqual([
      { from: 1, to: 3 },
      { from: 2, to: 5 },
    ])
  })
})

describe('clipped stretches', () => {
  it('hold what is in both', () => {
    fc.assert(
      fc.property(stretches, stretch, (given, window) => {
        const clipped = clipStretches(given, window)
        expect(momentsOf(clipped)).toEqual(MOMENTS.filter((moment) => holds(given, moment) && holds([window], moment)))
        for (const { from, to } of clipped) expect(from).toBeLessThan(to)
        expect(uniteStretches(clipStretches(given, ALWAYS))).toEqual(uniteStretches(given))
      }),
    )
  })
})

describe('covering stretches', () => {
  it('are no more than asked for, and fill no gap that is wider than one left', () => {
    fc.assert(
      fc.property(stretches, fc.integer({ min: 1, max: 8 }), (given, most) => {
        const united = uniteStretches(given)
        const covering = coverStretches(given, most)
        expect(covering.length).toBeLessThanOrEqual(most)
        for (const moment of momentsOf(given)) expect(holds(covering, moment)).toBe(true)
        if (united.length <= most) expect(covering).toEqual(united)
        const gaps = (list: readonly Stretch[]) => list.slice(1).map(({ from }, index) => from - (list[index]?.to ?? 0))
        const left = gaps(covering)
        const filled = gaps(united)
          .sort((a, b) => a - b)
          .slice(0, united.length - covering.length)
        expect([...filled, ...left].sort((a, b) => a - b)).toEqual(gaps(united).sort((a, b) => a - b))
        if (filled.length > 0 && left.length > 0) expect(Math.max(...filled)).toBeLessThanOrEqual(Math.min(...left))
      }),
    )
  })
})
