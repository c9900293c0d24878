import type { Declaration, MeasureSpec, RollupOptions } from '../../../src/dataset/declaration'
import { avg, count, countDistinct, last, max, min, quantile, ratio, sum } from '../../../src/index'
import type { Random } from '../oracle/random'
import type { World } from './world'

type Granularity = RollupOptions['granularity']

/** How near a value has to be: equal, within the order of a float's sum, or within a sketch's bound. */
export type Nearness = 'equal' | 'float' | 'distinct' | 'quantile'

/** A measure as it is declared, and as plain SQL over the source's rows says it. */
export interface KnownMeasure {
  readonly name: string
  readonly spec: MeasureSpec
  readonly sql: string
  readonly nearness: Nearness
  /** Sum of the magnitudes that a float was added up from. */
  readonly magnitude?: string
  /** Column whose NaN and infinite values it ignores. */
  readonly ignores?: 'price' | 'f'
}

export interface KnownRollup {
  readonly by: readonly string[]
  readonly granularity: Granularity
  readonly timezone: string
  readonly keep: string | null
}

/** One definition of the dataset, as some release of the application has it. */
export interface Release {
  readonly declaration: Declaration
  readonly granularity: Granularity
  readonly timezone: string
  readonly dimensions: readonly string[]
  readonly measures: readonly KnownMeasure[]
  /** In the order of their positions. */
  readonly rollups: readonly KnownRollup[]
}

const PRICE = `abs(price) < 'Infinity'`
const F = `abs(f) < 'Infinity'`

const ALWAYS_KEPT: readonly KnownMeasure[] = [
  { name: 'rows', spec: count(), sql: 'count(*)', nearness: 'equal' },
  { name: 'bigOnes', spec: count({ where: 'n > 10' }), sql: 'count(*) FILTER (WHERE n > 10)', nearness: 'equal' },
]

const POOL: readonly KnownMeasure[] = [
  { name: 'total', spec: sum('n'), sql: 'coalesce(sum(n), 0)', nearness: 'equal' },
  {
    name: 'amount',
    spec: sum('price'),
    sql: `coalesce(sum(price) FILTER (WHERE ${PRICE}), 0)`,
    nearness: 'equal',
    ignores: 'price',
  },
  {
    name: 'weight',
    spec: sum('f'),
    sql: `coalesce(sum(f) FILTER (WHERE ${F}), 0)`,
    nearness: 'float',
    magnitude: `sum(abs(f)) FILTER (WHERE ${F})`,
    ignores: 'f',
  },
  { name: 'meanN', spec: avg('n'), sql: 'avg(n)', nearness: 'equal' },
  {
    name: 'meanPrice',
    spec: avg('price'),
    sql: `avg(price) FILTER (WHERE ${PRICE})`,
    nearness: 'equal',
    ignores: 'price',
  },
  {
    name: 'meanF',
    spec: avg('f', { where: 'flag' }),
    sql: `avg(f) FILTER (WHERE ${F} AND flag)`,
    nearness: 'float',
    magnitude: `avg(abs(f)) FILTER (WHERE ${F} AND flag)`,
    ignores: 'f',
  },
  { name: 'least', spec: min('f'), sql: `min(f) FILTER (WHERE ${F})`, nearness: 'equal', ignores: 'f' },
  { name: 'most', spec: max('price'), sql: `max(price) FILTER (WHERE ${PRICE})`, nearness: 'equal', ignores: 'price' },
  { name: 'highest', spec: max('n', { where: 'NOT flag' }), sql: 'max(n) FILTER (WHERE NOT flag)', nearness: 'equal' },
  { name: 'firstCity', spec: min('city'), sql: 'min(city COLLATE "C")', nearness: 'equal' },
  {
    name: 'share',
    spec: ratio('bigOnes', 'rows'),
    sql: 'count(*) FILTER (WHERE n > 10)::float8 / count(*)::float8',
    nearness: 'float',
    magnitude: '1',
  },
  { name: 'kinds', spec: countDistinct('n'), sql: 'count(DISTINCT n)', nearness: 'distinct' },
  { name: 'cities', spec: countDistinct('city'), sql: 'count(DISTINCT city)', nearness: 'distinct' },
  {
    name: 'p90',
    spec: quantile(0.9, 'f'),
    sql: `percentile_disc(0.9) WITHIN GROUP (ORDER BY f) FILTER (WHERE ${F})`,
    nearness: 'quantile',
    ignores: 'f',
  },
  {
    name: 'newest',
    spec: last('n'),
    sql: '(array_agg(n ORDER BY instant DESC, n DESC) FILTER (WHERE n IS NOT NULL))[1]',
    nearness: 'equal',
  },
]

