import { avg, count, countDistinct, Dataset, Dimension, Measure, max, quantile, sum } from '../src/index'

const SHAPE = {
  source: 'flights',
  time: 'departed_at',
  rollups: [
    { by: ['origin'], granularity: 'day' },
    { by: [], granularity: 'month' },
  ],
  refresh: { every: '1h', capture: 'trigger' },
} as const

/** Additive measures alone, as hand-written summary tables have them. */
@Dataset(SHAPE)
export class Trips {
  @Dimension() origin!: string
  @Measure(count()) trips!: number
  @Measure(sum('distance')) distance!: number
  @Measure(avg('delay')) averageDelay!: number | null
  @Measure(max('delay')) worstDelay!: number | null
}

/** The same, and both sketches. */
@Dataset(SHAPE)
export class SketchedTrips {
  @Dimension() origin!: string
  @Measure(count()) trips!: number
  @Measure(sum('distance')) distance!: number
  @Measure(avg('delay')) averageDelay!: number | null
  @Measure(max('delay')) worstDelay!: number | null
  @Measure(countDistinct('destination')) destinations!: number
  @Measure(quantile(0.95, 'delay')) p95Delay!: number | null
}

/** What a team writes by hand for the same three rollups: one statement a table, each from the source. */
export const HAND_WRITTEN: readonly string[] = [
  ['hour', 'origin'],
  ['day', 'origin'],
  ['month', null],
].map(([unit, dimension]) => {
  const keys = [`date_trunc('${unit}', departed_at, 'UTC') AS bucket`, ...(dimension === null ? [] : [dimension])]
  return `CREATE TABLE by_hand_${unit} AS SELECT ${keys.join(', ')}, count(*) AS trips, sum(distance) AS distance,
    sum(delay) AS delay_sum, count(delay) AS delay_count, max(delay) AS worst_delay FROM flights GROUP BY ${keys.map((_, index) => index + 1).join(', ')}`
})

/** The indexes that such tables need to be refreshed and asked. */
export const HAND_WRITTEN_INDEXES: readonly string[] = [
  'CREATE UNIQUE INDEX ON by_hand_hour (origin, bucket)',
  'CREATE INDEX ON by_hand_hour (bucket)',
  'CREATE UNIQUE INDEX ON by_hand_day (origin, bucket)',
  'CREATE INDEX ON by_hand_day (bucket)',
  'CREATE UNIQUE INDEX ON by_hand_month (bucket)',
]
