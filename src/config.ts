import { z } from 'zod'
import { ConfigurationError, type Fault } from './errors'

/** One setting, as the README's table and the flags of `aggregraph serve` show it. */
export interface Setting<Value = unknown> {
  /** Environment variable. */
  readonly name: string
  /** What it accepts, for people: `whole number from 0 to 65535`. */
  readonly kind: string
  /** As it would be written in the environment; null when the setting may stay unset. */
  readonly default: string | null
  readonly description: string
  /** Whether the value may hold a secret, so that no message repeats it. */
  readonly isSecret: boolean
  readonly schema: z.ZodType<Value, string>
}

interface Format<Value> {
  readonly kind: string
  readonly isSecret?: boolean
  readonly schema: z.ZodType<Value, string>
}

function text<Value>(kind: string, read: (text: string) => Value | undefined, isSecret = false): Format<Value> {
  const schema = z.string().transform((value, context): Value => {
    const result = read(value)
    if (result !== undefined) return result
    context.addIssue({ code: 'custom', message: `must be ${kind}` })
    return z.NEVER
  })
  return { kind, isSecret, schema }
}

function integer(minimum: number, maximum: number): Format<number> {
  return text(`a whole number from ${minimum} to ${maximum}`, (value) => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN
    return number >= minimum && number <= maximum ? number : undefined
  })
}

function oneOf<const Values extends readonly string[]>(...values: Values): Format<Values[number]> {
  const kind = values.length === 1 ? `${values[0]}` : `one of ${values.join(', ')}`
  return text<Values[number]>(kind, (value) => values.find((each) => each === value))
}

function listOf(kind: string, read: (item: string) => string | undefined): Format<readonly string[]> {
  return text(kind, (value) => {
    const items = value.split(',').flatMap((item) => (item.trim() === '' ? [] : [read(item.trim())]))
    return items.every((item) => item !== undefined) ? items : undefined
  })
}

function url(...protocols: readonly string[]): Format<string> {
  const starts = protocols.map((protocol) => `${protocol}//`).join(' or ')
  const kind = `a URL that starts with ${starts}, special characters of the password percent-encoded`
  return text(kind, (value) => (protocols.includes(parseUrl(value)?.protocol ?? '') ? value : undefined), true)
}

const folder = text('a path', (value) => value)
const host = text('a host name or an IP address', (value) => (/^[\w.:-]+$/.test(value) ? value : undefined))
const hosts = listOf('host names, separated by commas', (item) =>
  /^[\w.-]+$/.test(item) ? item.toLowerCase() : undefined,
)
const origins = listOf('origins such as https://app.example.com, separated by commas', (item) =>
  /^https?:$/.test(parseUrl(item)?.protocol ?? '') && parseUrl(item)?.origin === item ? item : undefined,
)
const identifier = text(
  'at most 48 lower-case letters, digits and underscores, and none of public, information_schema and pg_…',
  (value) =>
    /^[a-z_][a-z0-9_]{0,47}$/.test(value) && !/^(public|information_schema|pg_.*)$/.test(value) ? value : undefined,
)

function setting<Value>(name: string, format: Format<Value>, byDefault: string, description: string): Setting<Value> {
  return { isSecret: false, ...format, name, default: byDefault, description }
}

function optional<Value>(name: string, format: Format<Value>, description: string): Setting<Value | null> {
  const schema: z.ZodType<Value | null, string> = format.schema
  return { isSecret: false, ...format, schema, name, default: null, description }
}

/** Every setting, declared once, in the order of the README's table. */
export const settings = {
  databaseUrl: optional(
    'DATABASE_URL',
    url('postgres:', 'postgresql:'),
    'Postgres to serve. Unset: an embedded Postgres with the shipped datasets.',
  ),
  redisUrl: optional('REDIS_URL', url('redis:', 'rediss:'), 'Redis for the shared cache. Unset: memory alone.'),
  host: setting('HOST', host, '127.0.0.1', 'Address to listen on.'),
  port: setting('PORT', integer(0, 65_535), '4000', 'Port to listen on; 0 takes a free one.'),
  datasets: optional('AGGREGRAPH_DATASETS', folder, 'Folder of dataset classes. Unset: the shipped catalogue.'),
  schema: setting('AGGREGRAPH_SCHEMA', identifier, 'aggregraph', 'Postgres schema that holds the rollups.'),
  data: setting('AGGREGRAPH_DATA', folder, '.aggregraph', 'Folder of the embedded Postgres.'),
  migrate: setting(
    'MIGRATE',
    oneOf('auto', 'check'),
    'auto',
    'Whether a start migrates that schema or only checks it.',
  ),
  cacheTtlSeconds: setting('CACHE_TTL_SECONDS', integer(1, 86_400), '300', 'Longest time an entry counts as fresh.'),
  cacheMemoryMb: setting('CACHE_MEMORY_MB', integer(1, 65_536), '64', 'Memory the cache of one process may take.'),
  logLevel: setting(
    'LOG_LEVEL',
    oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    'info',
    'Least severe lines that are logged.',
  ),
  auth: optional('AUTH', oneOf('none'), '`none` allows listening beyond loopback without authentication.'),
  corsOrigins: setting('CORS_ORIGINS', origins, '', 'Origins whose pages may read answers. None: no other origin.'),
  allowedHosts: setting('ALLOWED_HOSTS', hosts, '', "Names accepted in the Host header beside this machine's own."),
  bodyLimitBytes: setting('BODY_LIMIT_BYTES', integer(1_000, 10_000_000), '100000', 'Largest request body.'),
  requestTimeoutSeconds: setting('REQUEST_TIMEOUT_SECONDS', integer(1, 600), '30', 'Deadline of an answer.'),
  statementTimeoutSeconds: setting(
    'STATEMENT_TIMEOUT_SECONDS',
    integer(1, 600),
    '20',
    'Deadline of one SQL statement of an answer; never later than the deadline of the answer.',
  ),
  databasePool: setting(
    'DATABASE_POOL',
    integer(2, 1_000),
    '10',
    'Most connections to Postgres, beside two for the versions.',
  ),
  drainSeconds: setting('DRAIN_SECONDS', integer(0, 5), '2', 'How long SIGTERM still serves while it says not ready.'),
  introspection: optional(
    'INTROSPECTION',
    oneOf('on', 'off'),
    'Whether the schema may be asked for. Unset: on when listening on loopback, else off.',
  ),
  nodeEnv: setting(
    'NODE_ENV',
    text('a word', (value) => value),
    'development',
    '`production`: no hints in errors.',
  ),
} as const satisfies Record<string, Setting>

