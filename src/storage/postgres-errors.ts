import { AggregraphError, DeadlineError, UnavailableError } from '../errors'

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EAI_AGAIN',
  'ENOENT',
])

/** The code of a Postgres (SQLSTATE) or socket error, also when TypeORM or an AggregateError wraps it. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  if ('code' in error && typeof error.code === 'string') return error.code
  if ('driverError' in error) return codeOf(error.driverError)
  if ('errors' in error && Array.isArray(error.errors)) return codeOf(error.errors[0])
  return undefined
}

/** Whether Postgres could not be reached, was going down, or was out of resources: asking again later may help. */
export function isUnavailable(error: unknown): boolean {
  const code = codeOf(error)
  if (code !== undefined) return UNREACHABLE.has(code) || /^(08|53|57P0)/.test(code)
  // node-postgres gives these no code.
  const message = error instanceof Error ? error.message : ''
  return /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Cannot use a pool after calling end|DataSource is not (set|initialized)/i.test(
    message,
  )
}

/** Translates a failure of Postgres into an error meant for the person who asked; leaves every other as it is. */
export function translatePostgresError(error: unknown): unknown {
  if (error instanceof AggregraphError) return error
  if (codeOf(error) === '57014') return new DeadlineError(error)
  if (isUnavailable(error)) return new UnavailableError(error)
  return error
}
