import { avg, count, Dataset, Dimension, Measure, max, ratio, sum } from '../../src/index'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { startTestServer, type TestServer } from '../support/server'

@Dataset({ source: 'visits', time: 'at', refresh: 'manual' })
class Visits {
  @Dimension() city!: string | null
  @Dimension() since!: string | null
  @Dimension() member!: boolean | null
  @Measure(count()) visits!: number
  @Measure(sum('spent')) spent!: number
  @Measure(avg('spent')) averageSpent!: number | null
  @Measure(max('spent')) mostSpent!: number | null
  @Measure(count({ where: 'member' })) memberVisits!: number
  @Measure(ratio('spent', 'memberVisits')) spentByMember!: number | null
}

const CITIES = ['Écija', 'ÉCIJA', 'écija', 'Ecija', 'İzmir', 'izmir', '100%', '100 m', 'a_b', 'aXb', 'c\\d', 'cd', null]
const RANGE = 'range: { between: { from: "2025-05-01", to: "2025-06-01" } }'

let database: TestDatabase
let server: TestServer

beforeAll(async () => {
  database = await createTestDatabase()
  await database.query(
    'CREATE TABLE visits (at timestamptz NOT NULL, city text, since date, member boolean, spent bigint)',
  )
  await database.query(
    `INSERT INTO visits SELECT '2025-05-10 12:00Z', city, '2020-02-29', NULL, 5 FROM unnest($1::text[]) AS city`,
    [CITIES],
  )
  // Another month, beyond what a number of JSON can hold.
  await database.query(`INSERT INTO visits VALUES ('2025-07-01 00:00Z', 'Oslo', NULL, true, 9007199254740991),
    ('2025-07-02 00:00Z', 'Oslo', NULL, true, 1), ('2025-07-02 00:00Z', 'Oslo', 'infinity', true, 0)`)
  server = await startTestServer({
    databaseUrl: database.url,
    datasets: [Visits],
    clock: () => Date.parse('2025-08-01T00:00Z'),
  })
})
afterAll(async () => {
  await server?.stop()
  await database?.drop()
})

interface Group {
  readonly city: string | null
  readonly measures: { readonly visits: number }
}
interface Page {
  readonly totalCount: number
  readonly nodes: readonly Group[]
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null }
  readonly other: { readonly measures: { readonly visits: number; readonly spent: number } } | null
}

async function ask<T>(fields: string, arguments_ = RANGE): Promise<T> {
  const { data, errors } = await server.ask<{ visits: T }>(`{ visits(${arguments_}) { ${fields} } }`)
  expect(errors).toBeUndefined()
  if (data === undefined) throw new Error('There is no answer')
  return data.visits
}

async function refusalOf(fields: string, arguments_ = RANGE) {
  const { errors } = await server.ask(`{ visits(${arguments_}) { ${fields} } }`)
  expect(errors).toHaveLength(1)
  return errors?.[0]
}

async function breakdown(arguments_: string, where = ''): Promise<Page> {
  const page = `totalCount pageInfo { hasNextPage endCursor } other { measures { visits spent } } nodes { city measures { visits } }`
  const filter = where === '' ? '' : `, where: ${where}`
  return (await ask<{ breakdown: Page }>(`breakdown(${arguments_}) { ${page} }`, RANGE + filter)).breakdown
}

async function citiesWhere(where: string): Promise<(string | null)[]> {
  return (await breakdown('by: [CITY], first: 1000', where)).nodes.map(({ city }) => city)
}