type Settings = typeof settings
type Values = { readonly [Key in keyof Settings]: Settings[Key] extends Setting<infer Value> ? Value : never }

/** The settings in force. Options are resolved here, once. */
export type Config = Readonly<Omit<Values, 'introspection'>> & {
  readonly introspection: boolean
  readonly isProduction: boolean
  /** Whether only this machine can reach the server. */
  readonly isLoopback: boolean
  /** Whether every caller is served without saying who it is. */
  readonly isOpen: boolean
  /** Variables that look like ours and are not: sentences for the log. */
  readonly warnings: readonly string[]
}

/** The flag of `aggregraph serve` that mirrors a setting: `AGGREGRAPH_DATASETS` is `--datasets`, `PORT` is `--port`. */
export function nameFlag(setting: Setting): string {
  return `--${setting.name
    .replace(/^AGGREGRAPH_/, '')
    .toLowerCase()
    .replaceAll('_', '-')}`
}

/** Hides the password of a URL, for logs and messages: `postgres://app:***@db/shop`. */
export function redactUrl(value: string): string {
  const parsed = parseUrl(value)
  if (parsed === null) return '(not a URL)'
  if (parsed.password !== '') parsed.password = '***'
  for (const key of [...parsed.searchParams.keys()]) {
    if (/pass|secret|token|key/i.test(key)) parsed.searchParams.set(key, '***')
  }
  return parsed.href
}

/** Tells whether listening on this address is out of reach for other machines. */
export function isLoopbackHost(value: string): boolean {
  return value === 'localhost' || value === '::1' || /^127(\.\d{1,3}){3}$/.test(value)
}

/**
 * Reads the settings from environment variables; flags, keyed by the same names, win over them. An empty value counts
 * as unset.
 *
 * @throws ConfigurationError with every fault, and never with the value of a URL.
 */
export function readConfig(
  env: Readonly<Record<string, string | undefined>>,
  flags: Readonly<Record<string, string | undefined>> = {},
): Config {
  const faults: Fault[] = []
  const read = ({ name, default: byDefault, schema, isSecret }: Setting): unknown => {
    const given = flags[name] || env[name] || byDefault
    if (given === null) return null
    const result = schema.safeParse(given)
    if (result.success) return result.data
    const sentence = result.error.issues.map((issue) => issue.message).join('; ')
    faults.push({ subject: name, sentence: `${sentence}${isSecret ? '' : `, not ${JSON.stringify(given)}`}.` })
    return null
  }
  // Each value has passed the schema that its type is inferred from; a fault's null never gets past the throw below.
  const values = Object.fromEntries(Object.entries(settings).map(([key, each]) => [key, read(each)])) as Values

  const isLoopback = values.host === null || isLoopbackHost(values.host)
  if (!isLoopback && values.auth !== 'none' && !faults.some((fault) => fault.subject === 'AUTH')) {
    faults.push({
      subject: 'HOST',
      sentence: `${values.host} is reachable from other machines, and nobody would have to say who they are. Listen on 127.0.0.1, or set AUTH=none if everyone who reaches this port may read every dataset.`,
    })
  }
  if (faults.length > 0) throw new ConfigurationError(faults)

  return Object.freeze({
    ...values,
    statementTimeoutSeconds: Math.min(values.statementTimeoutSeconds, values.requestTimeoutSeconds),
    introspection: values.introspection === null ? isLoopback : values.introspection === 'on',
    isProduction: values.nodeEnv === 'production',
    isLoopback,
    isOpen: true,
    warnings: listUnknown(env),
  })
}

function listUnknown(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const known = new Set<string>(Object.values(settings).map((each) => each.name))
  return Object.keys(env)
    .filter((name) => name.startsWith('AGGREGRAPH_') && !known.has(name))
    .sort()
    .map((name) => `${name} is not a setting, so it changes nothing.`)
}

function parseUrl(value: string): URL | null {
  return URL.canParse(value) ? new URL(value) : null
}
