import { avg, count, Dataset, Dimension, Measure, max, min, sum } from '../../../src/index'
import type { TestDatabase } from '../database'
import type { OracleDataset } from './dataset'
import { createRandom, randomTime } from './random'

/** Times without a zone, as a till in New York writes them. */
@Dataset({
  source: 'visits',
  time: 'at',
  timezone: 'America/New_York',
  rollups: [{ by: ['shop'], granularity: 'day' }],
  refresh: 'manual',
})
export class Visits {
  @Dimension() shop!: string | null
  @Dimension() guests!: number | null
  @Measure(count()) visits!: number
  @Measure(sum('amount')) amount!: number
  @Measure(avg('amount')) averageAmount!: number | null
  @Measure(max('at')) latest!: string | null
}

/** Dates, which no zone shifts. */
@Dataset({
  source: 'postings',
  time: 'day',
  timezone: 'America/New_York',
  rollups: [
    { by: ['account'], granularity: 'month' },
    { by: [], granularity: 'week' },
  ],
  refresh: 'manual',
})
export class Postings {
  @Dimension() account!: string | null
  @Dimension() cleared!: boolean | null
  @Measure(count()) postings!: number
  @Measure(sum('amount')) balance!: number
  @Measure(min('day')) earliest!: string | null
}

export async function createLocalTimes(database: Pick<TestDatabase, 'query'>, rows: number): Promise<void> {
  const random = createRandom(11)
  const shops = [null, 'Bowery', 'bowery', 'Queens'] as const
  const times = Array.from({ length: rows }, () => randomTime(random))
  const picks = times.map(() => random.pick(shops))
  const numbers = times.map(() => (random.chance(0.1) ? null : random.below(2001) - 1000))
  const columns = [times.map((time) => time.slice(0, 19)), picks, numbers]
  await database.query('CREATE TABLE visits (at timestamp NOT NULL, shop text, guests integer, amount integer)')
  await database.query(
    `INSERT INTO visits SELECT at, shop, amount % 4, amount FROM unnest($1::timestamp[], $2::text[], $3::integer[]) AS v(at, shop, amount)`,
    columns,
  )
  await database.query('CREATE TABLE postings (day date NOT NULL, account text, cleared boolean, amount numeric(9, 2))')
  await database.query(
    `INSERT INTO postings SELECT at::date, shop, amount > 0, amount / 100.0 FROM unnest($1::timestamp[], $2::text[], $3::integer[]) AS v(at, shop, amount)`,
    columns,
  )
}

const SHOPS = { samples: ['Bowery', 'Queens', ''], needles: ['BOW', 's', '_'] } as const

export const VISITS: OracleDataset = {
  query: 'visits',
  from: 'visits',
  time: `(at AT TIME ZONE 'America/New_York')`,
  isDated: false,
  granularity: 'HOUR',
  dimensions: [
    { name: 'shop', type: 'text', sql: 'shop COLLATE "C"', ...SHOPS },
    { name: 'guests', type: 'integer', sql: 'guests', samples: [-3, -1, 0, 2] },
  ],
  measures: [
    { name: 'visits', sql: 'count(*)', type: 'integer', isAdditive: true },
    { name: 'amount', sql: 'coalesce(sum(amount), 0)', type: 'integer', isAdditive: true },
    { name: 'averageAmount', sql: 'avg(amount)::float8', type: 'float', magnitude: 'avg(abs(amount))' },
    { name: 'latest', sql: `max(at AT TIME ZONE 'America/New_York')`, type: 'time' },
  ],
  rollups: [{ by: ['shop', 'guests'], granularity: 'HOUR', timezone: 'UTC' }],
}

export const POSTINGS: OracleDataset = {
  query: 'postings',
  from: 'postings',
  time: `(day::timestamp AT TIME ZONE 'UTC')`,
  isDated: true,
  granularity: 'DAY',
  dimensions: [
    { name: 'account', type: 'text', sql: 'account COLLATE "C"', ...SHOPS },
    { name: 'cleared', type: 'boolean', sql: 'cleared', samples: [true, false] },
  ],
  measures: [
    { name: 'postings', sql: 'count(*)', type: 'integer', isAdditive: true },
    { name: 'balance', sql: 'coalesce(sum(amount), 0)::float8', type: 'exact', isAdditive: true },
    { name: 'earliest', sql: 'min(day)', type: 'date' },
  ],
  rollups: [{ by: ['account', 'cleared'], granularity: 'DAY', timezone: 'UTC' }],
}
