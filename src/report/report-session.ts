import { setTimeout as wait } from 'node:timers/promises'
import type { Bulkhead } from '../cache/bulkhead'
import type { CacheService } from '../cache/cache-service'
import { isCurrent } from '../cache/history'
import type { Answer, Loaded } from '../cache/reading'
import { UnknownTopicError } from '../cache/register-options'
import type { Dependency, Pinned } from '../cache/topic-state'
import { isNewer, sameVersion, type Version } from '../cache/version'
import type { VersionRegister } from '../cache/version-register'
import type { Definition } from '../dataset/definition'
import { DatasetNotReadyError } from '../errors'
import type { LayoutState } from '../storage/layouts'
import type { Part, PartRows } from '../storage/part'
import type { RollupReader } from '../storage/rollup-reader'
import { layoutId } from '../storage/rollup-table'
import { type ReportAnswer, type Settled, settle, unwrap } from './answer'
import { evaluateReport, type Older } from './evaluate'
import type { PlannedPart } from './part-plan'
import type { ReportRequest } from './request'
import { Round } from './round'
import type { Asking } from './subject'
import { toldError } from './told-error'

/** Where answers come from. */
export interface ReportSources {
  readonly reader: RollupReader
  readonly cache: CacheService
  readonly register: Pick<VersionRegister<LayoutState>, 'current' | 'settle' | 'known' | 'notice'>
  /** What loads pass through, so that Postgres gets no more at once than it can do. */
  readonly bulkhead: Bulkhead
}

/** Where the parts of an operation came from. */
export interface CacheOutcome {
  readonly hits: number
  readonly misses: number
}

interface Waiting {
  readonly request: ReportRequest
  resolve(answer: Settled<ReportAnswer>): void
}

type State = Pinned<LayoutState>
type Load = <P extends Part>(planned: PlannedPart<P>) => Promise<Answer<PartRows<P>>>

/** Rounds through the cache before the parts are loaded in one transaction: refreshes that never stop must not starve an answer. */
const ROUNDS = 3
/** Why a refresh failed is not worth waiting for: a database that does not tell is in trouble itself. */
const ERRORS_DEADLINE_MS = 1000

/**
 * One operation's questions. All of its reports on one dataset come from one version: they are collected for a turn of the
 * event loop and answered together, again if a refresh came in between.
 */
export class ReportSession {
  readonly #pinned = new Map<string, Promise<State>>()
  readonly #waiting = new Map<string, Waiting[]>()
  readonly #aborted: Promise<never>
  readonly #dependencies: Dependency[] = []
  #expiresAt = Number.POSITIVE_INFINITY
  #isStorable = true
  #outcome: CacheOutcome = { hits: 0, misses: 0 }

  constructor(
    private readonly sources: ReportSources,
    readonly asking: Asking,
    /** Ends the wait for parts, with the error that they then fail with. */
    private readonly signal: AbortSignal,
  ) {
    this.#aborted = new Promise((_resolve, reject) => {
      if (signal.aborted) reject(signal.reason)
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
    // Told to whoever waits for a part; when nobody does, it is no failure.
    this.#aborted.catch(() => undefined)
  }

  get outcome(): CacheOutcome {
    return this.#outcome
  }

  /** What all answers so far were made from; null when they are not to be kept: stale, or more than reports. */
  get dependencies(): readonly Dependency[] | null {
    return this.#isStorable && this.#dependencies.length > 0 ? this.#dependencies : null
  }

