import { createRequestMetrics } from '../../../src/metrics/request-metrics'
import { createMetricSet } from '../../../src/metrics/series'
import { seriesOf } from '../../support/exposition'

function measure() {
  const set = createMetricSet()
  const observe = createRequestMetrics(set)
  const moved = (name: string) =>
    [...seriesOf(set.text())].filter(([series, value]) => series.startsWith(name) && value > 0)
  return { observe, moved }
}

it.each([
  [200, '2xx'],
  [204, '2xx'],
  [304, '3xx'],
  [400, '4xx'],
  [499, '4xx'],
  [503, '5xx'],
  [100, 'other'],
  [0, 'other'],
  [600, 'other'],
  [-1, 'other'],
  [Number.NaN, 'other'],
])('a request answered %p counts as %s, with its time', (status, expected) => {
  const { observe, moved } = measure()
  observe({ status, codes: [], ms: 2 })
  expect(moved('aggregraph_http_request_duration_seconds_sum')).toEqual([
    [`aggregraph_http_request_duration_seconds_sum{status="${expected}"}`, 0.002],
  ])
  expect(moved('aggregraph_graphql_errors_total')).toEqual([])
})

it('counts an answer under each of its codes', () => {
  const { observe, moved } = measure()
  observe({ status: 200, codes: ['BAD_USER_INPUT', 'NO_ROLLUP'], ms: 1 })
  observe({ status: 400, codes: ['BAD_USER_INPUT'], ms: 1 })
  expect(moved('aggregraph_graphql_errors_total')).toEqual([
    ['aggregraph_graphql_errors_total{code="BAD_USER_INPUT"}', 2],
    ['aggregraph_graphql_errors_total{code="NO_ROLLUP"}', 1],
  ])
})

it('folds every code that is not one of ours into other', () => {
  const { observe, moved } = measure()
  const codes = ['MADE_UP', 'constructor', '__proto__', 'toString', 'undefined', '', 'bad_user_input', '"}\n']
  observe({ status: 200, codes, ms: 1 })
  expect(moved('aggregraph_graphql_errors_total')).toEqual([
    ['aggregraph_graphql_errors_total{code="other"}', codes.length],
  ])
})

it('knows every code that the table of answers has', () => {
  const { observe, moved } = measure()
  const codes = [
    ...['BAD_REQUEST', 'GRAPHQL_PARSE_FAILED', 'GRAPHQL_VALIDATION_FAILED', 'BAD_USER_INPUT', 'QUERY_TOO_COMPLEX'],
    ...['OPERATION_RESOLUTION_FAILURE', 'NO_ROLLUP', 'UNAUTHENTICATED', 'FORBIDDEN', 'RATE_LIMITED', 'TIMEOUT'],
    ...['UPSTREAM_UNAVAILABLE', 'DATASET_NOT_READY', 'PERSISTED_QUERY_NOT_FOUND', 'INTERNAL_SERVER_ERROR'],
  ]
  observe({ status: 200, codes, ms: 1 })
  const counted = moved('aggregraph_graphql_errors_total').map(([series]) => /code="(\w+)"/.exec(series)?.[1])
  expect(counted.sort()).toEqual(codes.sort())
})
