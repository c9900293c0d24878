import { AggregraphError, DeadlineError, UnavailableError } from '../errors'

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'ENOENT',
])

/** SQLSTATEs of connection, resources, shutdown, and of a server that lets nobody in: a wrong password, no such database. */
const TURNED_AWAY = /^(08|53|57P0|28|3D000)/

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
  if (error instanceof UnavailableError) return true
  const code = codeOf(error)
  if (code !== undefined) return UNREACHABLE.has(code) || TURNED_AWAY.test(code)
  // node-postgres gives these no code; TypeORM says the last of a connection that was cut between two statements.
  const message = error instanceof Error ? error.message : ''
  return /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed|Driver not Connected|Cannot use a pool after calling end|DataSource is not (set|initialized)|Query runner already released/i.test(
    message,
  )
}

const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^28/, 'it refuses the user or the password of DATABASE_URL'],
  [/^3D000/, 'it has no database of the name in DATABASE_URL'],
  [/^53/, 'it has no connection or no space left'],
  [/^57P0/, 'it is starting up or shutting down'],
  [/^ECONNREFUSED|^ENOENT/, 'nothing listens where DATABASE_URL points'],
  [/^ENOTFOUND|^EAI_AGAIN/, 'the host name in DATABASE_URL is not known'],
  [/^EHOSTUNREACH|^ENETUNREACH|^ETIMEDOUT/, 'there is no way to the host in DATABASE_URL'],
]

/** Says in a sentence for an operator why Postgres cannot be reached, without its address or its own words. */
export function explainUnavailable(error: unknown): string {
  const cause = error instanceof UnavailableError ? error.cause : error
  const code = codeOf(cause) ?? ''
  const [, reason] = REASONS.find(([pattern]) => pattern.test(code)) ?? [null, 'it does not answer']
  return `The database cannot be reached: ${reason}.`
}

/** Translates a failure of Postgres into an error meant for the person who asked; leaves every other as it is. */
export function translatePostgresError(error: unknown): unknown {
  if (error instanceof AggregraphError) return error
  if (codeOf(error) === '57014') return new DeadlineError(error)
  if (isUnavailable(error)) return new UnavailableError(error)
  return error
}