const SIZES: readonly Granularity[] = ['minute', 'quarter_hour', 'hour', 'day', 'week', 'month', 'quarter', 'year']
const DAY = SIZES.indexOf('day')

function some<T>(random: Random, items: readonly T[], least: number): T[] {
  const chosen = items.filter(() => random.chance(0.5))
  return chosen.length >= least ? chosen : items.slice(0, least)
}

function randomRollups(
  world: World,
  random: Random,
  dimensions: readonly string[],
  granularity: Granularity,
): RollupOptions[] {
  const finest = SIZES.indexOf(granularity)
  const zones = ['UTC', world.zone, world.zone, 'Australia/Lord_Howe', 'America/New_York']
  return Array.from({ length: 1 + random.below(4) }, () => {
    const size = random.pick(SIZES.slice(finest, random.chance(0.7) ? Math.max(DAY + 1, finest + 1) + 2 : SIZES.length))
    const isLocal = SIZES.indexOf(size) >= DAY && world.timeType !== 'date'
    // A retention and a rebuild at an hour of its own choosing would need a clock each.
    const isKept = world.flavour !== 'query' && random.chance(0.12)
    return {
      by: some(random, dimensions, 0),
      granularity: size,
      ...(isLocal && random.chance(0.6) && { timezone: random.pick(zones) }),
      ...(isKept && { keep: 'P20D' }),
    }
  })
}

function sourceOf({ schema, flavour }: World) {
  if (flavour !== 'query') return `${schema}.t`
  return {
    sql: `SELECT t.*, d.label FROM ${schema}.t LEFT JOIN ${schema}.d ON d.id = t.kind`,
    dependsOn: { [`${schema}.t`]: { columns: ['id'] }, [`${schema}.d`]: { columns: ['label'] } },
  }
}

/** A definition of a history's dataset. */
export function createRelease(world: World, random: Random): Release {
  const dimensions = some(random, ['city', 'flag', 'level', ...(world.flavour === 'query' ? ['label'] : [])], 1)
  const measures = [...ALWAYS_KEPT, ...some(random, POOL, 3).slice(0, 6)]
  const granularity =
    world.timeType === 'date' ? 'day' : random.pick(['minute', 'quarter_hour', 'hour', 'hour', 'day'] as const)
  const timezone = random.chance(0.8) ? world.zone : 'UTC'
  const hasBase = random.chance(0.6)
  const base = { by: dimensions, granularity }
  const written = new Map<string, RollupOptions>()
  const nameOf = ({ by, granularity: size, timezone: zone }: RollupOptions) => {
    const isLocal = SIZES.indexOf(size) >= DAY && world.timeType !== 'date'
    return JSON.stringify([by, size, isLocal ? (zone ?? timezone) : 'UTC'])
  }
  for (const rollup of randomRollups(world, random, dimensions, granularity)) written.set(nameOf(rollup), rollup)
  if (hasBase) written.delete(nameOf(base))
  const rollups = [...written.values()]
  const refresh = {
    capture: 'trigger',
    every: '1s',
    ...(world.flavour === 'query' && { rebuildAtMost: '1s' }),
  } as const
  return {
    ...{ granularity, timezone, dimensions, measures },
    declaration: {
      className: world.className,
      options: { source: sourceOf(world), time: 'at', timezone, granularity, base: hasBase, rollups, refresh },
      dimensions: dimensions.map((name) => ({ name, options: {} })),
      measures: measures.map(({ name, spec }) => ({ name, spec, options: {} })),
    },
    rollups: (hasBase ? [base, ...rollups] : rollups).map((rollup) => ({
      by: rollup.by,
      granularity: rollup.granularity,
      timezone: 'timezone' in rollup && rollup.timezone !== undefined ? rollup.timezone : timezone,
      keep: 'keep' in rollup && rollup.keep !== undefined ? rollup.keep : null,
    })),
  }
}