describe('filters', () => {
  it.each([
    ['contains: "%"', ['100%']],
    ['contains: "0%"', ['100%']],
    ['startsWith: "100"', ['100 m', '100%']],
    ['contains: "_"', ['a_b']],
    ['contains: "\\\\"', ['c\\d']],
    ['startsWith: "C\\\\"', ['c\\d']],
    ['contains: "é"', ['Écija', 'ÉCIJA', 'écija']],
    ['startsWith: "ÉCI"', ['Écija', 'ÉCIJA', 'écija']],
    ['startsWith: "e"', ['Ecija']],
    ['startsWith: "İZ"', ['İzmir']],
    ['contains: "ZMI"', ['izmir', 'İzmir']],
    ['eq: "ÉCIJA"', ['ÉCIJA']],
    ['in: ["écija", "100%", "no"]', ['100%', 'écija']],
    ['isNull: true', [null]],
    ['contains: ""', CITIES.filter((city) => city !== null)],
    ['in: []', []],
  ])('city: { %s } keeps %j and nothing else', async (filter, cities) => {
    const inOrder = (list: readonly (string | null)[]) => [...list].map(String).sort()
    const kept = await citiesWhere(`{ city: { ${filter} } }`)
    expect(inOrder(kept)).toEqual(inOrder(cities))
    const rest = await citiesWhere(`{ not: { city: { ${filter} } } }`)
    expect(inOrder([...kept, ...rest])).toEqual(inOrder(CITIES))
  })

  it.each([
    ['{ or: [] }', 0],
    ['{ and: [] }', 13],
    ['{ city: null }', 13],
    ['{ city: {} }', 13],
    ['{ not: {} }', 0],
    ['{ not: null, and: null, or: null }', 13],
    ['{ city: { ne: "cd" } }', 12],
    ['{ city: { notIn: ["cd", "izmir"] } }', 11],
    ['{ member: { ne: true } }', 13],
    ['{ member: { eq: false } }', 0],
    ['{ since: { gte: "2020-02-29", lte: "2020-02-29" } }', 13],
    ['{ since: { gt: "2020-02-29" } }', 0],
    ['{ dayOfWeek: { eq: 6 }, hourOfDay: { in: [12] } }', 13],
  ])('where: %s keeps %d rows', async (where, visits) => {
    expect(await ask('totals { visits }', `${RANGE}, where: ${where}`)).toEqual({ totals: { visits } })
  })

  it.each(['eq', 'ne', 'in', 'notIn', 'contains', 'startsWith'])(
    'a null operand of %s is refused, naming isNull',
    async (name) => {
      const refusal = await refusalOf('totals { visits }', `${RANGE}, where: { city: { ${name}: null } }`)
      expect(refusal).toMatchObject({ extensions: { code: 'BAD_USER_INPUT', argument: `where.city.${name}` } })
      expect(refusal?.message).toContain('isNull')
    },
  )
})

