import fc from 'fast-check'
import {
  isAncestor,
  isCurrent,
  newestChange,
  overlap,
  readChanges,
  readStretches,
  writeChanges,
  writeStretch,
} from '../../../src/cache/history'
import type { TopicState } from '../../../src/cache/topic-state'
import { beginHistory } from '../../../src/storage/changes'
import { ALWAYS, type Stretch } from '../../../src/time/stretch'
import { follow, versionOf } from '../../contract/versions'

const bound = fc.integer({ min: 0, max: 12 })
const stretch: fc.Arbitrary<Stretch> = fc
  .tuple(fc.oneof(bound, fc.constant(Number.NEGATIVE_INFINITY)), fc.oneof(bound, fc.constant(Number.POSITIVE_INFINITY)))
  .filter(([from, to]) => from < to)
  .map(([from, to]) => ({ from, to }))
/** Every instant that a stretch of those above can begin with. */
const INSTANTS = [Number.NEGATIVE_INFINITY, ...Array.from({ length: 13 }, (_, index) => index)]

/** One version of the naive model: what each instant holds is the uuid of the version that last wrote there. */
interface Model {
  readonly state: TopicState<string>
  readonly written: ReadonlyMap<number, string>
}

function contains({ from, to }: Stretch, instant: number): boolean {
  return from <= instant && instant < to
}

function write(before: Model | undefined, name: string, changed: readonly Stretch[]): Model {
  const version = versionOf((before?.state.version.seq ?? 0) + 1, name)
  const state = follow(before?.state, version, changed)
  const isWritten = (instant: number) => !before || changed.some((one) => contains(one, instant))
  const written = INSTANTS.map((instant): [number, string] => [
    instant,
    isWritten(instant) ? version.uuid : (before?.written.get(instant) ?? ''),
  ])
  return { state, written: new Map(written) }
}

function hasSame(a: Model, b: Model, over: readonly Stretch[]): boolean {
  return INSTANTS.every((instant) => {
    return !over.some((one) => contains(one, instant)) || a.written.get(instant) === b.written.get(instant)
  })
}

const changes = fc.array(fc.array(stretch, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 20 })

it('takes an earlier version for current exactly where nothing was written since', () => {
  fc.assert(
    fc.property(changes, fc.array(stretch, { minLength: 1, maxLength: 2 }), fc.nat(), fc.nat(), (all, over, a, b) => {
      const models = [write(undefined, 'begin', [ALWAYS])]
      for (const [index, changed] of all.entries()) models.push(write(models.at(-1), `n${index}`, changed))
      const [one, other] = [models[a % models.length], models[b % models.length]]
      if (!one || !other) throw new Error('no model')
      const isEarlier = one.state.version.seq <= other.state.version.seq
      expect(isAncestor(other.state, one.state.version)).toBe(isEarlier)
      expect(isCurrent(other.state, one.state.version, over)).toBe(isEarlier && hasSame(one, other, over))
    }),
    { numRuns: 300, seed: 4 },
  )
})

it('never believes a version of a database that was restored since, though it repeats the number', () => {
  fc.assert(
    fc.property(changes, changes, fc.nat(), stretch, (lost, lived, at, over) => {
      const before = [write(undefined, 'begin', [ALWAYS])]
      for (const [index, changed] of lost.entries()) before.push(write(before.at(-1), `lost${index}`, changed))
      // A backup from after some of these, and another life from there.
      const kept = at % before.length
      const after = before.slice(0, kept + 1)
      for (const [index, changed] of lived.entries()) after.push(write(after.at(-1), `live${index}`, changed))
      const current = after.at(-1)
      if (!current) throw new Error('no model')
      for (const [index, { state }] of before.entries()) {
        if (index > kept) expect(isCurrent(current.state, state.version, [over])).toBe(false)
      }
    }),
    { numRuns: 200, seed: 5 },
  )
})

