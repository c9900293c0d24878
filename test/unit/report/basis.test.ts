import fc from 'fast-check'
import { defineDataset } from '../../../src/dataset/define'
import type { Definition } from '../../../src/dataset/definition'
import { DeclarationError } from '../../../src/errors'
import { basisOf } from '../../../src/report/basis'
import { type Frame, resolveFrame } from '../../../src/report/frame'
import type { RangeArgument } from '../../../src/report/request'
import type { LayoutState } from '../../../src/storage/layouts'
import { bucketStart } from '../../../src/time/buckets'
import { aDeclaration } from '../dataset/a-declaration'
import { ZONES } from '../time/zones'

const DAY_MS = 86_400_000
const at = (text: string) => Date.parse(text)
const STATE: LayoutState = {
  isReady: true,
  isExact: true,
  dataFrom: at('2020-01-01T00:00:00Z'),
  dataTo: at('2024-01-01T00:00:00Z'),
  dataAsOf: at('2024-01-01T00:00:00Z'),
  rows: [1],
  keptFrom: [null],
}

function define(time: 'day' | 'at'): Definition {
  const result = defineDataset(aDeclaration({ options: { time }, dimensions: {} }), {
    relation: { columns: ['day', 'at'] },
    expressions: {
      '"day"': { type: 'date', pgType: 'date' },
      '"at"': { type: 'timestamptz', pgType: 'timestamp with time zone' },
    },
    dependencies: {},
    capture: null,
  })
  if ('faults' in result) throw new DeclarationError(result.faults)
  return result.definition
}

const DATES = define('day')
const INSTANTS = define('at')

const TODAY: RangeArgument = { period: 'today' }
const OPEN: RangeArgument = { between: { from: '2020-01-01', to: '2199-01-01' } }

function frameAt(definition: Definition, range: RangeArgument | null, timezone: string, clock: number): Frame {
  return resolveFrame(definition, STATE, { range, timezone }, clock)
}

/** The moment, written in UTC, until which an answer given at another is what would be answered. */
function expiryOf(definition: Definition, range: RangeArgument | null, timezone: string, now: string): string | null {
  const clock = at(now)
  const { expiresAt } = basisOf(definition, [frameAt(definition, range, timezone, clock)], clock)
  return expiresAt === null ? null : new Date(expiresAt).toISOString()
}

/** What of a frame follows the clock: its bounds, and while it reaches past now the bucket of the dataset that holds now. */
function standing(definition: Definition, { from, to, now }: Frame): readonly (number | null)[] {
  return [from, to, to > now ? bucketStart(now, definition.granularity, 'UTC') : null]
}

describe('the moment at which an answer is over', () => {
  it.each<[string, string, string, string]>([
    ['a day of 24 hours', 'Europe/Madrid', '2026-03-28T12:00:00Z', '2026-03-28T23:00:00.000Z'],
    ['a day of 23 hours, from its first moment', 'Europe/Madrid', '2026-03-28T23:00:00Z', '2026-03-29T22:00:00.000Z'],
    ['a day of 23 hours, after the change', 'Europe/Madrid', '2026-03-29T01:00:00Z', '2026-03-29T22:00:00.000Z'],
    ['a day of 25 hours, from its first moment', 'Europe/Madrid', '2026-10-24T22:00:00Z', '2026-10-25T23:00:00.000Z'],
    ['a day whose last hour is skipped', 'America/Nuuk', '2026-03-29T00:59:00Z', '2026-03-29T01:00:00.000Z'],
    ['a day whose midnight is skipped', 'Asia/Beirut', '2026-03-28T21:59:00Z', '2026-03-28T22:00:00.000Z'],
    ['a day after which a date is skipped', 'Pacific/Apia', '2011-12-30T09:59:00Z', '2011-12-30T10:00:00.000Z'],
  ])('is the midnight of whoever asks, of dates: %s', (_, timezone, now, expected) => {
    expect(expiryOf(DATES, TODAY, timezone, now)).toBe(expected)
    expect(expiryOf(DATES, OPEN, timezone, now)).toBe(expected)
  })

  it('does not come for a range that is over, nor for all data that are', () => {
    const past: RangeArgument = { between: { from: '2025-01-01', to: '2025-02-01' } }
    for (const definition of [DATES, INSTANTS]) {
      expect(expiryOf(definition, past, 'Europe/Madrid', '2026-03-28T23:30:00Z')).toBeNull()
      expect(expiryOf(definition, null, 'Europe/Madrid', '2026-03-28T23:30:00Z')).toBeNull()
    }
  })

  it.each([
    ['dates', DATES],
    ['instants', INSTANTS],
  ])('is the first at which the question about %s is another, in every zone', (_, definition) => {
    const ranges = fc.constantFrom<RangeArgument>(
      TODAY,
      OPEN,
      { last: { count: 3, unit: 'day' } },
      { last: { count: 2, unit: 'month' } },
      { period: 'last_week' },
    )
    // Around the days on which clocks change; by the rules of these years no date comes back.
    const clocks = fc
      .tuple(fc.constantFrom('2026-03-28', '2026-03-29', '2026-04-05', '2026-10-04', '2026-10-25'), fc.integer())
      .map(([day, part]) => at(`${day}T00:00:00Z`) + (Math.abs(part) % (2 * DAY_MS)) - DAY_MS / 2)
    const zones = fc.constantFrom('America/Nuuk', 'America/Havana', ...ZONES).filter(hasWholeHours)
    fc.assert(
      fc.property(ranges, zones, clocks, (range, timezone, clock) => {
        const seen = (instant: number) => standing(definition, frameAt(definition, range, timezone, instant))
        const { expiresAt } = basisOf(definition, [frameAt(definition, range, timezone, clock)], clock)
        if (expiresAt === null) throw new Error('It never comes')
        expect(expiresAt).toBeGreaterThan(clock)
        expect(seen(expiresAt - 1)).toEqual(seen(clock))
        expect(seen(expiresAt)).not.toEqual(seen(clock))
      }),
    )
  })
})

/** Buckets of an hour cannot be asked for in others. */
function hasWholeHours(zone: string): boolean {
  return !['Asia/Kolkata', 'Asia/Kathmandu', 'Australia/Lord_Howe'].includes(zone)
}
