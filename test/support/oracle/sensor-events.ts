import { avg, count, Dataset, Dimension, Measure, max, min, ratio, sum } from '../../../src/index'
import type { TestDatabase } from '../database'
import type { OracleDataset } from './dataset'
import { createRandom, type Random, randomTime } from './random'

/** A dataset with every type that dimensions and measures can have, nulls in all of them. */
@Dataset({
  source: 'sensor_events',
  time: 'at',
  granularity: 'quarter_hour',
  rollups: [
    { by: ['city'], granularity: 'day', timezone: 'Europe/Madrid' },
    { by: ['plan', 'active'], granularity: 'month' },
    { by: ['level', 'active'], granularity: 'hour' },
    { by: ['plan'], granularity: 'week', timezone: 'Australia/Sydney' },
    { by: ['active'], granularity: 'quarter', timezone: 'America/New_York' },
    { by: [], granularity: 'day', timezone: 'Asia/Kolkata' },
    { by: [], granularity: 'year' },
  ],
  refresh: 'manual',
})
export class SensorEvents {
  @Dimension() city!: string | null
  @Dimension() device!: string | null
  @Dimension() plan!: string | null
  @Dimension() active!: boolean | null
  @Dimension() level!: number | null
  @Dimension() installed!: string | null
  @Dimension({ sql: 'left(city, 1)' }) initial!: string | null
  @Measure(count()) events!: number
  @Measure(count({ where: "active AND plan <> 'trial'" })) paidEvents!: number
  @Measure(sum('quantity')) quantity!: number
  @Measure(sum('quantity', { where: 'quantity < 0' })) returned!: number
  @Measure(sum('big')) big!: number
  @Measure(sum('price')) price!: number
  @Measure(sum('temperature')) warmth!: number
  @Measure(sum('reading', { where: 'active IS NOT TRUE' })) reading!: number
  @Measure(sum({ sql: 'quantity * price' })) turnover!: number
  @Measure(avg('quantity')) averageQuantity!: number | null
  @Measure(avg('price')) averagePrice!: number | null
  @Measure(avg('reading')) averageReading!: number | null
  @Measure(min('temperature')) coldest!: number | null
  @Measure(max('reading')) highest!: number | null
  @Measure(min('big', { where: 'level > 0' })) smallest!: number | null
  @Measure(max('price')) dearest!: number | null
  @Measure(min('note')) firstNote!: string | null
  @Measure(max('note', { where: 'active' })) lastNote!: string | null
  @Measure(min('installed')) oldest!: string | null
  @Measure(max('seen')) lastSeen!: string | null
  @Measure(min('seen_locally')) firstSeen!: string | null
  @Measure(ratio('returned', 'quantity')) returnRate!: number | null
  @Measure(ratio('paidEvents', 'events'), { format: 'percent' }) paidShare!: number | null
}

const CITIES: readonly (string | null)[] = [
  null,
  ...['', ' ', 'Madrid', 'madrid', 'MÁLAGA', 'Málaga', 'Ürümqi', 'İzmir', 'izmir', 'Zürich', 'ZÜRICH', '100%'],
  ...['a_b', 'axb', 'a\\b', "O'Hare", '"quoted"', '{x,y}', 'NULL', '🙂 park', '日本'],
]
const PLANS: readonly (string | null)[] = [null, 'trial', 'basic', 'premium']
const NOTES: readonly (string | null)[] = [null, 'b', 'B', 'á', 'zebra', 'Zebra', '', 'ñ']

function device(number: number): string {
  return `0000000${number.toString(16)}-aaaa-4bbb-8ccc-ddddeeeeffff`
}

function day(number: number): string {
  return new Date(Date.UTC(2023, 11, 28 + number)).toISOString().slice(0, 10)
}

const ODD = ['NaN', 'Infinity', '-Infinity']

