import { setTimeout as wait } from 'node:timers/promises'
import type { CacheListener, UnknownReason } from './cache-event'
import { createGate, type Settled } from './gate'
import { registerKey } from './question'
import type { RedisClient } from './redis-client'
import { REGISTER_FIELDS, type RegisterRecord, readRecord, writeState } from './register-record'
import { type Moment, TopicKnowledge } from './topic-knowledge'
import { formatVersion, parseVersion, type TopicState, type Version } from './version'

/** Postgres keeps no state of a topic that was asked for. */
export class UnknownTopicError extends Error {
  constructor(readonly topic: string) {
    super(`The database keeps no version of the topic ${topic}.`)
  }
}

export interface VersionRegisterOptions<T> {
  /** Without it, every read goes to Postgres. */
  readonly redis?: RedisClient
  /** Reads the states from the primary Postgres, with one statement for all topics. A topic without one is left out. */
  readStates(topics: readonly string[]): Promise<ReadonlyMap<string, TopicState<T>>>
  /** Monotonic, in milliseconds. */
  readonly clock: () => number
  readonly onEvent: CacheListener
  /** Milliseconds for which `prepare` and `publish` try in all; default 3000. */
  readonly retryMs?: number
}

interface Asked {
  readonly group: string
  readonly topic: string
}

/** A register and what speaks against it: a doubt, a commit that may be under way, or nothing. */
interface Judged<T> extends Asked {
  readonly record: RegisterRecord<T> | null
  readonly believed: TopicState<T> | null
}

const CHANNEL = 'aggregraph:versions'
const RETRY_PAUSE_MS = 50
/** A register that is lost is read anew from Postgres, so this only clears away topics that nobody serves any more. */
const REGISTER_TTL_MS = 24 * 60 * 60 * 1000

/**
 * Knows the current state of every topic.
 *
 * Each topic has a register in Redis that refreshers keep: `prepare` is the last step before a commit, `publish` the
 * first after it. A read takes the register's state, or Postgres' when the register is absent, unreadable, prepared for
 * a commit, written under another Redis server, or contradicts what this process has seen; then the register is
 * repaired by compare-and-set. So after a commit no read that begins later gets an older state. Two cases are bounded
 * by `pollFloor` instead: a refresher that cannot reach Redis, and a Redis that loses or brings back what it held.
 *
 * A preparation whose refresher died keeps readers on Postgres, never blocked and never wrong, and is settled without a
 * clock: as soon as Postgres shows a `seq` at least as large as the prepared one (refreshers of a topic commit one after
 * another, so that commit has happened or never will), a reader clears it, if it is still the same.
 */
export class VersionRegister<T> {
  readonly #redis: RedisClient | undefined
  readonly #topics = new Map<string, { readonly group: string; readonly knowledge: TopicKnowledge<T> }>()
  readonly #ask: (asked: Asked) => Promise<TopicState<T>>
  #moment: Moment = 0
  #polling: Promise<boolean> | null = null

  constructor(private readonly options: VersionRegisterOptions<T>) {
    this.#redis = options.redis
    this.#ask = createGate((asked: readonly Asked[]) => this.#readTurn(asked))
    this.#redis?.subscribe(CHANNEL, (message) => this.#hear(message))
  }

  /**
   * The state of a topic, no older than the last commit before the call. All calls of one turn of the event loop share
   * one read. Within a process states do not go backwards, unless Postgres itself has (a restored backup). Rejects
   * with an UnknownTopicError, or with the error of `readStates` when Postgres had to be asked.
   */
  current(group: string, topic: string): Promise<TopicState<T>> {
    return this.#ask({ group, topic })
  }

