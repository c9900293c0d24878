import { setTimeout as wait } from 'node:timers/promises'
import type { Stretch } from '../time/stretch'
import { registerKey } from './question'
import type { RedisClient } from './redis-client'
import {
  digestState,
  REGISTER_FIELDS,
  type RegisterRecord,
  readRecord,
  readState,
  writeState,
  writeStretches,
} from './register-record'
import type { TopicState } from './topic-state'
import { formatVersion, type Version } from './version'

/** A topic, and the group it belongs to. */
export interface Asked {
  readonly group: string
  readonly topic: string
}

/** A register as it was read. */
export interface ReadRegister<T> {
  readonly record: RegisterRecord
  /** The epoch of the server that was asked. */
  readonly epoch: string | null
  /** Reads the state that goes with the version; null when it cannot be read. */
  readonly readState: () => Promise<TopicState<T> | null>
}

/** What brings a register to a state. */
export interface Advance {
  /** The version that Postgres denied, as text; it may be replaced although it looks newer. */
  readonly disowned: string
  /** The preparation that this ends, as text. */
  readonly settled: string
  /** What the channel is told by a refresh that publishes; null: a reader repairs the register. */
  readonly message: string | null
}

const CHANNEL = 'aggregraph:versions'
const RETRY_PAUSE_MS = 50
/** A register that is lost is read anew from Postgres, so this only clears away topics that nobody serves any more. */
const REGISTER_TTL_MS = 24 * 60 * 60 * 1000

/** The registers in Redis: how they are read and written, not what is believed of them. */
export class RedisRegister<T> {
  /** By topic, which has one group: every read asks for them, and a process knows few. */
  readonly #keys = new Map<string, string>()

  constructor(
    private readonly redis: RedisClient,
    private readonly clock: () => number,
    private readonly retryMs: number,
  ) {}

  /** Hears what `advance` tells. */
  subscribe(listener: (message: string) => void): void {
    this.redis.subscribe(CHANNEL, listener)
  }

  /**
   * Reads registers with one trip and lets `judge` look at each, which may read its state with a second one. Null when one
   * server cannot be told from the next: what it says may be of an old dump.
   */
  async readAll<A extends Asked, Result>(
    asked: readonly A[],
    judge: (asked: A, register: ReadRegister<T>) => Promise<Result>,
  ): Promise<Result[] | null> {
    if (this.redis.server?.epoch === null) return null
    return this.redis.run('read registers', (connection, { epoch }) =>
      Promise.all(
        asked.map(async (one) => {
          const key = this.#keyOf(one)
          const record = readRecord(await readFields(connection.hmget(key, ...REGISTER_FIELDS)))
          return judge(one, {
            record,
            epoch,
            readState: async () => readState<T>(await readFields(connection.hmget(key, 'v', 'cur', 'sum'))),
          })
        }),
      ),
    )
  }

  /** Says that a commit is about to come. Tries for as long as `retryMs`; false when Redis stays out of reach. */
  prepare({ group, topic }: Asked, version: Version, stretches: readonly Stretch[]): Promise<boolean> {
    const [text, changed] = [formatVersion(version), writeStretches(stretches)]
    return this.#retry(() =>
      this.redis.run('prepare register', (connection) =>
        connection.prepareRegister(this.#keyOf({ group, topic }), text, version.seq, changed, REGISTER_TTL_MS),
      ),
    )
  }

  /** Sets a state, unless a newer one is there; tells whether it did. Rejects when Redis cannot be asked. */
  async advance(
    { group, topic }: Asked,
    state: TopicState<T>,
    { disowned, settled, message }: Advance,
  ): Promise<boolean> {
    const { version } = state
    const text = writeState(state)
    const channel = message === null ? '' : CHANNEL
    const written = await this.redis.run('advance register', (connection, { epoch }) =>
      connection.advanceRegister(
        this.#keyOf({ group, topic }),
        formatVersion(version),
        version.seq,
        text,
        digestState(text),
        epoch ?? '',
        disowned,
        settled,
        message === null ? '' : 'published',
        REGISTER_TTL_MS,
        channel,
        message ?? '',
      ),
    )
    return written === 1
  }

  /** Does the same, trying for as long as `retryMs`; false when Redis stays out of reach. */
  publish(asked: Asked, state: TopicState<T>, advance: Advance): Promise<boolean> {
    return this.#retry(() => this.advance(asked, state, advance))
  }

  #keyOf({ group, topic }: Asked): string {
    const known = this.#keys.get(topic)
    if (known !== undefined) return known
    const key = registerKey(group, topic)
    this.#keys.set(topic, key)
    return key
  }

  async #retry(attempt: () => Promise<unknown>): Promise<boolean> {
    const end = this.clock() + this.retryMs
    while (true) {
      try {
        await attempt()
        return true
      } catch {
        const left = end - this.clock()
        if (left <= 0) return false
        // A first use begins to connect, and a lost connection may come back any moment.
        if (this.redis.server === null && (await this.redis.connect(left))) continue
        await wait(Math.max(0, Math.min(RETRY_PAUSE_MS, end - this.clock())))
      }
    }
  }
}

/** The fields; a key of a foreign type has none that can be read. */
async function readFields(reply: Promise<(string | null)[]>): Promise<readonly (string | null)[]> {
  try {
    return await reply
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('WRONGTYPE')) return ['']
    throw error
  }
}