function randomRow(random: Random): (string | number | boolean | null)[] {
  const maybe = <T>(value: T): T | null => (random.chance(0.12) ? null : value)
  const odd = (value: string): string | null => (random.chance(0.04) ? random.pick(ODD) : maybe(value))
  return [
    randomTime(random),
    random.pick(CITIES),
    maybe(device(random.below(12))),
    random.pick(PLANS),
    maybe(random.chance(0.5)),
    maybe(random.below(7) - 3),
    maybe(day(random.below(9))),
    maybe(random.below(41) - 20),
    maybe(String((random.below(2_000_001) - 1_000_000) * 1_000_003)),
    odd(((random.below(2_000_001) - 1_000_000) / 1000).toFixed(3)),
    odd(((random.below(8_001) - 4_000) / 7).toPrecision(6)),
    odd(String((random.below(2_000_001) - 1_000_000) / 997)),
    random.pick(NOTES),
    maybe(random.chance(0.03) ? 'infinity' : randomTime(random)),
    maybe(randomTime(random).slice(0, 19)),
  ]
}

const COLUMNS = [
  ...['at timestamptz', 'city text', 'device uuid', 'plan plan', 'active boolean', 'level smallint', 'installed date'],
  ...['quantity integer', 'big bigint', 'price numeric', 'temperature real', 'reading double precision', 'note text'],
  ...['seen timestamptz', 'seen_locally timestamp'],
]

export async function createSensorEvents(database: Pick<TestDatabase, 'query'>, rows: number): Promise<void> {
  await database.query(`CREATE TYPE plan AS ENUM ('trial', 'premium', 'basic')`)
  await database.query(`CREATE TABLE sensor_events (${COLUMNS.join(', ')})`)
  const random = createRandom(7)
  const all = Array.from({ length: rows }, () => randomRow(random))
  const arrays = COLUMNS.map((_, column) => all.map((row) => row[column]))
  const types = COLUMNS.map((column) => column.slice(column.indexOf(' ') + 1))
  await database.query(
    `INSERT INTO sensor_events SELECT * FROM unnest(${types.map((type, index) => `$${index + 1}::${type}[]`).join(', ')})`,
    arrays,
  )
  // Times that are none belong to no bucket.
  await database.query(`INSERT INTO sensor_events (at, city) VALUES (NULL, 'Madrid'), ('infinity', 'Madrid')`)
}

const finite = (column: string) => `FILTER (WHERE ${column}::float8 NOT IN ('NaN', 'Infinity', '-Infinity'))`
const turnover = '(quantity * price)'

