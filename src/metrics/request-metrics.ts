import type { ErrorCode } from '../errors'
import { type MetricSet, tabulate } from './series'

/** One answered request. */
export interface AnsweredRequest {
  /** Of HTTP. */
  readonly status: number
  /** `extensions.code` of each error of the answer. */
  readonly codes: readonly string[]
  readonly ms: number
}

/** Every code an answer can have: ours, and those of Apollo Server. */
const CODES: Readonly<
  Record<
    | ErrorCode
    | 'GRAPHQL_PARSE_FAILED'
    | 'GRAPHQL_VALIDATION_FAILED'
    | 'PERSISTED_QUERY_NOT_FOUND'
    | 'PERSISTED_QUERY_NOT_SUPPORTED'
    | 'INTERNAL_SERVER_ERROR',
    null
  >
> = {
  BAD_REQUEST: null,
  BAD_USER_INPUT: null,
  OPERATION_RESOLUTION_FAILURE: null,
  NO_ROLLUP: null,
  DATASET_NOT_READY: null,
  UNAUTHENTICATED: null,
  FORBIDDEN: null,
  QUERY_TOO_COMPLEX: null,
  RATE_LIMITED: null,
  TIMEOUT: null,
  UPSTREAM_UNAVAILABLE: null,
  GRAPHQL_PARSE_FAILED: null,
  GRAPHQL_VALIDATION_FAILED: null,
  PERSISTED_QUERY_NOT_FOUND: null,
  PERSISTED_QUERY_NOT_SUPPORTED: null,
  INTERNAL_SERVER_ERROR: null,
}

/** Adds the answered requests to the metrics, and gives what counts one: under its class of status, and under each code. */
export function createRequestMetrics(set: MetricSet): (request: AnsweredRequest) => void {
  const requests = set.durations('aggregraph_http_request_duration_seconds', 'Requests answered, by class of status.')
  const errors = set.counter(
    'aggregraph_graphql_errors_total',
    'Answers with an error of a code; one may have several.',
  )
  const byClass = tabulate(['2xx', '3xx', '4xx', '5xx', 'other'], (status) => requests({ status }))
  const byDigit = [null, null, byClass['2xx'], byClass['3xx'], byClass['4xx'], byClass['5xx']]
  // A map, since codes of errors may be texts that every object has a property for.
  const byCode = new Map(Object.keys(CODES).map((code) => [code, errors({ code })]))
  const otherCode = errors({ code: 'other' })

  return ({ status, codes, ms }) => {
    const durations = byDigit[Math.floor(status / 100)] ?? byClass.other
    durations.observe(ms)
    for (const code of codes) {
      const series = byCode.get(code) ?? otherCode
      series.value += 1
    }
  }
}
