import { DeadlineError, UnavailableError } from '../errors'
import type { Stretch } from '../time/stretch'
import { withDeadline } from './deadline'
import { type Answers, createGate } from './gate'
import { KnownTopics, readAnnouncement, writeAnnouncement } from './known-topics'
import { type Asked, type ReadRegister, RedisRegister } from './redis-register'
import { UnknownTopicError, type VersionRegisterOptions } from './register-options'
import type { RegisterRecord } from './register-record'
import { type Dependency, isCertain, type Pinned, type TopicState } from './topic-state'
import { formatVersion, type Version } from './version'

/** A register and what speaks for it: a state that is believed, or none. */
interface Judged<T> extends Asked {
  /** Null when Redis could not be asked. */
  readonly record: RegisterRecord | null
  readonly believed: TopicState<T> | null
}

/** How often those who ask have Postgres asked whether it is back. */
const POLL_PAUSE_MS = 1_000

/**
 * Knows the current state of every topic.
 *
 * Each topic has a register in Redis that refreshers keep: `prepare` is the last step before a commit, `publish` the
 * first after it. A read takes the register's state, or Postgres' when the register is absent, unreadable, written under
 * another Redis server, or contradicts what this process has seen. So after a commit no read that begins later gets an older
 * state. Two cases are bounded by `pollFloor` instead: a refresher that cannot reach Redis, and a Redis that loses what it held
 * behind an unbroken connection.
 *
 * A register is repaired without a clock: whoever holds a shared publish lock of its topic knows that no refresher is
 * between prepare and the end of its transaction, so what Postgres says then is what there is, and a preparation that is
 * still there belongs to a refresher that is gone or is about to publish just that.
 */
