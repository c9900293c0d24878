import { setTimeout as wait } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { CacheListener } from './cache-event'
import { CircuitBreaker } from './circuit-breaker'
import { withDeadline } from './deadline'
import { parseRedisUrl, type RedisAddress } from './redis-address'
import { REDIS_SCRIPTS } from './redis-scripts'

/** Redis cannot be asked: not connected, silent past the deadline, or left alone for a while after failures. */
export class RedisUnavailableError extends Error {}

/** What a server says of itself. */
export interface RedisServer {
  readonly version: string
  /** Null where INFO is not allowed. */
  readonly runId: string | null
  /** RESP version in use. Below 3 the connection does not subscribe. */
  readonly protocol: 2 | 3
  readonly maxmemoryPolicy: string | null
  /**
   * Changes when the data may have: a restarted, promoted or failed-over server is another epoch. Null where INFO is not
   * allowed: nobody can tell.
   */
  readonly epoch: string | null
}

/** The connection of this process to Redis: one for commands and messages alike. */
export interface RedisClient {
  /** The server asked at the moment; null while there is none. */
  readonly server: RedisServer | null
  /** Begins to connect and waits until commands can be sent or `waitMs` (default 2000) are over; says which. */
  connect(waitMs?: number): Promise<boolean>
  /**
   * Sends commands under the deadline. Rejects at once with a RedisUnavailableError while there is no connection (the
   * first call begins one) or the breaker is open, after the deadline when the server stays silent, and with the
   * server's own error. A rejected write may have been carried out.
   */
  run<T>(command: string, work: (redis: Redis, server: RedisServer) => Promise<T>): Promise<T>
  /** Hears the messages of a channel while there is a connection and it speaks RESP3. None is promised to arrive. */
  subscribe(channel: string, listener: (message: string) => void): void
  /** The server and the milliseconds it takes to answer. Rejects when it cannot be reached. */
  ping(): Promise<RedisServer & { readonly latencyMs: number }>
  /** Ends the connection; running commands are rejected, and later ones at once. */
  close(): Promise<void>
}

export interface RedisClientOptions {
  /** Milliseconds that commands may take; default 100. */
  readonly deadlineMs?: number
  /** Milliseconds after which a silent connection is given up; default 3000. */
  readonly silenceMs?: number
  /** Monotonic, in milliseconds; default performance.now. */
  readonly clock?: () => number
  /** Gives [0, 1); default Math.random. */
  readonly random?: () => number
}

/**
 * Makes the process's client of the Redis at the URL. It connects when first used, and again, for ever, after a loss.
 * Throws a ConfigurationError for what is not a Redis URL.
 */
export function createRedisClient(url: string, onEvent: CacheListener, options: RedisClientOptions = {}): RedisClient {
  return new SharedConnection(parseRedisUrl(url), onEvent, options)
}

const CONNECT_MS = 1_000
const CONNECT_WAIT_MS = 2_000
const LONGEST_RETRY_MS = 2_000
const LOADING_PAUSE_MS = 100

class SharedConnection implements RedisClient {
  server: RedisServer | null = null
  #redis: Redis | null = null
  #isClosed = false
  #isDown = false
  readonly #deadlineMs: number
  readonly #silenceMs: number
  readonly #clock: () => number
  readonly #random: () => number
  readonly #breaker: CircuitBreaker
  readonly #listeners = new Map<string, (message: string) => void>()
  readonly #waiting = new Set<() => void>()

