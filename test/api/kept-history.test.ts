import { count, Dataset, Dimension, Measure } from '../../src/index'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { startTestServer, type TestServer } from '../support/server'

const ROLLUPS = [
  { by: ['country'], granularity: 'day' },
  { by: [], granularity: 'month' },
  { by: [], granularity: 'hour' },
] as const
const HOURS = 2
/** Longer than anything of these tests is old. */
const AGES = 'P900Y'
const NOW = Date.parse('2026-01-15T12:00:00Z')

@Dataset({
  source: 'visits',
  time: 'at',
  base: false,
  rollups: ROLLUPS.map((rollup) => ({ ...rollup, keep: AGES })),
})
class Visits {
  @Dimension() country!: string | null
  @Measure(count()) visits!: number
}

@Dataset({ source: 'visits', time: 'at', base: false, rollups: ROLLUPS, sourceKeeps: AGES })
class PurgedVisits {
  @Dimension() country!: string | null
  @Measure(count()) visits!: number
}

let database: TestDatabase
let server: TestServer

beforeAll(async () => {
  database = await createTestDatabase()
  await database.query('CREATE TABLE visits (at timestamptz NOT NULL, country text)')
  // The 10th of every month of 2024 and 2025.
  await database.query(`INSERT INTO visits
    SELECT '2024-01-10 10:30Z'::timestamptz + i * interval '1 month', 'ES' FROM generate_series(0, 23) AS i`)
  server = await startTestServer({ databaseUrl: database.url, datasets: [Visits, PurgedVisits], clock: () => NOW })
})
afterAll(async () => {
  await server?.stop()
  await database?.drop()
})
afterEach(() => keepFrom('visits', [0, 1, HOURS], null))

/** Lets the rollups of a dataset begin at an instant, as a version with which their retention deletes rows would. */
async function keepFrom(dataset: string, positions: readonly number[], instant: string | null): Promise<void> {
  await database.query(
    `UPDATE aggregraph.rollup SET kept_from = $3 FROM aggregraph.layout
     WHERE layout.id = rollup.layout AND dataset = $1 AND position = ANY ($2::int[])`,
    [dataset, positions, instant],
  )
  await database.query('UPDATE aggregraph.layout SET seq = seq + 1, version = gen_random_uuid() WHERE dataset = $1', [
    dataset,
  ])
}

interface Answer {
  readonly report: Record<string, { readonly visits: number } | null> | null
}

/** The visits that a part counts, or the message and path of its error. */
async function countVisits(dataset: string, from: string | null, to: string, part = 'totals { visits }') {
  const range = from === null ? '' : `(range: { between: { from: "${from}", to: "${to}" } })`
  const { data, errors } = await server.ask<Answer>(`{ report: ${dataset}${range} { ${part} } }`)
  if (errors !== undefined) return `${errors[0]?.extensions.code}: ${errors[0]?.message}`
  const [value] = Object.values(data?.report ?? {})
  if (!Array.isArray(value)) return value?.visits
  return value.reduce((sum: number, { measures }: { measures: { visits: number } }) => sum + measures.visits, 0)
}

const HOURLY = 'series(granularity: HOUR, fill: false) { measures { visits } }'

describe('a rollup that forgets', () => {
  beforeEach(() => keepFrom('visits', [HOURS], '2025-06-01Z'))

  it.each([
    ['from where it begins', '2025-06-01', '2025-09-01', 3],
    ['before there were data', '2023-01-01', '2023-02-01', 0],
    ['after there were data', '2026-01-12', '2026-02-01', 0],
  ])('answers %s', async (_, from, to, visits) => {
    expect(await countVisits('visits', from, to, HOURLY)).toBe(visits)
  })

  it.each([
    ['2025-05-31T23:00:00Z', '2025-06-02'],
    ['2024-03-01', '2024-03-05'],
    ['2023-12-01', '2024-02-01'],
  ])('answers no question that begins at %s', async (from, to) => {
    expect(await countVisits('visits', from, to, HOURLY)).toMatch(
      /^NO_ROLLUP: .*it needs hour buckets in UTC and data from 202\S+Z on\. The nearest rollup is hour, but it keeps buckets from 2025-06-01T00:00:00Z on\.$/,
    )
  })

  it('leaves such questions to rollups that hold more', async () => {
    expect(await countVisits('visits', '2024-03-10T00:00:00Z', '2024-07-11')).toBe(5)
    expect(await countVisits('visits', null, '')).toBe(24)
  })

  it('fails only the parts that reach back too far', async () => {
    await keepFrom('visits', [0, 1, HOURS], '2025-06-01Z')
    const { data, errors } = await server.ask(`{ visits(range: { between: { from: "2025-06-01", to: "2025-08-01" } }) {
      totals { visits } compare(to: PREVIOUS_YEAR) { totals { visits } } } }`)
    expect(data).toEqual({ visits: { totals: { visits: 2 }, compare: { totals: null } } })
    expect(errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual([
      [['visits', 'compare', 'totals'], 'NO_ROLLUP'],
    ])
    expect(await countVisits('visits', null, '')).toContain('it needs data from 2024-01-10T10:00:00Z on')
  })
})

describe('a dataset whose source is purged', () => {
  it('answers questions about all it has from any rollup, also one that begins inside a bucket', async () => {
    expect(await countVisits('purgedVisits', null, '')).toBe(24)
    const monthly = 'series(granularity: MONTH, fill: false) { measures { visits } }'
    expect(await countVisits('purgedVisits', null, '', monthly)).toBe(24)
  })

  it.each([
    ['2024-01-10T10:00:00Z', '2024-02-01', 1],
    ['2024-01-11', '2024-03-01', 1],
    ['2024-02-01', '2025-01-01', 11],
    ['2026-01-11', '2026-01-12', 0],
  ])('answers from its first bucket on: %s', async (from, to, visits) => {
    expect(await countVisits('purgedVisits', from, to)).toBe(visits)
  })

  it.each([
    ['2024-01-10T09:00:00Z', '2024-02-01'],
    ['2024-01-01', '2024-02-01'],
    ['2022-01-01', '2023-01-01'],
  ])('answers an error, and not 0, to what was before: %s', async (from, to) => {
    expect(await countVisits('purgedVisits', from, to)).toMatch(/^NO_ROLLUP: .* it keeps buckets from 2024-0/)
  })

  it('says nothing of all it has where a rollup has forgotten some', async () => {
    await keepFrom('purgedVisits', [1, HOURS], '2025-06-01Z')
    await keepFrom('purgedVisits', [0], '2025-01-01Z')
    // The day rollup reaches back farthest; what the others lack is in it.
    expect(
      await countVisits('purgedVisits', null, '', 'series(granularity: DAY, fill: false) { measures { visits } }'),
    ).toBe(24)
    const { errors } = await server.ask('{ purgedVisits { breakdown(by: [HOUR_OF_DAY]) { totalCount } } }')
    expect(errors?.map(({ message }) => message)).toEqual([
      expect.stringContaining('The nearest rollup is hour, but it keeps buckets from 2025-06-01T00:00:00Z on.'),
    ])
  })
})