export class VersionRegister<T> {
  readonly #redis: RedisRegister<T> | undefined
  readonly #topics = new KnownTopics<T>()
  readonly #ask = createGate((asked: readonly Asked[]) =>
    this.#answerEach(asked, (one) => this.#pinBelieved(one) ?? this.#readThrough(one)),
  )
  readonly #askThrough = createGate((asked: readonly Asked[]) =>
    this.#answerEach(asked, (one) => this.#readThrough(one)),
  )
  // A read that hangs must not keep its place for good.
  readonly #readPostgres = createGate((judged: readonly Judged<T>[]) => this.#inTime(this.#adoptPostgres(judged)))
  /** Whether Postgres answered the last time it was asked; true before. */
  #isConfirmed = true
  #polling: Promise<boolean> | null = null
  #polledAt = Number.NEGATIVE_INFINITY

  constructor(private readonly options: VersionRegisterOptions<T>) {
    const { redis, clock, retryMs = 3_000 } = options
    this.#redis = redis && new RedisRegister<T>(redis, clock, retryMs)
    this.#redis?.subscribe((message) => this.#hear(message))
  }

  /**
   * The state of a topic, no older than the last commit before the call but for the stretches that are `pending`. All calls
   * of one turn of the event loop share one read. Within a process states do not go backwards, unless Postgres itself has
   * (a restored backup). While neither Redis nor Postgres can be asked, the last state known, as not confirmed. Rejects with
   * an UnknownTopicError, or when nothing is known with the error of `readStates`, or an UnavailableError after `silenceMs`.
   */
  current(group: string, topic: string): Promise<Pinned<T>> {
    return this.#ask({ group, topic })
  }

  /** The same, but from Postgres whatever the register says: for stretches that are pending, or after a newer version was seen. */
  settle(group: string, topic: string): Promise<Pinned<T>> {
    return this.#askThrough({ group, topic })
  }

  /** What this process last took for current, to begin with while `current` is under way; null when it knows nothing. */
  known(topic: string): Pinned<T> | null {
    const state = this.#topics.state(topic)
    return state && this.#pin(state, [])
  }

  /** Whether what was made from these is what would be answered now. Never rejects: what cannot be confirmed is not. */
  async confirms(dependencies: readonly Dependency[]): Promise<boolean> {
    try {
      const areCertain = await Promise.all(
        dependencies.map(async (one) => isCertain(await this.#ask({ group: one.group, topic: one.topic }), one)),
      )
      return areCertain.every(Boolean)
    } catch {
      return false
    }
  }

  /** Takes in that Postgres showed a version: an older register is in doubt until Postgres was asked again. */
  notice(topic: string, version: Version): void {
    this.#topics.announce(topic, version)
  }

  /** Hears of every state that is new to this process. The listener must not throw. */
  onNewState(listener: (group: string, topic: string, state: Pinned<T>) => void): void {
    this.#topics.onNewState(({ group, topic }, state) => listener(group, topic, this.#pin(state, [])))
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
   * Tells every reader, just before a refresh commits `version`, not to believe the register over the stretches that it
   * changes until it is published. Tries for 3 s; false when Redis stays out of reach. True without Redis. Never rejects.
   */
  async prepare(group: string, topic: string, version: Version, stretches: readonly Stretch[]): Promise<boolean> {
    const done = (await this.#redis?.prepare({ group, topic }, version, stretches)) ?? true
    this.options.onEvent({ kind: done ? 'prepared' : 'prepare-failed', topic, version: formatVersion(version) })
    return done
  }

  /**
   * Tells every reader what a refresh has committed, and ends its preparation. Never sets an older state. Tries for 3 s;
   * false when Redis stays out of reach. True without Redis. Never rejects.
   */
  async publish(group: string, topic: string, state: TopicState<T>): Promise<boolean> {
    const version = formatVersion(state.version)
    // Whatever becomes of Redis, this process believes no older register from now on.
    const { disowned } = this.#topics.learn({ group, topic }, state)
    const advance = { disowned, settled: version, message: writeAnnouncement(topic, version) }
    const done = (await this.#redis?.publish({ group, topic }, state, advance)) ?? true
    this.options.onEvent({ kind: done ? 'published' : 'publish-failed', topic, version })
    return done
  }

  /** Reads registers together and answers each for itself, so that none waits for what only another one needs. */
  async #answerEach(
    asked: readonly Asked[],
    answer: (judged: Judged<T>) => Pinned<T> | Promise<Pinned<T>>,
  ): Promise<Answers<Pinned<T>>> {
    return new Map((await this.#readRegisters(asked)).map((one) => [one.topic, answer(one)]))
  }

  #pin(state: TopicState<T>, pending: readonly Stretch[]): Pinned<T> {
    return { ...state, pending, isConfirmed: this.#isConfirmed }
  }

  #pinBelieved({ believed, record }: Judged<T>): Pinned<T> | null {
    return believed && this.#pin(believed, record?.pendingStretches ?? [])
  }

  /** What Postgres says of a topic; what this process knows of it while Postgres is away. */
  async #readThrough(judged: Judged<T>): Promise<Pinned<T>> {
    const { topic } = judged
    const known = this.#isConfirmed ? null : this.known(topic)
    if (known !== null) {
      // It is asked every second whether it is back: nobody else has to wait for that.
      if (this.options.clock() - this.#polledAt >= POLL_PAUSE_MS) void this.pollFloor()
      return known
    }
    try {
      const state = await this.#inTime(this.#readPostgres(judged))
      if (state === null) throw new UnknownTopicError(topic)
      return state
    } catch (error) {
      // Any other error is a fault of ours, and is not to hide behind what was known before.
      if (!(error instanceof UnavailableError || error instanceof DeadlineError)) throw error
      this.#isConfirmed = false
      const last = this.known(topic)
      if (last === null) throw error
      return last
    }
  }

  /** Postgres counts as away when it takes too long to tell versions. */
  #inTime<V>(reading: Promise<V>): Promise<V> {
    return withDeadline(reading, this.options.silenceMs ?? 5_000, () => new UnavailableError())
  }

  /** Takes in what Postgres says, and repairs the registers that nobody is about to change. Null: there is no such topic. */
  async #adoptPostgres(judged: readonly Judged<T>[]): Promise<ReadonlyMap<string, Pinned<T> | null>> {
    const began = this.#topics.now()
    const topics = judged.map(({ topic }) => topic)
    const adopted = new Map<string, Pinned<T> | null>()
    const adopt = (states: ReadonlyMap<string, TopicState<T>>) => {
      this.#isConfirmed = true
      for (const one of judged) {
        const state = this.#topics.adopt(one, states.get(one.topic), began, one.record?.version ?? null)
        adopted.set(one.topic, state && this.#pin(state, []))
      }
    }
    const guard = judged.some(({ record }) => record !== null) ? this.options.guardStates : undefined
    if (guard === undefined) adopt(await this.options.readStates(topics))
    else {
      await guard(topics, async (states, held) => {
        adopt(states)
        const mine = judged.filter(({ topic }) => held.has(topic))
        await Promise.all(mine.map((one) => this.#repair(one, states.get(one.topic))))
      })
    }
    return adopted
  }

  /** Without Redis, nothing is known of any. */
  async #readRegisters(asked: readonly Asked[]): Promise<readonly Judged<T>[]> {
    const unread = asked.map((one) => ({ ...one, record: null, believed: null }))
    try {
      return (await this.#redis?.readAll(asked, (one, register) => this.#judge(one, register))) ?? unread
    } catch {
      this.options.onEvent({ kind: 'register-unreachable' })
      return unread
    }
  }

  async #judge(asked: Asked, register: ReadRegister<T>): Promise<Judged<T>> {
    const { record } = register
    const { topic } = asked
    if (record.pending !== null) this.options.onEvent({ kind: 'register-pending', topic, version: record.pending })
    const found = await this.#topics.believe(asked, register)
    if (typeof found !== 'string') return { ...asked, record, believed: found }
    this.options.onEvent({ kind: 'register-unknown', topic, reason: found })
    return { ...asked, record, believed: null }
  }

  /** Brings a register to what Postgres says. A failure is an event; the next reader tries again. */
  async #repair({ record, ...asked }: Judged<T>, state: TopicState<T> | undefined): Promise<void> {
    if (state === undefined || record === null) return
    const { disowned } = this.#topics.of(asked)
    try {
      const advance = { disowned, settled: record.pending ?? '', message: null }
      const isRepaired = await this.#redis?.advance(asked, state, advance)
      if (isRepaired)
        this.options.onEvent({ kind: 'register-repaired', topic: asked.topic, version: formatVersion(state.version) })
    } catch {
      // The client has told of it.
    }
  }

  async #poll(): Promise<boolean> {
    const topics = this.#topics.list()
    if (topics.length === 0) return true
    const began = this.#topics.now()
    this.#polledAt = this.options.clock()
    try {
      const states = await this.#inTime(this.options.readStates(topics.map(({ topic }) => topic)))
      this.#isConfirmed = true
      const denied: Asked[] = []
      for (const asked of topics) {
        const knowledge = this.#topics.of(asked)
        const { disowned, state: before } = knowledge
        const state = this.#topics.adopt(asked, states.get(asked.topic), began, null)
        if (state === null) continue
        const lag = before === null ? 0 : Math.max(0, state.version.seq - before.version.seq)
        this.options.onEvent({ kind: 'floor', topic: asked.topic, lag })
        if (knowledge.disowned !== disowned && knowledge.disowned !== '') denied.push(asked)
      }
      // Postgres denies what a register said: other processes may believe it still.
      for (const { group, topic } of denied) {
        this.options.onEvent({ kind: 'register-unknown', topic, reason: 'disowned' })
        // What it finds out is told to whoever asks.
        await this.settle(group, topic).catch(() => undefined)
      }
      return this.#isConfirmed
    } catch (error) {
      this.#isConfirmed = false
      this.options.onEvent({ kind: 'floor-failed', message: error instanceof Error ? error.message : String(error) })
      return false
    }
  }

  #hear(message: string): void {
    const announced = readAnnouncement(message)
    if (announced === null) return
    const { topic, version } = announced
    this.#topics.announce(topic, version)
    this.options.onEvent({ kind: 'announced', topic, version: formatVersion(version) })
  }
}