  constructor(
    private readonly address: RedisAddress,
    private readonly onEvent: CacheListener,
    options: RedisClientOptions,
  ) {
    this.#deadlineMs = options.deadlineMs ?? 100
    this.#silenceMs = options.silenceMs ?? 3_000
    this.#clock = options.clock ?? (() => performance.now())
    this.#random = options.random ?? Math.random
    this.#breaker = new CircuitBreaker(this.#clock, this.#random, ({ opened, forMs }) =>
      onEvent(opened ? { kind: 'breaker-opened', forMs } : { kind: 'breaker-closed' }),
    )
  }

  async connect(waitMs = CONNECT_WAIT_MS): Promise<boolean> {
    this.#open()
    if (this.server !== null || this.#isClosed) return this.server !== null
    let arrive = () => {}
    const arrival = new Promise<void>((resolve) => {
      arrive = resolve
    })
    this.#waiting.add(arrive)
    try {
      await withDeadline(arrival, waitMs, () => new RedisUnavailableError('Redis is not connected.'))
    } catch {
      // The answer says it.
    } finally {
      this.#waiting.delete(arrive)
    }
    return this.server !== null
  }

  async run<T>(command: string, work: (redis: Redis, server: RedisServer) => Promise<T>): Promise<T> {
    const redis = this.#open()
    const server = this.server
    if (redis === null || server === null) throw new RedisUnavailableError('Redis is not connected.')
    if (!this.#breaker.admits()) throw new RedisUnavailableError('Redis is left alone for a while after failures.')
    try {
      const result = await withDeadline(work(redis, server), this.#deadlineMs, () => this.#late(this.#deadlineMs))
      this.#breaker.succeed()
      return result
    } catch (error) {
      // A server that refuses does answer.
      if (isReply(error)) this.#breaker.succeed()
      else this.#breaker.fail()
      this.#report(command, error)
      throw error
    }
  }

  subscribe(channel: string, listener: (message: string) => void): void {
    this.#listeners.set(channel, listener)
    if (this.#redis !== null && this.server?.protocol === 3) void this.#listen(this.#redis, [channel])
  }

  async ping(): Promise<RedisServer & { readonly latencyMs: number }> {
    await this.connect()
    const begin = this.#clock()
    return this.run('ping', async (redis, server) => {
      await redis.ping()
      return { ...server, latencyMs: this.#clock() - begin }
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const redis = this.#redis
    this.#redis = null
    this.server = null
    for (const arrive of this.#waiting) arrive()
    if (redis === null || redis.status === 'end') return
    // Between two attempts there is no socket whose end could be heard.
    const isOver = redis.status === 'reconnecting'
    const end = new Promise<void>((resolve) => {
      redis.once('end', resolve)
    })
    redis.disconnect()
    // A server that does not answer would not answer the end of the connection either.
    redis.stream?.destroy()
    if (!isOver) await end
  }

  #open(): Redis | null {
    if (this.#isClosed) return null
    if (this.#redis !== null) return this.#redis
    const redis = new Redis({
      ...this.address,
      connectionName: 'aggregraph',
      scripts: REDIS_SCRIPTS,
      protocol: 3,
      // Its check never passes where there is no INFO; ours is `#introduce`.
      enableReadyCheck: false,
      // While there is no connection a command is a miss at once, and none is sent again: a write that comes late
      // could bring back what has been replaced since.
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      // A command whose connection is cut may stay unanswered for ever even so: the deadline ends it.
      maxRetriesPerRequest: 1,
      connectTimeout: CONNECT_MS,
      // A paused server accepts connections and answers nothing.
      socketTimeout: this.#silenceMs,
      // Milliseconds that the end of a connection may take, which such a server does not answer either.
      disconnectTimeout: this.#deadlineMs,
      retryStrategy: (attempt) =>
        Math.min(50 * 2 ** Math.min(attempt, 10), LONGEST_RETRY_MS) * (0.5 + this.#random() / 2),
      // A replica after a fail-over: look for the primary.
      reconnectOnError: (error) => error.message.includes('READONLY'),
      // Subscribing to a server of RESP2 would end every other command, so each connection is looked at first.
      autoResubscribe: false,
    })
    redis.on('error', (error) => this.#report('connect', error))
    redis.on('ready', () => void this.#introduce(redis))
    redis.on('close', () => this.#lose())
    redis.on('message', (channel, message) => this.#listeners.get(channel)?.(message))
    this.#redis = redis
    return redis
  }

  /** Asks a new connection's server who it is. Only then are commands sent. */
  async #introduce(redis: Redis): Promise<void> {
    const { stream } = redis
    try {
      const isSame = () => redis === this.#redis && redis.stream === stream && redis.status === 'ready'
      const read = () => withDeadline(readInfo(redis), CONNECT_MS, () => this.#late(CONNECT_MS))
      let info = await read()
      // A server that still reads its dump refuses every other command.
      while (info.get('loading') === '1' && isSame()) {
        await wait(LOADING_PAUSE_MS, undefined, { ref: false })
        info = await read()
      }
      if (!isSame()) return
      const server = describeServer(info, redis.condition?.protocol ?? 2)
      this.server = server
      this.#isDown = false
      this.#breaker.reset()
      this.onEvent({ kind: 'redis-ready', version: server.version, protocol: server.protocol })
      if (server.protocol === 3 && this.#listeners.size > 0) void this.#listen(redis, [...this.#listeners.keys()])
      for (const arrive of this.#waiting) arrive()
    } catch (error) {
      this.#report('info', error)
      if (redis === this.#redis && redis.stream === stream) redis.disconnect(true)
    }
  }

  #lose(): void {
    this.server = null
    if (this.#isDown || this.#isClosed) return
    this.#isDown = true
    this.onEvent({ kind: 'redis-down' })
  }

  async #listen(redis: Redis, channels: readonly string[]): Promise<void> {
    try {
      await withDeadline(redis.subscribe(...channels), CONNECT_MS, () => this.#late(CONNECT_MS))
    } catch (error) {
      this.#report('subscribe', error)
    }
  }

  #late(milliseconds: number): RedisUnavailableError {
    return new RedisUnavailableError(`Redis did not answer within ${milliseconds} ms.`)
  }

  #report(command: string, error: unknown): void {
    if (!this.#isClosed) this.onEvent({ kind: 'redis-error', command, message: this.#describe(error) })
  }

  /** The message alone: ioredis hangs the arguments, the password among them, on its errors, and servers may repeat them. */
  #describe(error: unknown): string {
    const text = error instanceof AggregateError ? error.errors.map(describe).join('; ') : describe(error)
    const { password } = this.address
    return password ? text.replaceAll(password, '***') : text
  }
}

/** Everything INFO tells by default, or nothing where it is not allowed. */
async function readInfo(redis: Redis): Promise<ReadonlyMap<string, string>> {
  try {
    const lines = (await redis.info()).split('\r\n')
    return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]))
  } catch (error) {
    if (isReply(error) && /^NOPERM|^ERR unknown command/.test(describe(error))) return new Map()
    throw error
  }
}

function describeServer(info: ReadonlyMap<string, string>, protocol: 2 | 3): RedisServer {
  const runId = info.get('run_id') ?? null
  return {
    version: info.get('redis_version') ?? 'unknown',
    runId,
    protocol,
    maxmemoryPolicy: info.get('maxmemory_policy') ?? null,
    // A replica keeps its run_id when it is promoted; its replication id changes.
    epoch: runId === null ? null : `${runId}.${info.get('master_replid') ?? ''}`,
  }
}

function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError'
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.message || ('code' in error ? String(error.code) : error.name)
}
