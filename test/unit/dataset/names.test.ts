import { parseInterval } from '../../../src/dataset/duration'
import { enumValueName, humanise, queryName, snakeCase } from '../../../src/dataset/names'
import { nearest } from '../../../src/dataset/nearest'
import { quoteRelation } from '../../../src/dataset/read-source'
import { quoteIdentifier, quoteLiteral } from '../../../src/dataset/sql'
import { takeColumn } from '../../../src/dataset/unique-column'

it.each([
  ['Flights', 'flights'],
  ['HTTPRequests', 'httpRequests'],
  ['URL', 'url'],
  ['OAuthLogins', 'oAuthLogins'],
  ['K8sPods', 'k8sPods'],
])('class %s is queried as %s', (className, query) => {
  expect(queryName(className)).toBe(query)
})

it.each([
  ['flights', 'FLIGHTS', 'flights', 'Flights'],
  ['p95Delay', 'P95_DELAY', 'p95_delay', 'P95 delay'],
  ['delayedFlights', 'DELAYED_FLIGHTS', 'delayed_flights', 'Delayed flights'],
  ['tenantID', 'TENANT_I_D', 'tenant_id', 'Tenant ID'],
  ['HTTPRequests', 'H_T_T_P_REQUESTS', 'http_requests', 'HTTP requests'],
  ['origin_state', 'ORIGIN_STATE', 'origin_state', 'Origin state'],
  ['_', '_', '_', '_'],
])('member %s is %s in enums, %s in columns and "%s" for people', (name, enumValue, column, label) => {
  expect([enumValueName(name), snakeCase(name), humanise(name)]).toEqual([enumValue, column, label])
})

it.each([
  ['granularty', 'granularity'],
  ['where_', 'where'],
  ['tenant_id', 'tenantId'],
  ['zebra', null],
])('%s was probably %s', (word, expected) => {
  expect(nearest(word, ['granularity', 'where', 'tenantId'])).toBe(expected)
})

it.each([
  ['10s', 10_000],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['7d', 604_800_000],
  ['8d', null],
  ['0s', null],
  ['10', null],
  ['1.5h', null],
  ['P1D', null],
])('the interval %s is %s milliseconds', (text, expected) => {
  expect(parseInterval(text)).toBe(expected)
})

it.each([
  ['flights', '"flights"'],
  ['public.flights', '"public"."flights"'],
  ['Flights', '"Flights"'],
  ['"my.table"', '"my.table"'],
  ['public."a ""b"""', '"public"."a ""b"""'],
  ['my-table', null],
  ['a..b', null],
  ['a.', null],
  ['""', null],
  ['flights; drop table x', null],
])('the relation %s is %s in SQL', (name, expected) => {
  expect(quoteRelation(name)).toBe(expected)
})

it('quotes identifiers and literals whatever they hold', () => {
  expect(quoteIdentifier('a"b')).toBe('"a""b"')
  expect(quoteLiteral("it's")).toBe("'it''s'")
  expect(quoteLiteral("a\\'b")).toBe("E'a\\\\''b'")
})

it('gives columns that nobody has and Postgres does not cut', () => {
  const taken = new Set(['bucket'])
  const long = 'x'.repeat(80)
  const columns = ['bucket', 'origin', 'origin', long, long].map((wanted) => takeColumn(wanted, taken))
  expect(columns).toEqual(['bucket_2', 'origin', 'origin_2', 'x'.repeat(60), `${'x'.repeat(58)}_2`])
})
