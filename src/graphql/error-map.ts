import { randomUUID } from 'node:crypto'
import { GraphQLError, type GraphQLFormattedError } from 'graphql'
import { AggregraphError, DeadlineError, type ErrorCode, TooComplexError } from '../errors'

/** Where faults that nobody expected are written, whole. */
export interface FaultLog {
  error(facts: object, message: string): void
}

/** An error as a client gets it, when it is all that the client gets. */
export interface Refusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly error: GraphQLFormattedError
}

/** Codes of errors that are told as they are: of Apollo Server, about the request and not about us. */
const REQUEST_CODES: ReadonlySet<unknown> = new Set([
  'BAD_REQUEST',
  'BAD_USER_INPUT',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'OPERATION_RESOLUTION_FAILURE',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
])

/** Status of an operation that was refused before it was executed, by its code; the rest keep what Apollo Server chose. */
const REFUSED: Readonly<Record<Exclude<ErrorCode, 'BAD_REQUEST'> | 'INTERNAL_SERVER_ERROR', number>> = {
  BAD_USER_INPUT: 400,
  OPERATION_RESOLUTION_FAILURE: 400,
  NO_ROLLUP: 400,
  QUERY_TOO_COMPLEX: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  RATE_LIMITED: 429,
  INTERNAL_SERVER_ERROR: 500,
  DATASET_NOT_READY: 503,
  UPSTREAM_UNAVAILABLE: 503,
  TIMEOUT: 504,
}

/** Codes that stay 200 when they are found while resolving: the answer says what is wrong, and asking again is no use. */
const ANSWERED: ReadonlySet<string> = new Set(['BAD_USER_INPUT', 'NO_ROLLUP', 'QUERY_TOO_COMPLEX'])

const RETRY_AFTER_SECONDS = 2
const LONGEST_MESSAGE = 500

function isMapped(code: unknown): code is keyof typeof REFUSED {
  return typeof code === 'string' && Object.hasOwn(REFUSED, code)
}

/** Tells the status of an operation that was refused before it was executed, or null when its code has none. */
export function mapRefusal(error: GraphQLFormattedError | undefined): number | null {
  const code = error?.extensions?.code
  return isMapped(code) ? REFUSED[code] : null
}

/**
 * Tells the status of an operation that was executed: 200 as soon as any part was answered or the errors call for
 * different ones, else the one they share.
 */
export function mapExecution(data: unknown, errors: readonly GraphQLFormattedError[]): number {
  const statuses = new Set(
    errors.map(({ extensions }) =>
      isMapped(extensions?.code) && !ANSWERED.has(extensions.code) ? REFUSED[extensions.code] : 200,
    ),
  )
  const [shared = 200] = statuses
  return statuses.size === 1 && shared !== 200 && !hasAnswer(data) ? shared : 200
}

/** Headers that belong to a status. */
export function headersOf(status: number): Readonly<Record<string, string>> {
  if (status === 401) return { 'www-authenticate': 'Bearer' }
  return status === 429 || status === 503 ? { 'retry-after': String(RETRY_AFTER_SECONDS) } : {}
}

/** Whether anything but nulls was found: a value or an empty list, at any depth. */
function hasAnswer(data: unknown): boolean {
  const pending = [data]
  while (pending.length > 0) {
    const value = pending.pop()
    if (value === null || value === undefined) continue
    if (typeof value !== 'object') return true
    if (Array.isArray(value) && value.length === 0) return true
    pending.push(...Object.values(value))
  }
  return false
}

/** Answers a request that failed outside of an operation. */
export function refuse(error: unknown, log: FaultLog): Refusal {
  const formatted = error instanceof AggregraphError ? describe(error) : maskFault(error, log)
  const status = mapRefusal(formatted) ?? 400
  return { status, headers: headersOf(status), error: formatted }
}

/**
 * Creates Apollo Server's `formatError`: our errors by their code and facts, errors about the request as they are,
 * everything else masked as "Internal error" with an `errorId` under which the log has the whole of it.
 *
 * `suggestions` says whether "Did you mean" is kept; it tells names of the schema to people who may not know them.
 */
export function createErrorFormatter(options: {
  readonly log: FaultLog
  readonly suggestions: boolean
}): (formatted: GraphQLFormattedError, error: unknown) => GraphQLFormattedError {
  return (formatted, error) => {
    const { locations, path } = formatted
    const at = { ...(locations && { locations }), ...(path && { path }) }
    const cause = findCause(error)
    const code = classify(formatted, error)
    if (cause !== null && (code === null || cause instanceof TooComplexError)) return { ...describe(cause), ...at }
    if (code !== null) {
      const message = options.suggestions ? formatted.message : dropSuggestions(formatted.message)
      return { message: shorten(message), ...at, extensions: { ...cause?.details, code } }
    }
    return { ...maskFault(error, options.log), ...at }
  }
}

/** Code of an error that is about the request, or null. */
function classify(formatted: GraphQLFormattedError, error: unknown): string | null {
  const code = formatted.extensions?.code
  if (typeof code === 'string' && REQUEST_CODES.has(code)) return code
  if (!(error instanceof GraphQLError) || error.extensions.code !== undefined) return null
  const http = error.extensions.http
  if (typeof http === 'object' && http !== null && 'status' in http && http.status === 400) return 'BAD_REQUEST'
  // graphql-js gives up on the variables after some errors and says so, before it resolves anything.
  if (error.path === undefined && error.originalError === undefined) return 'BAD_USER_INPUT'
  // A variable inside a literal is only checked when its field is resolved.
  const isOfGraphql = error.originalError instanceof GraphQLError && error.originalError.originalError === undefined
  return isOfGraphql && error.message.startsWith('Argument "') ? 'BAD_USER_INPUT' : null
}

/** Our own error inside those that GraphQL and Apollo wrapped around it. */
function findCause(error: unknown): AggregraphError | null {
  let current = error
  for (let wraps = 0; wraps < 8; wraps += 1) {
    if (current instanceof AggregraphError) return current
    // What an aborted signal throws: only our deadline and the client's leaving abort one.
    if (current instanceof Error && current.name === 'AbortError') return new DeadlineError(current)
    if (!(current instanceof GraphQLError)) return null
    current = current.originalError
  }
  return null
}

function describe(error: AggregraphError): GraphQLFormattedError {
  return { message: error.message, extensions: { ...error.details, code: error.code } }
}

function maskFault(error: unknown, log: FaultLog): GraphQLFormattedError {
  const errorId = randomUUID()
  const original = error instanceof GraphQLError ? (error.originalError ?? error) : error
  const path = error instanceof GraphQLError ? error.path : undefined
  log.error({ errorId, path, err: original }, 'Internal error')
  return { message: 'Internal error', extensions: { code: 'INTERNAL_SERVER_ERROR', errorId } }
}

/** Cuts a message that repeats a client's own long value. */
function shorten(message: string): string {
  return message.length <= LONGEST_MESSAGE ? message : `${message.slice(0, LONGEST_MESSAGE).toWellFormed()}…`
}

function dropSuggestions(message: string): string {
  return message.replace(/ Did you mean .+\?$/s, '')
}
