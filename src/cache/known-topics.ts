import type { UnknownReason } from './cache-event'
import type { Asked, ReadRegister } from './redis-register'
import { type Moment, TopicKnowledge } from './topic-knowledge'
import type { TopicState } from './topic-state'
import { parseVersion, sameVersion, type Version } from './version'

/** What this process knows of every topic that it was asked for. */
export class KnownTopics<T> {
  readonly #topics = new Map<string, { readonly asked: Asked; readonly knowledge: TopicKnowledge<T> }>()
  readonly #listeners: ((asked: Asked, state: TopicState<T>) => void)[] = []
  #moment: Moment = 0

  /** A moment after every other so far. */
  now(): Moment {
    this.#moment += 1
    return this.#moment
  }

  list(): Asked[] {
    return [...this.#topics.values()].map(({ asked }) => asked)
  }

  /** What is known of a topic; from now on it is one of those asked for. */
  of({ group, topic }: Asked): TopicKnowledge<T> {
    const known = this.#topics.get(topic) ?? { asked: { group, topic }, knowledge: new TopicKnowledge<T>() }
    this.#topics.set(topic, known)
    return known.knowledge
  }

  /** The last state known of a topic; null when there is none. */
  state(topic: string): TopicState<T> | null {
    return this.#topics.get(topic)?.knowledge.state ?? null
  }

  /** Hears of every state that takes the place of another. The listener must not throw. */
  onNewState(listener: (asked: Asked, state: TopicState<T>) => void): void {
    this.#listeners.push(listener)
  }

  /** Takes in the state of a register that is not in doubt, or of one's own refresh. */
  learn(asked: Asked, state: TopicState<T>): TopicKnowledge<T> {
    const knowledge = this.of(asked)
    const before = knowledge.state
    knowledge.adoptRegister(state, this.now())
    this.#tell(asked, before, knowledge.state)
    return knowledge
  }

  /** The state that a register stands for, or why it is not to be believed. */
  async believe(asked: Asked, { record, epoch, readState }: ReadRegister<T>): Promise<TopicState<T> | UnknownReason> {
    const { version } = record
    if (record.isCorrupt) return 'corrupt'
    if (version === null) return 'absent'
    if (record.epoch !== epoch) return 'other-server'
    const knowledge = this.of(asked)
    const doubt = knowledge.doubt(version)
    if (doubt !== null) return doubt
    const { state } = knowledge
    if (state !== null && sameVersion(state.version, version)) {
      // Before this process has read the register, Postgres may have said more of this version than the register knows.
      knowledge.digest ??= record.digest
      if (knowledge.digest === record.digest) return state
    }
    const read = await readState()
    if (read === null) return 'corrupt'
    knowledge.digest = record.digest
    // What this process knows may have moved while the state was read.
    const late = knowledge.doubt(read.version)
    if (late !== null) return late
    return this.learn(asked, read).state ?? read
  }

  /**
   * Takes in what Postgres said in a read that began at a moment, after a register had shown the version `seen`; returns what
   * holds now. Undefined: there is no such topic.
   */
  adopt(asked: Asked, state: TopicState<T> | undefined, began: Moment, seen: Version | null): TopicState<T> | null {
    if (state === undefined) {
      this.#topics.delete(asked.topic)
      return null
    }
    const knowledge = this.of(asked)
    const before = knowledge.state
    const adopted = knowledge.adoptPostgres(state, began, this.now(), seen)
    this.#tell(asked, before, adopted)
    return adopted
  }

  /** Takes in that a version is said to be there: an older register is in doubt until Postgres was asked. */
  announce(topic: string, version: Version): void {
    this.#topics.get(topic)?.knowledge.announce(version, this.now())
  }

  #tell(asked: Asked, before: TopicState<T> | null, after: TopicState<T> | null): void {
    if (before === null || after === null || sameVersion(before.version, after.version)) return
    for (const listener of this.#listeners) listener(asked, after)
  }
}

/** The text with which a process tells the others what it published. */
export function writeAnnouncement(topic: string, version: string): string {
  return JSON.stringify([topic, version])
}

/** What such a text says; null for any other. */
export function readAnnouncement(message: string): { readonly topic: string; readonly version: Version } | null {
  try {
    const parts: unknown = JSON.parse(message)
    const [topic, text]: readonly unknown[] = Array.isArray(parts) ? parts : []
    const version = typeof text === 'string' ? parseVersion(text) : null
    return typeof topic === 'string' && version ? { topic, version } : null
  } catch {
    return null
  }
}
