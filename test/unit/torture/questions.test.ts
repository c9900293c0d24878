import { QUESTIONS } from '../../support/torture/questions'

const meta = { stale: false, version: '1.x' }
const question = (name: string) => {
  const found = QUESTIONS.find((each) => each.name === name)
  if (found === undefined) throw new Error(`There is no question ${name}`)
  return found
}

const hours = (amount: (hour: number) => number) =>
  Array.from({ length: 24 }, (_, hour) => ({
    start: `2001-03-15T${String(hour).padStart(2, '0')}:00:00Z`,
    measures: { amount: hour < 12 ? amount(hour) : 0 },
  }))

/** The day of a round, as a server answers it; rounds 7, 14 … have no rows of the kind `extra`. */
function day(round: number) {
  const extra = round % 7
  const nodes = ['a', 'b', 'c', 'd'].map((kind) => ({ kind, measures: { rows: 12, amount: 12 * round } }))
  return {
    meta,
    totals: { rows: 48 + extra, amount: 48 * round },
    series: hours(() => 4 * round),
    breakdown: {
      totalCount: extra === 0 ? 4 : 5,
      nodes: [...nodes, ...(extra === 0 ? [] : [{ kind: 'extra', measures: { rows: extra, amount: 0 } }])],
    },
  }
}

it.each([3, 7, 8])('an answer of one round shows it (%i)', (round) => {
  const reading = question('day_tocks').read({ r0: day(round) })
  expect(reading).toEqual({ kind: 'shown', isStale: false, shown: [{ dataset: 1, round }] })
})

it.each([
  ['totals of the round before', { ...day(8), totals: day(7).totals }],
  ['a series of the round after', { ...day(8), series: day(9).series }],
  ['one hour of another round', { ...day(8), series: hours((hour) => (hour === 3 ? 28 : 32)) }],
  ['groups of another round', { ...day(8), breakdown: day(1).breakdown }],
  ['a number of groups that is not theirs', { ...day(8), breakdown: { ...day(8).breakdown, totalCount: 4 } }],
  ['rows of another round than the amount', { ...day(8), totals: { rows: 50, amount: 384 } }],
  ['an amount that no round has', { ...day(8), totals: { rows: 49, amount: 385 } }],
  ['a bucket too few', { ...day(8), series: day(8).series.slice(1) }],
])('an answer with %s is mixed', (_, report) => {
  expect(question('day_ticks').read({ r0: report }).kind).toBe('mixed')
})

it('reports of one dataset in one operation are of one round, and of two datasets need not be', () => {
  const month = (round: number) => ({
    meta,
    totals: { amount: 48 * round + [...Array(14).keys()].reduce((sum, index) => sum + (60 + index) * 10, 0) },
    series: Array.from({ length: 31 }, (_, index) => ({
      start: '',
      measures: { amount: index < 14 ? (60 + index) * 10 : index === 14 ? 48 * round : 0 },
    })),
  })
  const both = question('both')
  expect(both.read({ r0: day(8), r1: month(3), r2: day(3) })).toEqual({
    kind: 'shown',
    isStale: false,
    shown: [
      { dataset: 0, round: 8 },
      { dataset: 1, round: 3 },
    ],
  })
  expect(both.read({ r0: day(8), r1: month(3), r2: day(4) }).kind).toBe('mixed')
})

it('an answer is marked when any of its reports is', () => {
  const marked = { ...day(8), meta: { ...meta, stale: true } }
  expect(question('day_ticks').read({ r0: marked })).toMatchObject({ kind: 'shown', isStale: true })
})

it('an answer about closed days is right or wrong', () => {
  const january = question('january_ticks')
  expect(january.read({ r0: { meta, totals: { amount: 4_960 } } })).toEqual({
    kind: 'shown',
    isStale: false,
    shown: [{ dataset: 0, round: null }],
  })
  expect(january.read({ r0: { meta, totals: { amount: 4_961 } } }).kind).toBe('mixed')
})
