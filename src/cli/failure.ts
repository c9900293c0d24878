import { redactUrl } from '../config'
import { codeOf, isUnavailable } from '../storage/postgres-errors'

/** The message of an error, also of those that only gather others. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.message === '' && 'errors' in error && Array.isArray(error.errors)) {
    return error.errors.map(messageOf).join('; ')
  }
  return error.message === '' ? error.name : error.message
}

/** Puts a failure to connect to Postgres into a sentence that names the server; leaves every other error as it is. */
export function explainPostgresFailure(error: unknown, databaseUrl: string): unknown {
  const where = `Postgres at ${redactUrl(databaseUrl)}`
  if (isUnavailable(error)) {
    return new Error(`${where} cannot be reached: ${messageOf(error)}. Check DATABASE_URL, and that Postgres runs.`, {
      cause: error,
    })
  }
  // Wrong name or password; no such database.
  if (/^(28|3D)/.test(codeOf(error) ?? '')) {
    return new Error(`${where} refuses the connection: ${messageOf(error)}. Check DATABASE_URL.`, { cause: error })
  }
  return error
}

/** What a command says on the standard error output when it fails: a sentence, and where it is wanted the stack. */
export function describeFailure(error: unknown, withStack: boolean): string {
  const lines = [sentenceOf(error)]
  if (withStack && error instanceof Error && error.stack !== undefined) lines.push(error.stack)
  if (withStack && error instanceof Error && error.cause instanceof Error) lines.push(String(error.cause.stack))
  return lines.join('\n')
}

function sentenceOf(error: unknown): string {
  const code = codeOf(error)
  if (error instanceof Error && (code === 'EADDRINUSE' || code === 'EACCES') && 'port' in error) {
    return code === 'EADDRINUSE'
      ? `Port ${error.port} is in use: stop the process that listens on it, or choose another with PORT or --port.`
      : `This user may not listen on port ${error.port}: choose one above 1023 with PORT or --port.`
  }
  return messageOf(error)
}
