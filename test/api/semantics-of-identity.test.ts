import { defineDatasets } from '../../src/dataset/define'
import { avg, count, Dataset, Dimension, Measure, ratio, sum } from '../../src/index'
import { describeSource } from '../../src/storage/describe-source'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { declarationsOf, startTestServer, type TestServer } from '../support/server'

@Dataset({ source: 'visits', time: 'at', refresh: 'manual', rollups: [{ by: ['place'], granularity: 'day' }] })
class Visits {
  @Dimension() place!: string
  @Measure(count()) visits!: number
  @Measure(sum('weight')) weight!: number
}

@Dataset({ source: 'visits', time: 'at', refresh: 'manual', scope: { place: 'place' } })
class ScopedVisits {
  @Dimension() place!: string
  @Measure(count()) visits!: number
}

const NOW = Date.parse('2026-03-15T10:20:00Z')

describe('answers', () => {
  let database: TestDatabase
  let server: TestServer

  beforeAll(async () => {
    database = await createTestDatabase()
    await database.query('CREATE TABLE visits (at timestamptz NOT NULL, place text NOT NULL, weight double precision)')
    // Eight places of the same weight but for the last digits, which hang on the order in which they are added up.
    await database.query(`INSERT INTO visits
      SELECT '2026-01-01Z'::timestamptz + i * interval '11 minutes', 'p' || i % 8, 0.1 + (i / 8 % 10) * 0.1
      FROM generate_series(0, 8 * 1000 - 1) AS i`)
    const options = { databaseUrl: database.url, clock: () => NOW, env: { INTROSPECTION: 'off' } }
    server = await startTestServer({ ...options, datasets: [Visits, ScopedVisits] })
  })
  afterAll(async () => {
    await server?.stop()
    await database?.drop()
  })

  const ask = async <T>(query: string) => {
    const { data, errors } = await server.ask<T>(query)
    expect(errors).toBeUndefined()
    if (data === undefined) throw new Error('No answer')
    return data
  }

  it.each([1, 2, 3, 5, 7])('of other and of its series speak of the same groups, on a page of %d', async (first) => {
    interface Answer {
      readonly visits: {
        readonly breakdown: {
          readonly other: { measures: { visits: number }; series: { measures: { visits: number } }[] }
        }
      }
    }
    const { visits } = await ask<Answer>(`{ visits {
      breakdown(by: [PLACE], first: ${first}, orderBy: [{ field: WEIGHT }]) {
        other { measures { visits } series(granularity: HOUR) { measures { visits } } }
      }
    } }`)
    const { measures, series } = visits.breakdown.other
    expect(series.reduce((total, point) => total + point.measures.visits, 0)).toBe(measures.visits)
  })

  it('have another id when their comparisons go back by other steps', async () => {
    interface Answer {
      readonly month: { id: string; compare: { meta: { from: string } } }
      readonly days: Answer['month']
    }
    const part = 'id compare(to: PREVIOUS_PERIOD) { meta { from } }'
    const { month, days } = await ask<Answer>(`{
      month: visits(range: { period: LAST_MONTH }) { ${part} }
      days: visits(range: { between: { from: "2026-02-01", to: "2026-03-01" } }) { ${part} }
    }`)
    expect([month.compare.meta.from, days.compare.meta.from]).toEqual(['2026-01-01T00:00:00Z', '2026-01-04T00:00:00Z'])
    expect(month.id).not.toBe(days.id)
  })

  it('compare in a zone whose hours begin at half past up to the end of the hour of UTC that holds now', async () => {
    const data = await ask(`{ visits(
      range: { between: { from: "2026-03-10T00:00:00Z", to: "2026-03-20T00:00:00Z" } }, timezone: "Asia/Kolkata"
    ) { compare(to: PREVIOUS_PERIOD) { meta { to } totals { visits } } } }`)
    const [expected] = await database.query(`SELECT count(*)::integer AS visits FROM visits
      WHERE at >= '2026-02-28Z' AND at < '2026-03-05 11:00Z'`)
    expect(data).toEqual({ visits: { compare: { meta: { to: '2026-03-05T16:30:00+05:30' }, totals: expected } } })
  })

  it('to somebody without the claim that a scope asks for tell nothing, not even how far the data reach', async () => {
    const data = await ask(
      '{ datasets { name } scopedVisits { meta { from to } totals { visits } series(granularity: DAY) { date } } }',
    )
    expect(data).toEqual({
      datasets: [{ name: 'visits' }],
      scopedVisits: {
        meta: { from: '2026-03-15T10:00:00Z', to: '2026-03-15T10:00:00Z' },
        totals: { visits: 0 },
        series: [],
      },
    })
  })

  it('tell nothing of the schema when introspection is off', async () => {
    const { response, errors } = await server.ask('{ __schema { types { name } } }')
    expect([response.status, errors?.[0]?.extensions.code]).toEqual([400, 'GRAPHQL_VALIDATION_FAILED'])
    expect((await fetch(`${server.url}/schema.graphql`)).status).toBe(404)
  })

  it.each(['mutation { x }', 'subscription { x }'])('to %s is a refusal', async (operation) => {
    const { response, data, errors } = await server.ask(operation)
    expect([response.status, data]).toEqual([400, undefined])
    expect(['OPERATION_RESOLUTION_FAILURE', 'GRAPHQL_VALIDATION_FAILED']).toContain(errors?.[0]?.extensions.code)
  })

  it.each([
    ['the same series twice', 'a: series(granularity: HOUR) { start } b: series(granularity: HOUR) { start }'],
    [
      'a series under nodes and under edges',
      `breakdown(by: [PLACE], first: 2) {
      nodes { series(granularity: HOUR) { start } } edges { node { series(granularity: HOUR) { start } } }
    }`,
    ],
  ])('count %s as often as it is written out', async (_what, parts) => {
    const { response, errors } = await server.ask(
      `{ visits(range: { between: { from: "2025-08-01", to: "2026-03-15" } }) { ${parts} } }`,
    )
    expect([response.status, errors?.[0]?.extensions.code]).toEqual([400, 'QUERY_TOO_COMPLEX'])
  })
})

describe('a definition', () => {
  it('whose formulas change keeps its rollups and means something else', async () => {
    const database = await createTestDatabase()
    await database.query('CREATE TABLE visits (at timestamptz NOT NULL, weight integer)')
    const define = async (...measures: [string, Parameters<typeof Measure>[0]][]) => {
      class Visits {}
      for (const [name, spec] of measures) Measure(spec)(Visits.prototype, name)
      Dataset({ source: 'visits', time: 'at' })(Visits)
      const [declaration] = declarationsOf([Visits])
      if (declaration === undefined) throw new Error('Not declared')
      const [definition] = defineDatasets([
        { declaration, description: await describeSource(database.query, declaration) },
      ])
      return definition
    }
    try {
      const parts: [string, Parameters<typeof Measure>[0]][] = [
        ['n', count()],
        ['mean', avg('weight')],
        ['total', sum('weight')],
      ]
      const one = await define(...parts, ['share', ratio('total', 'n')])
      const other = await define(...parts, ['share', ratio('n', 'total')])
      expect(other?.hash).toBe(one?.hash)
      expect(other?.meaning).not.toBe(one?.meaning)
    } finally {
      await database.drop()
    }
  })
})
