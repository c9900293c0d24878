import fc from 'fast-check'
import {
  beginHistory,
  type Change,
  foldChanges,
  foldLineage,
  readHistory,
  writeChanges,
} from '../../../src/storage/changes'
import { ALWAYS, type Stretch } from '../../../src/time/stretch'

const END = 1000
const uuidOf = (seq: number) => `${seq.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`
const versionOf = (seq: number) => ({ seq, uuid: uuidOf(seq) })
const FIRST = beginHistory(versionOf(1))

const bound = fc.integer({ min: 0, max: END })
const short = fc.tuple(bound, fc.integer({ min: 1, max: 4 })).map(([from, length]) => ({ from, to: from + length }))
/** Some are empty or the wrong way round. */
const stretch = fc.oneof(
  { weight: 20, arbitrary: short },
  { weight: 4, arbitrary: fc.record({ from: bound, to: bound }) },
  { weight: 1, arbitrary: bound.map((to) => ({ from: ALWAYS.from, to })) },
  { weight: 1, arbitrary: bound.map((from) => ({ from, to: ALWAYS.to })) },
)
const refreshes = fc.array(fc.array(stretch, { minLength: 1, maxLength: 6 }), { maxLength: 12 })
const scattered = fc.array(fc.array(short, { minLength: 1, maxLength: 6 }), { minLength: 40, maxLength: 80 })

const holds = ({ from, to }: Stretch, moment: number) => from <= moment && moment < to
/** Every instant of which something could differ, and one far away at either end. */
const MOMENTS = [-1e15, ...Array.from({ length: END + 6 }, (_, index) => index), 1e15]

/** The `seq` that last changed each moment. */
class Model {
  readonly seqs = MOMENTS.map(() => 1)

  fold(stretches: readonly Stretch[], seq: number): void {
    for (const [index, moment] of MOMENTS.entries()) {
      if (stretches.some((one) => holds(one, moment))) this.seqs[index] = seq
    }
  }

  /** How many stretches of one version each there are. */
  get size(): number {
    return this.seqs.filter((seq, index) => index === 0 || seq !== this.seqs[index - 1]).length
  }
}

/** The `seq` of every moment; fails unless the changes cover all time, sorted, disjoint, and joined where they can be. */
function seqsOf(changes: readonly Change[]): number[] {
  expect(changes.length).toBeLessThanOrEqual(64)
  expect([changes[0]?.from, changes.at(-1)?.to]).toEqual([ALWAYS.from, ALWAYS.to])
  for (const [index, change] of changes.entries()) {
    expect(change.from).toBeLessThan(change.to)
    const before = changes[index - 1]
    if (before === undefined) continue
    expect(before.to).toBe(change.from)
    expect(before.version.seq).not.toBe(change.version.seq)
  }
  return MOMENTS.map((moment) => changes.find((change) => holds(change, moment))?.version.seq ?? 0)
}

describe('folded changes', () => {
  it('tell of every instant the version that last changed it, while 64 stretches are enough', () => {
    let few = 0
    fc.assert(
      fc.property(refreshes, (given) => {
        const model = new Model()
        let changes = FIRST.changes
        let size = 1
        for (const [index, stretches] of given.entries()) {
          model.fold(stretches, index + 2)
          size = Math.max(size, model.size)
          changes = foldChanges(changes, stretches, versionOf(index + 2))
        }
        if (size > 64) return
        few += 1
        expect(seqsOf(changes)).toEqual(model.seqs)
      }),
    )
    expect(few).toBeGreaterThan(50)
  })

  it('tell a later one of some instants, never an earlier one nor one that is yet to come, when they are not', () => {
    let many = 0
    fc.assert(
      fc.property(scattered, (given) => {
        const model = new Model()
        let changes = FIRST.changes
        for (const [index, stretches] of given.entries()) {
          model.fold(stretches, index + 2)
          changes = foldChanges(changes, stretches, versionOf(index + 2))
        }
        if (model.size > 64) many += 1
        const wrong = seqsOf(changes).filter((seq, index) => seq < (model.seqs[index] ?? 0) || seq > given.length + 1)
        expect(wrong).toEqual([])
      }),
      { numRuns: 60 },
    )
    expect(many).toBeGreaterThan(10)
  })

  it('give up what changed longest ago, and of that the shortest: the past before and the newest stay exact', () => {
    let changes = FIRST.changes
    for (let seq = 2; seq <= 101; seq += 1) {
      changes = foldChanges(changes, [{ from: seq * 10, to: seq * 10 + 1 }], versionOf(seq))
    }
    expect(changes).toHaveLength(64)
    const seqs = seqsOf(changes)
    expect(seqs[MOMENTS.indexOf(1000)]).toBe(100)
    expect(changes.slice(-4).map(({ version }) => version.seq)).toEqual([100, 1, 101, 1])
    expect(changes[0]?.version.seq).toBeLessThan(80)
  })

  it('keep one stretch that every refresh changes at one stretch, whatever happens', () => {
    let changes = FIRST.changes
    for (let seq = 2; seq <= 500; seq += 1) changes = foldChanges(changes, [{ from: 10, to: 20 }], versionOf(seq))
    expect(changes.map(({ from, to, version }) => [from, to, version.seq])).toEqual([
      [ALWAYS.from, 10, 1],
      [10, 20, 500],
      [20, ALWAYS.to, 1],
    ])
    expect(foldChanges(changes, [ALWAYS], versionOf(501))).toEqual([{ ...ALWAYS, version: versionOf(501) }])
  })

  it('keep versions apart that share a seq', () => {
    const other = { seq: 1, uuid: uuidOf(99) }
    const changes = foldChanges(FIRST.changes, [{ from: 0, to: 1 }], other)
    expect(changes.map(({ version }) => version)).toEqual([versionOf(1), other, versionOf(1)])
  })

  it('survive being written as JSON', () => {
    fc.assert(
      fc.property(refreshes, (given) => {
        const changes = given.reduce(
          (folded, stretches, index) => foldChanges(folded, stretches, versionOf(index + 2)),
          FIRST.changes,
        )
        const version = versionOf(given.length + 1)
        const lineage = foldLineage(FIRST.lineage, version)
        expect(readHistory(version, JSON.parse(writeChanges(changes)), lineage)).toEqual({ changes, lineage })
      }),
    )
  })
})

describe('a lineage', () => {
  it('holds eight digits of each version, the newest first, of 256 at most', () => {
    let { lineage } = FIRST
    for (let seq = 2; seq <= 300; seq += 1) lineage = foldLineage(lineage, versionOf(seq))
    expect(lineage).toHaveLength(2048)
    expect(lineage.slice(0, 16)).toBe('0000012c0000012b')
    expect(lineage.slice(-8)).toBe(uuidOf(45).slice(0, 8))
  })
})

describe('a history', () => {
  const version = versionOf(7)
  const changes = JSON.parse(writeChanges([{ ...ALWAYS, version: versionOf(3) }]))

  it.each([
    ['nothing', [], ''],
    ['another version, made by a release that knows of no history', changes, uuidOf(6).slice(0, 8)],
    ['a form that is not known', [[null, null]], uuidOf(7).slice(0, 8)],
    ['a stretch that ends before it begins', [[2, 1, '3.a']], uuidOf(7).slice(0, 8)],
    ['no list', { changes }, uuidOf(7).slice(0, 8)],
  ])('of which the columns say %s begins with the version', (_, written, lineage) => {
    expect(readHistory(version, written, lineage)).toEqual(beginHistory(version))
  })
})