  /**
   * Reads every topic this process has asked for from Postgres; the caller does so once a second. A register that is
   * older is not believed from then on, and one that Postgres denies is set right. Tells whether Postgres answered; never
   * rejects.
   */
  pollFloor(): Promise<boolean> {
    this.#polling ??= this.#poll().finally(() => {
      this.#polling = null
    })
    return this.#polling
  }

  /**
   * Tells every reader, just before a refresh commits `version`, not to believe the register until it is published.
   * Tries for 3 s; false when Redis stays out of reach. True without Redis. Never rejects.
   */
  async prepare(group: string, topic: string, version: Version): Promise<boolean> {
    const text = formatVersion(version)
    const done = await this.#retry((redis) =>
      redis.run('prepare register', (connection) =>
        connection.prepareRegister(registerKey(group, topic), text, version.seq, REGISTER_TTL_MS),
      ),
    )
    this.options.onEvent({ kind: done ? 'prepared' : 'prepare-failed', topic, version: text })
    return done
  }

  /**
   * Tells every reader what a refresh has committed, and ends its preparation. Never sets an older state. Tries for 3 s;
   * false when Redis stays out of reach. True without Redis. Never rejects.
   */
  async publish(group: string, topic: string, state: TopicState<T>): Promise<boolean> {
    const version = formatVersion(state.version)
    const message = JSON.stringify([topic, version])
    // Whatever becomes of Redis, this process believes no older register from now on.
    this.#know({ group, topic }).adoptRegister(state, ++this.#moment)
    const done = await this.#retry(() => this.#advance({ group, topic }, state, version, message))
    this.options.onEvent({ kind: done ? 'published' : 'publish-failed', topic, version })
    return done
  }

  async #readTurn(asked: readonly Asked[]): Promise<ReadonlyMap<string, Settled<TopicState<T>>>> {
    const judged = await this.#readRegisters(asked)
    const answers = new Map<string, Settled<TopicState<T>>>()
    for (const { topic, believed } of judged) if (believed) answers.set(topic, { value: believed })
    const doubtful = judged.filter(({ believed }) => believed === null)
    if (doubtful.length === 0) return answers

    const began = ++this.#moment
    try {
      const states = await this.options.readStates(doubtful.map(({ topic }) => topic))
      const read = doubtful.map((one) => [one, this.#adopt(one, states.get(one.topic), began)] as const)
      await Promise.all(read.map(([one, state]) => state && one.record && this.#repair(one, state, one.record)))
      for (const [{ topic }, state] of read) {
        answers.set(topic, state ? { value: state } : { error: new UnknownTopicError(topic) })
      }
    } catch (error) {
      for (const { topic } of doubtful) answers.set(topic, { error })
    }
    return answers
  }

  /** Reads the registers with one trip; without Redis, nothing is known of any. */
  async #readRegisters(asked: readonly Asked[]): Promise<readonly Judged<T>[]> {
    const redis = this.#redis
    const unread = asked.map((one) => ({ ...one, record: null, believed: null }))
    if (!redis) return unread
    try {
      return await redis.run('read registers', async (connection, server) => {
        const keys = asked.map(({ group, topic }) => registerKey(group, topic))
        const replies = await Promise.all(keys.map((key) => readFields(connection.hmget(key, ...REGISTER_FIELDS))))
        return asked.map((one, index) => this.#judge(one, readRecord<T>(replies[index] ?? []), server.epoch))
      })
    } catch {
      this.options.onEvent({ kind: 'register-unreachable' })
      return unread
    }
  }

  #judge(asked: Asked, record: RegisterRecord<T>, epoch: string): Judged<T> {
    const { topic } = asked
    const knowledge = this.#know(asked)
    if (record.pending !== null) {
      this.options.onEvent({ kind: 'register-pending', topic, version: record.pending })
      return { ...asked, record, believed: null }
    }
    const reason = doubtRecord(record, epoch) ?? (record.version && knowledge.doubt(record.version))
    if (reason !== null || record.state === null) {
      this.options.onEvent({ kind: 'register-unknown', topic, reason: reason ?? 'absent' })
      return { ...asked, record, believed: null }
    }
    knowledge.adoptRegister(record.state, ++this.#moment)
    return { ...asked, record, believed: record.state }
  }

  #adopt(judged: Judged<T>, state: TopicState<T> | undefined, began: Moment): TopicState<T> | null {
    if (!state) {
      this.#topics.delete(judged.topic)
      return null
    }
    return this.#know(judged).adoptPostgres(state, began, ++this.#moment, judged.record?.version ?? null)
  }

  /** Brings a register that was not believed to what Postgres says. A failure is an event; the next reader tries again. */
  async #repair(asked: Asked, state: TopicState<T>, record: RegisterRecord<T>): Promise<void> {
    const pending = record.pending === null ? null : parseVersion(record.pending)
    const isSettled = record.pending !== null && (pending === null || state.version.seq >= pending.seq)
    if (record.pending !== null && !isSettled) return
    try {
      await this.#advance(asked, state, record.pending ?? '', null)
      this.options.onEvent({ kind: 'register-repaired', topic: asked.topic, version: formatVersion(state.version) })
    } catch {
      // The client has told of it.
    }
  }

  async #advance(asked: Asked, state: TopicState<T>, settled: string, message: string | null): Promise<unknown> {
    const { seq } = state.version
    const { disowned } = this.#know(asked)
    const key = registerKey(asked.group, asked.topic)
    const version = formatVersion(state.version)
    const [channel, told] = message === null ? ['', ''] : [CHANNEL, message]
    return this.#redis?.run('advance register', (connection, { epoch }) =>
      connection.advanceRegister(
        key,
        version,
        seq,
        writeState(state),
        epoch,
        disowned,
        settled,
        REGISTER_TTL_MS,
        channel,
        told,
      ),
    )
  }

  async #poll(): Promise<boolean> {
    const topics = [...this.#topics]
    if (topics.length === 0) return true
    const began = ++this.#moment
    try {
      const states = await this.options.readStates(topics.map(([topic]) => topic))
      for (const [topic, { group, knowledge }] of topics) {
        const before = knowledge.disowned
        const state = this.#adopt({ group, topic, record: null, believed: null }, states.get(topic), began)
        // Postgres denies what a register said: other processes may believe it still.
        if (state && knowledge.disowned !== before && knowledge.disowned !== '') {
          this.options.onEvent({ kind: 'register-unknown', topic, reason: 'disowned' })
          await this.#repair({ group, topic }, state, readRecord<T>([]))
        }
      }
      return true
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      this.options.onEvent({ kind: 'floor-failed', message })
      return false
    }
  }

  async #retry(attempt: (redis: RedisClient) => Promise<unknown>): Promise<boolean> {
    if (!this.#redis) return true
    const { clock, retryMs = 3_000 } = this.options
    const end = clock() + retryMs
    while (true) {
      try {
        await attempt(this.#redis)
        return true
      } catch {
        const left = end - clock()
        if (left <= 0) return false
        // A first use begins to connect, and a lost connection may come back any moment.
        if (this.#redis.server === null && (await this.#redis.connect(left))) continue
        await wait(Math.max(0, Math.min(RETRY_PAUSE_MS, end - clock())))
      }
    }
  }

  #hear(message: string): void {
    const announced = readAnnouncement(message)
    if (announced === null) return
    const { topic, version } = announced
    this.#topics.get(topic)?.knowledge.announce(version, ++this.#moment)
    this.options.onEvent({ kind: 'announced', topic, version: formatVersion(version) })
  }

  #know({ group, topic }: Asked): TopicKnowledge<T> {
    const known = this.#topics.get(topic) ?? { group, knowledge: new TopicKnowledge<T>() }
    this.#topics.set(topic, known)
    return known.knowledge
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

function doubtRecord<T>(record: RegisterRecord<T>, epoch: string): UnknownReason | null {
  if (record.isCorrupt) return 'corrupt'
  if (record.state === null) return 'absent'
  return record.epoch === epoch ? null : 'other-server'
}

function readAnnouncement(message: string): { readonly topic: string; readonly version: Version } | null {
  try {
    const parts: unknown = JSON.parse(message)
    const [topic, text]: readonly unknown[] = Array.isArray(parts) ? parts : []
    const version = typeof text === 'string' ? parseVersion(text) : null
    return typeof topic === 'string' && version ? { topic, version } : null
  } catch {
    return null
  }
}