export const SENSOR_EVENTS: OracleDataset = {
  query: 'sensorEvents',
  from: 'sensor_events',
  time: 'at',
  isDated: false,
  granularity: 'QUARTER_HOUR',
  dimensions: [
    {
      name: 'city',
      type: 'text',
      sql: 'city COLLATE "C"',
      samples: [
        'Madrid',
        'madrid',
        'Málaga',
        '',
        'a_b',
        'a\\b',
        "O'Hare",
        '100%',
        'NULL',
        'İzmir',
        'nowhere',
        '🙂 park',
      ],
      needles: ['MAD', 'á', 'LAGA', 'É', 'ü', 'i', 'İ', '%', '_', '\\', 'zÜ', "'", '"', '日', ' '],
    },
    {
      name: 'device',
      type: 'text',
      sql: 'device::text COLLATE "C"',
      samples: [device(0), device(3), device(11), device(15)],
      needles: ['00000003', 'AAAA', 'b-', '_'],
    },
    {
      name: 'plan',
      type: 'text',
      sql: 'plan::text COLLATE "C"',
      samples: ['trial', 'basic', 'Basic'],
      needles: ['B', 'ial'],
    },
    { name: 'active', type: 'boolean', sql: 'active', samples: [true, false] },
    { name: 'level', type: 'integer', sql: 'level', samples: [-3, -1, 0, 2, 99] },
    { name: 'installed', type: 'date', sql: 'installed', samples: [day(0), day(3), day(4), day(8), '2030-02-28'] },
    {
      name: 'initial',
      type: 'text',
      sql: 'left(city, 1) COLLATE "C"',
      samples: ['M', 'm', ''],
      needles: ['m', 'İ', '1'],
    },
  ],
  measures: [
    { name: 'events', sql: 'count(*)', type: 'integer', isAdditive: true },
    {
      name: 'paidEvents',
      sql: `count(*) FILTER (WHERE active AND plan <> 'trial')`,
      type: 'integer',
      isAdditive: true,
    },
    { name: 'quantity', sql: 'coalesce(sum(quantity), 0)', type: 'integer', isAdditive: true },
    {
      name: 'returned',
      sql: 'coalesce(sum(quantity) FILTER (WHERE quantity < 0), 0)',
      type: 'integer',
      isAdditive: true,
    },
    { name: 'big', sql: 'coalesce(sum(big), 0)', type: 'integer', isAdditive: true },
    { name: 'price', sql: `coalesce(sum(price) ${finite('price')}, 0)::float8`, type: 'exact', isAdditive: true },
    {
      name: 'warmth',
      sql: `coalesce(sum(temperature::float8) ${finite('temperature')}, 0)`,
      type: 'float',
      isAdditive: true,
      magnitude: `sum(abs(temperature::float8)) ${finite('temperature')}`,
    },
    {
      name: 'reading',
      sql: `coalesce(sum(reading) FILTER (WHERE active IS NOT TRUE AND reading NOT IN ('NaN', 'Infinity', '-Infinity')), 0)`,
      type: 'float',
      isAdditive: true,
      magnitude: `sum(abs(reading)) ${finite('reading')}`,
    },
    {
      name: 'turnover',
      sql: `coalesce(sum(${turnover}) ${finite(turnover)}, 0)::float8`,
      type: 'exact',
      isAdditive: true,
    },
    {
      name: 'averageQuantity',
      sql: 'avg(quantity)::float8',
      type: 'float',
      magnitude: 'avg(abs(quantity))',
    },
    {
      name: 'averagePrice',
      sql: `(avg(price) ${finite('price')})::float8`,
      type: 'float',
      magnitude: `avg(abs(price)) ${finite('price')}`,
    },
    {
      name: 'averageReading',
      sql: `avg(reading) ${finite('reading')}`,
      type: 'float',
      magnitude: `avg(abs(reading)) ${finite('reading')}`,
    },
    { name: 'coldest', sql: `(min(temperature) ${finite('temperature')})::float8`, type: 'exact' },
    { name: 'highest', sql: `max(reading) ${finite('reading')}`, type: 'exact' },
    { name: 'smallest', sql: 'min(big) FILTER (WHERE level > 0)', type: 'integer' },
    { name: 'dearest', sql: `(max(price) ${finite('price')})::float8`, type: 'exact' },
    { name: 'firstNote', sql: 'min(note COLLATE "C")', type: 'text' },
    { name: 'lastNote', sql: 'max(note COLLATE "C") FILTER (WHERE active)', type: 'text' },
    { name: 'oldest', sql: 'min(installed)', type: 'date' },
    { name: 'lastSeen', sql: 'max(seen) FILTER (WHERE isfinite(seen))', type: 'time' },
    { name: 'firstSeen', sql: `(min(seen_locally) AT TIME ZONE 'UTC')`, type: 'time' },
    {
      name: 'returnRate',
      sql: 'coalesce(sum(quantity) FILTER (WHERE quantity < 0), 0)::float8 / nullif(sum(quantity), 0)',
      type: 'float',
    },
    {
      name: 'paidShare',
      sql: `count(*) FILTER (WHERE active AND plan <> 'trial')::float8 / nullif(count(*), 0)`,
      type: 'float',
    },
  ],
  // The base rollup: every question is covered.
  rollups: [
    {
      by: ['city', 'device', 'plan', 'active', 'level', 'installed', 'initial'],
      granularity: 'QUARTER_HOUR',
      timezone: 'UTC',
    },
  ],
}