describe('groups', () => {
  it('with ties are in the order of their text’s bytes, null last, and pages neither overlap nor skip', async () => {
    const seen: (string | null)[] = []
    let after = ''
    for (let pages = 1; ; pages += 1) {
      const page = await breakdown(`by: [CITY], first: 4${after}`)
      seen.push(...page.nodes.map(({ city }) => city))
      const rest = CITIES.length - seen.length
      expect(page.totalCount).toBe(CITIES.length)
      expect(page.other?.measures ?? null).toEqual(rest === 0 ? null : { visits: rest, spent: 5 * rest })
      if (!page.pageInfo.hasNextPage) {
        expect(pages).toBe(4)
        break
      }
      after = `, after: "${page.pageInfo.endCursor}"`
    }
    const named = CITIES.filter((city) => city !== null)
    const bytes = named.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    expect(seen).toEqual([...bytes, null])
  })

  it.each(['ASC', 'DESC'])('without a value come last, also %s', async (direction) => {
    const page = await breakdown(`by: [CITY], first: 1000, orderBy: [{ field: CITY, direction: ${direction} }]`)
    expect(page.nodes.at(-1)?.city).toBeNull()
    const byMeasure = await breakdown(
      `by: [CITY], first: 1000, orderBy: [{ field: SPENT_BY_MEMBER, direction: ${direction} }]`,
    )
    expect(byMeasure.nodes.map(({ city }) => city).at(-1)).toBeNull()
  })

  it('that having removes are not counted, and go to other', async () => {
    const none = await breakdown('by: [CITY], having: { visits: { gt: 1 } }')
    expect(none).toMatchObject({ totalCount: 0, nodes: [], other: { measures: { visits: 13, spent: 65 } } })
    const missing = await breakdown('by: [MEMBER], having: { spentByMember: { ne: 3 } }')
    expect(missing).toMatchObject({ totalCount: 1, other: null })
  })

  it('leave dimensions that were not asked for null', async () => {
    const page = await ask('breakdown(by: [CITY], first: 1) { nodes { key city since member hourOfDay } }')
    expect(page).toEqual({
      breakdown: { nodes: [{ key: '["100 m"]', city: '100 m', since: null, member: null, hourOfDay: null }] },
    })
  })

  it.each([
    ['another filter', 'by: [CITY], first: 4', `${RANGE}, where: { city: { ne: "x" } }`],
    ['another order', 'by: [CITY], first: 4, orderBy: [{ field: CITY }]', RANGE],
    ['other groups', 'by: [SINCE], first: 4', RANGE],
    ['another having', 'by: [CITY], first: 4, having: { visits: { gt: 0 } }', RANGE],
    ['another range', 'by: [CITY], first: 4', 'range: { between: { from: "2025-05-01", to: "2025-06-02" } }'],
    ['another zone', 'by: [CITY], first: 4', `${RANGE}, timezone: "Europe/Madrid"`],
  ])('of a cursor under %s are refused', async (_, arguments_, question) => {
    const { pageInfo } = await breakdown('by: [CITY], first: 4')
    const refusal = await refusalOf(`breakdown(${arguments_}, after: "${pageInfo.endCursor}") { totalCount }`, question)
    expect(refusal).toMatchObject({ extensions: { code: 'BAD_USER_INPUT', argument: 'after' } })
  })

  it('of a cursor go on with pages of another size', async () => {
    const { pageInfo, nodes } = await breakdown('by: [CITY], first: 4')
    const rest = await breakdown(`by: [CITY], first: 1000, after: "${pageInfo.endCursor}"`)
    expect(nodes.length + rest.nodes.length).toBe(CITIES.length)
    expect(rest.other).toBeNull()
  })

  it.each([
    ['first', 'by: [CITY], first: 0'],
    ['first', 'by: [CITY], first: 1001'],
    ['first', 'by: [CITY], first: -1'],
    ['by', 'by: []'],
    ['by', 'by: [CITY, CITY]'],
    ['by', 'by: [CITY, SINCE, MEMBER, HOUR_OF_DAY, DAY_OF_WEEK]'],
    ['orderBy', 'by: [CITY], orderBy: [{ field: MEMBER }]'],
    ['after', 'by: [CITY], after: "made up"'],
  ])('are refused for a wrong %s: %s', async (argument, arguments_) => {
    const refusal = await refusalOf(`breakdown(${arguments_}) { totalCount }`)
    expect(refusal).toMatchObject({ path: ['visits', 'breakdown'], extensions: { code: 'BAD_USER_INPUT', argument } })
  })
})

describe('values', () => {
  it('of nothing are 0 for counts and sums, null for the rest', async () => {
    const all = 'visits spent averageSpent mostSpent memberVisits spentByMember'
    const nothing = { visits: 0, spent: 0, averageSpent: null, mostSpent: null, memberVisits: 0, spentByMember: null }
    const report = await ask(
      `totals { ${all} } series(granularity: MONTH) { measures { ${all} } } breakdown(by: [CITY]) { totalCount nodes { city } other { measures { visits } } }`,
      'range: { between: { from: "2024-05-01", to: "2024-06-01" } }',
    )
    expect(report).toEqual({
      totals: nothing,
      series: [{ measures: nothing }],
      breakdown: { totalCount: 0, nodes: [], other: null },
    })
  })

  it('beyond 2⁵³ − 1 are errors, never rounded, and leave the other parts alone', async () => {
    const { data, errors } = await server.ask(`{
      visits(range: { period: LAST_MONTH }) {
        totals { visits spent }
        series(granularity: DAY, fill: false) { date measures { spent } }
      }
    }`)
    expect(data).toEqual({
      visits: {
        totals: null,
        series: [
          { date: '2025-07-01', measures: { spent: 9007199254740991 } },
          { date: '2025-07-02', measures: { spent: 1 } },
        ],
      },
    })
    expect(errors).toMatchObject([{ path: ['visits', 'totals', 'spent'], extensions: { code: 'BAD_USER_INPUT' } }])
  })

  it('of a date that never comes are those of no date', async () => {
    const report = await ask(
      `breakdown(by: [SINCE], orderBy: [{ field: SINCE, direction: ASC }]) {
        nodes { since measures { visits } series(granularity: MONTH) { measures { visits } } }
      }`,
      'range: { period: LAST_MONTH }',
    )
    expect(report).toEqual({
      breakdown: {
        nodes: [{ since: null, measures: { visits: 3 }, series: [{ measures: { visits: 3 } }] }],
      },
    })
  })
})
