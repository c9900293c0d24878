/** Numbers that look random and are the same every time (mulberry32). */
export interface Random {
  /** From 0 to below `end`. */
  below(end: number): number
  pick<T>(items: readonly T[]): T
  /** True so often. */
  chance(share: number): boolean
}

export function createRandom(seed: number): Random {
  let state = seed
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    below: (end) => Math.floor(next() * end),
    pick: (items) => {
      const item = items[Math.floor(next() * items.length)]
      if (item === undefined) throw new Error('There is nothing to pick from')
      return item
    },
    chance: (share) => next() < share,
  }
}

/** Changes of clocks from 2024 to 2026 in Madrid, New York and Sydney, epoch milliseconds. */
export const CLOCK_CHANGES: readonly number[] = [
  '2024-03-31T01:00Z',
  '2024-10-27T01:00Z',
  '2025-03-30T01:00Z',
  '2025-10-26T01:00Z',
  '2026-03-29T01:00Z',
  '2026-10-25T01:00Z',
  '2024-03-10T07:00Z',
  '2024-11-03T06:00Z',
  '2025-03-09T07:00Z',
  '2025-11-02T06:00Z',
  '2026-03-08T07:00Z',
  '2026-11-01T06:00Z',
  '2024-04-06T16:00Z',
  '2024-10-05T16:00Z',
  '2025-04-05T16:00Z',
  '2025-10-04T16:00Z',
  '2026-04-04T16:00Z',
  '2026-10-03T16:00Z',
].map((text) => Date.parse(text))

/** Last days of months that are longer than the month before. */
export const MONTH_ENDS: readonly number[] = ['2024-03-29', '2025-03-31', '2025-05-31', '2025-07-31', '2026-10-30'].map(
  (date) => Date.parse(date),
)

const HOUR_SECONDS = 3_600
const BEGIN = Date.UTC(2024, 0, 1)
const YEARS_SECONDS = (Date.UTC(2027, 0, 1) - BEGIN) / 1000

/** A time from 2024 to 2026, as often as not within two days of a change of clocks, often just on the hour or midnight. */
export function randomTime(random: Random): string {
  const isNear = random.chance(0.5)
  const near = random.pick(CLOCK_CHANGES) + (random.below(96) - 48) * HOUR_SECONDS * 1000
  const base = isNear ? near : BEGIN + random.below(YEARS_SECONDS) * 1000
  const second = random.chance(0.1) ? 0 : random.below(HOUR_SECONDS)
  const hour = Math.floor(base / (HOUR_SECONDS * 1000)) * HOUR_SECONDS * 1000
  return new Date(hour + second * 1000).toISOString()
}