it('merges what would be more than 64 changes so that an entry may seem too old, never too new', () => {
  const wide = fc.integer({ min: 0, max: 400 }).map((from) => [{ from, to: from + 1 }])
  fc.assert(
    fc.property(fc.array(wide, { minLength: 100, maxLength: 150 }), fc.integer({ min: 0, max: 400 }), (all, from) => {
      const lastAt = new Map<number, number>()
      let state = follow(undefined, versionOf(1))
      for (const [index, changed] of all.entries()) {
        state = follow(state, versionOf(index + 2), changed)
        lastAt.set(changed[0]?.from ?? 0, index + 2)
      }
      expect(state.history.changes.length).toBeLessThanOrEqual(64)
      const seen = newestChange(state.history, [{ from, to: from + 1 }])?.seq ?? 0
      expect(seen).toBeGreaterThanOrEqual(lastAt.get(from) ?? 1)
    }),
    { numRuns: 25, seed: 6 },
  )
})

it('knows 255 versions before the current one, and older ones while they are the last to have changed something', () => {
  let state = follow(undefined, versionOf(1), [ALWAYS])
  const versions = [state.version]
  for (let seq = 2; seq <= 300; seq++) {
    state = follow(state, versionOf(seq), [{ from: 0, to: 1 }])
    versions.push(state.version)
  }
  const known = versions.filter((version) => isAncestor(state, version)).map(({ seq }) => seq)
  expect(known).toEqual([1, ...Array.from({ length: 256 }, (_, index) => 45 + index)])
  expect(isCurrent(state, versionOf(1), [{ from: 5, to: 6 }])).toBe(true)
  expect(isCurrent(state, versionOf(1, 'other'), [{ from: 5, to: 6 }])).toBe(false)
  expect(isCurrent(state, versionOf(44), [{ from: 5, to: 6 }])).toBe(false)
  expect(isCurrent(state, versionOf(301), [{ from: 5, to: 6 }])).toBe(false)
})

it('begins with everything of one version', () => {
  const version = versionOf(7)
  const state = { version, history: beginHistory(version) }
  expect(newestChange(state.history, [{ from: -1e15, to: 1e15 }])).toEqual(version)
  expect(isCurrent(state, version, [ALWAYS])).toBe(true)
  expect(isCurrent(state, versionOf(6), [ALWAYS])).toBe(false)
})

it.each([
  ['touching', [0, 10], [10, 20], false],
  ['sharing an instant', [0, 10], [9, 20], true],
  ['inside', [0, 10], [4, 5], true],
  ['of all time', [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY], [4, 5], true],
  ['open on the other side', [Number.NEGATIVE_INFINITY, 4], [4, Number.POSITIVE_INFINITY], false],
] as const)('says of stretches that are %s whether they overlap', (_, [a, b], [c, d], expected) => {
  expect(overlap([{ from: a, to: b }], [{ from: c, to: d }])).toBe(expected)
  expect(overlap([{ from: c, to: d }], [{ from: a, to: b }])).toBe(expected)
  expect(overlap([], [{ from: c, to: d }])).toBe(false)
})

it('reads back the changes and stretches that it writes', () => {
  const change = fc.record({ stretch, seq: fc.nat(), name: fc.constantFrom('a', 'b-c', '0F') })
  fc.assert(
    fc.property(fc.array(change), (all) => {
      const list = all.map(({ stretch: one, seq, name }) => ({ ...one, version: { seq, uuid: name } }))
      expect(readChanges(JSON.parse(JSON.stringify(writeChanges(list))))).toEqual(list)
      const bare = all.map((one) => one.stretch)
      expect(readStretches(JSON.parse(JSON.stringify(bare.map(writeStretch))))).toEqual(bare)
    }),
  )
})

it.each<[unknown]>([
  [null],
  [{}],
  ['[]'],
  [[null]],
  [[[]]],
  [[[1]]],
  [[[1, 1, '1.u']]],
  [[[2, 1, '1.u']]],
  [[['1', 2, '1.u']]],
  [[[Number.NaN, 2, '1.u']]],
  [[[{}, 2, '1.u']]],
])('refuses %j for changes and for stretches', (written) => {
  expect(readChanges(written)).toBeNull()
  expect(readStretches(written)).toBeNull()
})

it.each<[unknown]>([
  [[[1, 2]]],
  [[[1, 2, null]]],
  [[[1, 2, 7]]],
  [[[1, 2, 'u']]],
  [
    [
      [1, 2, '1.u'],
      [2, 3],
    ],
  ],
])('refuses %j for changes', (written) => {
  expect(readChanges(written)).toBeNull()
})
