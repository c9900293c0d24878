import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  ApolloClient,
  ApolloLink,
  gql,
  HttpLink,
  InMemoryCache,
  Observable,
  type TypePolicies,
} from '@apollo/client/core'
import { loadDevMessages, loadErrorMessages } from '@apollo/client/dev'
import { createTypePolicies } from '../../examples/apollo-client/type-policies'
import { Flights } from '../../src/catalog/flights'
import { loadFlights } from '../../src/demo/load-flights'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { startTestServer, type TestServer } from '../support/server'

let database: TestDatabase
let server: TestServer

beforeAll(async () => {
  loadDevMessages()
  loadErrorMessages()
  database = await createTestDatabase()
  await loadFlights({ url: database.url, rows: 20_000 })
  server = await startTestServer({ databaseUrl: database.url, datasets: [Flights] })
})
afterAll(async () => {
  await server?.stop()
  await database?.drop()
})

/** A question about two months of flights, or about one of them. */
function question(fields: string, to = '2001-03-01') {
  return gql`query Widget { flights(range: { between: { from: "2001-01-01", to: "${to}" } }) { id ${fields} } }`
}

function createClient(typePolicies: TypePolicies) {
  let requests = 0
  const counted: typeof fetch = (...request) => {
    requests += 1
    return fetch(...request)
  }
  const client = new ApolloClient({
    cache: new InMemoryCache({ typePolicies }),
    link: new HttpLink({ uri: `${server.url}/graphql`, fetch: counted }),
  })
  return { client, requests: () => requests }
}

/** Widgets that differ in one thing each. The cache must serve all of them once all are answered. */
const WIDGETS = {
  'totals of one measure': question('totals { flights }'),
  'totals of another': question('meta { version } totals { averageDelay }'),
  'totals of another range': question('totals { flights }', '2001-02-01'),
  'a series': question('series(granularity: MONTH) { date measures { flights } }'),
  'the series of another measure': question('series(granularity: MONTH) { start measures { delayRate } }'),
  'finer buckets': question('series(granularity: WEEK) { date measures { flights } }'),
  groups: question(
    'breakdown(by: [ORIGIN], first: 3) { nodes { origin measures { flights } } other { measures { flights } } }',
  ),
  'the groups with another measure and their series': question(
    `breakdown(by: [ORIGIN], first: 3) {
       totalCount
       nodes { key measures { worstDelay } series(granularity: MONTH) { date measures { distance } } }
       other { measures { worstDelay } }
     }`,
  ),
  'the groups beside the period before': question(
    'breakdown(by: [ORIGIN], first: 3) { nodes { key compare(to: PREVIOUS_MONTH) { flights } } }',
  ),
  'groups by something else': question('breakdown(by: [DESTINATION], first: 3) { nodes { key measures { flights } } }'),
  'a comparison': question('compare(to: PREVIOUS_PERIOD) { totals { flights } }'),
  'the comparison of another measure': question('compare(to: PREVIOUS_PERIOD) { meta { from } totals { distance } }'),
  'what there is': gql`{ datasets { name measures { name } } }`,
  'what there is in other words': gql`{ datasets { name label measures { label unit } refresh { every } } }`,
}

it('keeps what every widget of a dashboard asked for, whatever the others ask', async () => {
  const { client, requests } = createClient(createTypePolicies('Flights'))
  const answers = new Map<string, unknown>()
  for (const [name, query] of Object.entries(WIDGETS)) answers.set(name, (await client.query({ query })).data)
  for (const [name, query] of Object.entries(WIDGETS))
    expect([name, client.readQuery({ query })]).toEqual([name, answers.get(name)])
  expect(requests()).toBe(answers.size)
})

it('would lose them without the policies', async () => {
  // Apollo warns of the first loss of each kind.
  const warnings = jest.spyOn(console, 'warn').mockImplementation(() => undefined)
  const { client } = createClient({})
  for (const query of Object.values(WIDGETS)) await client.query({ query })
  expect(warnings).toHaveBeenCalled()
  warnings.mockRestore()
  const lost = Object.entries(WIDGETS).flatMap(([name, query]) => (client.readQuery({ query }) === null ? [name] : []))
  expect(lost).toEqual([
    'totals of one measure',
    'a series',
    'groups',
    'the groups with another measure and their series',
    'a comparison',
    'what there is',
  ])
})

it('never lays an answer over one that it contradicts', () => {
  const cache = new InMemoryCache({ typePolicies: createTypePolicies('Flights') })
  const groups = (fields: string) =>
    gql`query Groups { flights { id breakdown(by: [ORIGIN]) { nodes { ${fields} } } } }`
  const write = (fields: string, nodes: readonly object[]) => {
    const typed = nodes.map((node) => ({ __typename: 'FlightsGroup', ...node }))
    const breakdown = { __typename: 'FlightsGroupConnection', nodes: typed }
    cache.writeQuery({
      query: groups(fields),
      data: { flights: { __typename: 'FlightsReport', id: 'one', breakdown } },
    })
  }
  write('key origin', [{ key: 'a', origin: 'ATL' }])
  write('key originState', [{ key: 'b', originState: 'TX' }])
  expect(cache.readQuery({ query: groups('key originState') })).not.toBeNull()
  expect(cache.readQuery({ query: groups('key origin') })).toBeNull()
})

it('brings the other widgets to a new version once one has seen it, with one request each', async () => {
  let version = 1
  const asked: string[] = []
  const link = new ApolloLink(({ operationName }) => {
    asked.push(operationName)
    const totals = { __typename: 'FlightsMeasures', [operationName]: version }
    return Observable.of({ data: { flights: { __typename: 'FlightsReport', id: `version ${version}`, totals } } })
  })
  const client = new ApolloClient({ cache: new InMemoryCache({ typePolicies: createTypePolicies('Flights') }), link })
  const widgets = ['flights', 'distance'].map((measure) => {
    const query = gql`query ${measure} { flights { id totals { ${measure} } } }`
    const widget = client.watchQuery({ query })
    const reachesVersion = (wanted: number) =>
      new Promise((resolve) => {
        widget.subscribe(({ data }) => data?.flights?.totals?.[measure] === wanted && resolve(wanted))
      })
    return { widget, reachesVersion }
  })
  await Promise.all(widgets.map(({ reachesVersion }) => reachesVersion(1)))
  version = 2
  const all = Promise.all(widgets.map(({ reachesVersion }) => reachesVersion(2)))
  await widgets[0]?.widget.refetch()
  await all
  expect(asked).toEqual(['flights', 'distance', 'flights', 'distance'])
  client.stop()
})

it('refuses a report that was asked for without its id, instead of mixing two answers', async () => {
  const { client } = createClient(createTypePolicies('Flights'))
  const query = gql`{ flights { totals { flights } } }`
  await expect(client.query({ query })).rejects.toThrow("Missing field 'id'")
})

it('is shown in the documentation as it was tested', async () => {
  const [code, page] = await Promise.all(
    ['../../examples/apollo-client/type-policies.ts', '../../docs/clients.md'].map((file) =>
      readFile(join(__dirname, file), 'utf8'),
    ),
  )
  expect(page).toContain(code?.trim())
})