  /** Epoch milliseconds from which the answers so far are no longer those to the same operation; null: time changes nothing. */
  get expiresAt(): number | null {
    return Number.isFinite(this.#expiresAt) ? this.#expiresAt : null
  }

  /**
   * The state of a dataset that this operation is pinned to. An operation that shows it is not kept.
   *
   * @throws DatasetNotReadyError before the first build.
   */
  state(definition: Definition): Promise<State> {
    this.#isStorable = false
    return this.#state(definition)
  }

  /**
   * A state that an estimate can go by: the last one this process knows of, without a question to anybody.
   *
   * @throws DatasetNotReadyError before the first build.
   */
  async estimate(definition: Definition): Promise<State> {
    const known = this.sources.register.known(layoutId(definition))
    return known?.data.isReady ? known : this.#state(definition)
  }

  #state(definition: Definition): Promise<State> {
    const { register } = this.sources
    return (
      this.#pinned.get(definition.name) ??
      this.#pin(definition, () => register.current(definition.name, layoutId(definition)))
    )
  }

  #pin(definition: Definition, read: () => Promise<State>): Promise<State> {
    const pinned = readReady(definition, read)
    // Whoever asks for the state gets its failure; until then it is nobody's, and must not end the process.
    pinned.catch(() => undefined)
    this.#pinned.set(definition.name, pinned)
    return pinned
  }

  /** Answers one report. Rejects with what keeps all of it from being answered; a failed part is settled inside. */
  async answer(definition: Definition, request: ReportRequest): Promise<ReportAnswer> {
    const settled = await new Promise<Settled<ReportAnswer>>((resolve) => {
      const waiting = this.#waiting.get(definition.name)
      if (waiting !== undefined) {
        waiting.push({ request, resolve })
        return
      }
      this.#waiting.set(definition.name, [{ request, resolve }])
      afterThisTurn(() => void this.#answerWaiting(definition))
    })
    return unwrap(settled)
  }

  async #answerWaiting(definition: Definition): Promise<void> {
    const waiting = this.#waiting.get(definition.name) ?? []
    this.#waiting.delete(definition.name)
    const all = await settle(() =>
      this.#answerTogether(
        definition,
        waiting.map(({ request }) => request),
      ),
    )
    for (const [index, { resolve }] of waiting.entries()) {
      const answer = all.isOk ? all.value[index] : all
      if (answer !== undefined) resolve(answer)
    }
  }

  async #answerTogether(definition: Definition, requests: readonly ReportRequest[]): Promise<Settled<ReportAnswer>[]> {
    const { register, cache, bulkhead } = this.sources
    const topic = layoutId(definition)
    let isSettled = false
    // What was current a moment ago mostly still is: its parts are looked up while that is confirmed.
    let assumed = this.#pinned.has(definition.name) ? null : register.known(topic)
    for (let rounds = 0; rounds < ROUNDS; rounds += 1) {
      const confirming = this.#state(definition)
      const state = assumed?.data.isReady ? assumed : await confirming
      const round = new Round()
      const answers = await this.#evaluate(definition, requests, state, async (planned) => {
        const { part, ...reading } = planned
        const load = loaderOf(this.sources, part)
        const answer = await Promise.race([cache.read({ ...reading, load }, state, isSettled), this.#aborted])
        round.take(answer, planned.stretch)
        return answer
      })
      const now = await confirming
      assumed = null
      const isSame = sameVersion(now.version, state.version) && now.data === state.data
      if (!isSame || now.isConfirmed !== state.isConfirmed) continue
      if (!now.isConfirmed || round.holds(now)) return this.#finish(definition, requests, now, answers, round)
      const newer = round.newerThan(now)
      if (newer !== null) register.notice(topic, newer)
      isSettled = true
      void this.#pin(definition, () => register.settle(definition.name, topic))
    }
    return bulkhead.run(() => this.#loadTogether(definition, requests))
  }

  /** All parts from one transaction, whatever is refreshed meanwhile. */
  #loadTogether(definition: Definition, requests: readonly ReportRequest[]): Promise<Settled<ReportAnswer>[]> {
    return this.sources.reader.loadTogether(this.signal, async (load, readState) => {
      const state: State = { ...(await readState(layoutId(definition))), pending: [], isConfirmed: true }
      if (!state.data.isReady) throw new DatasetNotReadyError(definition.name)
      const round = new Round()
      const answers = await this.#evaluate(definition, requests, state, async ({ part, stretch }) => {
        const answer = { ...(await load(part)), outcome: 'loaded' } as const
        round.take(answer, stretch)
        return answer
      })
      return this.#finish(definition, requests, state, answers, round)
    })
  }

  #finish(
    definition: Definition,
    requests: readonly ReportRequest[],
    { version, data, isConfirmed }: State,
    answers: Settled<ReportAnswer>[],
    { hits, misses, stale }: Round,
  ): Settled<ReportAnswer>[] {
    const { outcome } = this
    this.#outcome = { hits: outcome.hits + hits, misses: outcome.misses + misses }
    if (stale > 0 || !isConfirmed) this.#isStorable = false
    const bases = answers.flatMap((answer) => (answer.isOk ? [answer.value.basis] : []))
    for (const { expiresAt } of bases) this.#expiresAt = Math.min(this.#expiresAt, expiresAt ?? this.#expiresAt)
    const stretches = bases.flatMap((basis) => basis.stretches)
    const shown = requests.some(({ showsMoment }) => showsMoment) ? { data } : {}
    this.#dependencies.push({ group: definition.name, topic: layoutId(definition), version, stretches, ...shown })
    return answers
  }

  /** Why the last refresh of each dataset failed, in their order, as everybody may know it; null: it did not, or Postgres is away. */
  async lastErrors(definitions: readonly Definition[]): Promise<readonly (string | null)[]> {
    const reading = this.sources.reader.lastErrors(definitions.map(layoutId)).catch(() => null)
    const errors = await Promise.race([reading, wait(ERRORS_DEADLINE_MS, null, { ref: false }), this.#aborted])
    return definitions.map((definition) => {
      const message = errors?.get(layoutId(definition))
      return message === undefined ? null : toldError(definition.className, message)
    })
  }

  #evaluate(
    definition: Definition,
    requests: readonly ReportRequest[],
    state: State,
    load: Load,
  ): Promise<Settled<ReportAnswer>[]> {
    return Promise.all(
      requests.map((request) => {
        let older: Older | null = state.isConfirmed ? null : { version: null, asOf: state.data.dataAsOf }
        const loadPart = async <P extends Part>(planned: PlannedPart<P>): Promise<PartRows<P>> => {
          const { outcome, version, asOf, value } = await load(planned)
          const isOlder = outcome === 'stale' && !isCurrent(state, version, [planned.stretch])
          if (isOlder) older = olderOf(older, { version, asOf })
          return value
        }
        return settle(() => evaluateReport(definition, request, state, this.asking, loadPart, () => older))
      }),
    )
  }
}

