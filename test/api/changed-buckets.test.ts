import { count, Dataset, Dimension, Measure, sum } from '../../src/index'
import { layoutId, rollupTables } from '../../src/storage/rollup-table'
import { bucketEnd } from '../../src/time/buckets'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { createRandom, type Random } from '../support/oracle/random'
import { openRefresher, type Refresher } from '../support/refresher'

const NOW = Date.parse('2026-03-10T12:20:00Z')
const DAY_MS = 86_400_000
const STEPS = 30

/** Some rollups are made from others and some from the source, on three sets of clocks. */
function declare(refresh: Parameters<typeof Dataset>[0]['refresh']) {
  @Dataset({
    source: 'orders',
    time: 'at',
    base: false,
    refresh,
    rollups: [
      { by: ['paid'], granularity: 'hour', keep: 'P40D' },
      { by: [], granularity: 'day', timezone: 'Europe/Madrid' },
      { by: ['country'], granularity: 'week', timezone: 'America/New_York' },
      { by: ['country'], granularity: 'month' },
      { by: ['country', 'paid'], granularity: 'quarter' },
    ],
  })
  class Orders {
    @Dimension() country!: string
    @Dimension() paid!: boolean
    @Measure(count()) orders!: number
    @Measure(sum('amount')) revenue!: number
  }
  return Orders
}

let database: TestDatabase
let refresher: Refresher

beforeEach(async () => {
  database = await createTestDatabase()
  await database.query('CREATE SCHEMA before')
  await database.query(
    'CREATE TABLE orders (at timestamptz, country text, paid boolean, amount integer, updated_at timestamptz DEFAULT now())',
  )
  await database.query(`INSERT INTO orders SELECT at, (ARRAY['ES', 'FR', 'PT'])[1 + extract(day from at)::integer % 3], extract(hour from at) > 12, 1
    FROM generate_series('2025-11-20 00:10Z', '2026-03-10 12:10Z', interval '3 hours') AS at`)
  refresher = await openRefresher(database.url)
})
afterEach(async () => {
  await refresher?.close()
  await database?.drop()
})

/** A statement that changes a few orders, or some days of them. */
function writeStatement(random: Random): string {
  const day = () => `'2025-11-20Z'::timestamptz + interval '1 day' * ${random.below(112)}`
  const hours = random.pick([1, 4, 40, 400])
  const from = `${day()} + interval '1 hour' * ${random.below(24)}`
  const within = `at >= ${from} AND at < ${from} + interval '${hours} hours'`
  return random.pick([
    `UPDATE orders SET amount = amount + 1, updated_at = now() WHERE ${within}`,
    `UPDATE orders SET paid = NOT paid, updated_at = now() WHERE ${within}`,
    `UPDATE orders SET at = at + interval '1 day' * (${random.below(40) - 20}), updated_at = now() WHERE ${within}`,
    `DELETE FROM orders WHERE ${within}`,
    `INSERT INTO orders SELECT ${from} + i * interval '17 minutes', 'ES', true, 5 FROM generate_series(1, ${1 + random.below(90)}) AS i`,
  ])
}

describe('every bucket in which a row differs', () => {
  it.each([
    ['trigger', { every: '24h', capture: 'trigger' }],
    ['lookback', { every: '24h', lookback: 'P9D' }],
    ['updatedAt', { every: '24h', updatedAt: 'updated_at' }],
  ] as const)('lies over a stretch that its version names, under %s', async (_, mode) => {
    const dataset = declare(mode)
    const random = createRandom(20_260_310)
    const definition = await refresher.define(dataset)
    const tables = rollupTables(definition)
    await refresher.refresh(dataset, { clock: () => NOW })
    let differing = 0
    let named = 0
    for (let step = 1; step <= STEPS; step += 1) {
      const statements = Array.from({ length: 1 + random.below(3) }, () => writeStatement(random))
      await database.query(statements.join(';'))
      for (const { name } of tables) {
        await database.query(
          `DROP TABLE IF EXISTS before."${name}"; CREATE TABLE before."${name}" AS TABLE aggregraph."${name}"`,
        )
      }
      const before = await readChanges(definition)
      const clock = () => NOW + Math.floor(step / 4) * DAY_MS
      const full = random.chance(0.1)
      await refresher.refresh(dataset, { clock, full, sliceRows: random.pick([100, 1_000_000]) })
      const after = await readChanges(definition)
      const recent = after.changes.filter(({ seq }) => seq > before.seq)
      named += recent.length
      for (const { name, rollup } of tables) {
        const [now, then] = [`TABLE aggregraph."${name}"`, `TABLE before."${name}"`]
        const rows = await database.query(`SELECT DISTINCT extract(epoch from bucket)::float8 * 1000 AS bucket FROM (
          (${now} EXCEPT ALL ${then}) UNION ALL (${then} EXCEPT ALL ${now})) AS differing`)
        differing += rows.length
        const hidden = rows
          .map(({ bucket }) => Number(bucket))
          .filter((from) => {
            const to = bucketEnd(from, rollup.granularity, rollup.timezone)
            return !recent.some((change) => change.from < to && from < change.to)
          })
        expect({ step, statements, rollup: rollup.name, hidden }).toMatchObject({ hidden: [] })
      }
    }
    // Both happened: most of time was left alone, and much was changed.
    expect(differing).toBeGreaterThan(100)
    expect(named).toBeGreaterThan(STEPS)
  })
})

async function readChanges(definition: Parameters<typeof layoutId>[0]) {
  const [row] = await database.query('SELECT seq::integer AS seq, changes FROM aggregraph.layout WHERE id = $1', [
    layoutId(definition),
  ])
  // As the column says.
  const written = (row?.changes ?? []) as readonly (readonly [number | null, number | null, string])[]
  const changes = written.map(([from, to, version]) => ({
    from: from ?? Number.NEGATIVE_INFINITY,
    to: to ?? Number.POSITIVE_INFINITY,
    seq: Number.parseInt(version, 10),
  }))
  return { seq: Number(row?.seq), changes }
}