/**
 * Calls back when all that resolvers do without waiting for anything is done: after the promises that are resolved now and
 * those that they resolve, ahead of whatever arrives (as DataLoader collects its keys).
 */
function afterThisTurn(work: () => void): void {
  void Promise.resolve().then(() => process.nextTick(work))
}

/** Outlives the operation, since busy questions are loaded again: it is to hold nothing of it but the part. */
function loaderOf<P extends Part>({ bulkhead, reader }: ReportSources, part: P): () => Promise<Loaded<PartRows<P>>> {
  return () => bulkhead.run(() => reader.load(part))
}

/** Of two things that are shown, the version and the moment that both are at least of. */
function olderOf(one: Older | null, other: Older & { readonly version: Version }): Older {
  if (one === null) return other
  const version = one.version === null || isNewer(one.version, other.version) ? other.version : one.version
  return { version, asOf: one.asOf === null || other.asOf === null ? null : Math.min(one.asOf, other.asOf) }
}

async function readReady(definition: Definition, read: () => Promise<State>): Promise<State> {
  try {
    const state = await read()
    if (!state.data.isReady) throw new DatasetNotReadyError(definition.name)
    return state
  } catch (error) {
    throw error instanceof UnknownTopicError ? new DatasetNotReadyError(definition.name) : error
  }
}
