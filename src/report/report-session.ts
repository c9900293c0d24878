import { setTimeout as wait } from 'node:timers/promises'
import type { CacheService } from '../cache/cache-service'
import { sameVersion, type Version } from '../cache/version'
import { UnknownTopicError, type VersionRegister } from '../cache/version-register'
import type { Definition } from '../dataset/definition'
import { DatasetNotReadyError } from '../errors'
import type { LayoutState, VersionedState } from '../storage/layouts'
import type { RollupReader } from '../storage/rollup-reader'
import { layoutId } from '../storage/rollup-table'
import { type ReportAnswer, type Settled, settle, unwrap } from './answer'
import { evaluateReport } from './evaluate'
import type { LoadPart } from './part-plan'
import type { ReportRequest } from './request'
import type { Asking } from './subject'
import { toldError } from './told-error'

/** Where answers come from. */
export interface ReportSources {
  readonly reader: RollupReader
  readonly cache: CacheService
  readonly register: Pick<VersionRegister<LayoutState>, 'current'>
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

/** Rounds through the cache before the parts are loaded in one transaction: refreshes that never stop must not starve an answer. */
const ROUNDS = 2
/** Why a refresh failed is not worth waiting for: a database that does not tell is in trouble itself. */
const ERRORS_DEADLINE_MS = 1000

/**
 * One operation's questions. All of its reports on one dataset come from one version: they are collected for a turn of the
 * event loop and answered together, again if a refresh came in between.
 */
export class ReportSession {
  readonly #pinned = new Map<string, Promise<VersionedState>>()
  readonly #waiting = new Map<string, Waiting[]>()
  readonly #aborted: Promise<never>
  #hits = 0
  #misses = 0

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
    return { hits: this.#hits, misses: this.#misses }
  }

  /**
   * The state of a dataset that this operation is pinned to.
   *
   * @throws DatasetNotReadyError before the first build.
   */
  state(definition: Definition): Promise<VersionedState> {
    return this.#pinned.get(definition.name) ?? this.#pin(definition)
  }

  #pin(definition: Definition): Promise<VersionedState> {
    const pinned = this.#readState(definition)
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
      setImmediate(() => void this.#answerWaiting(definition))
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
    const { reader, cache } = this.sources
    for (let round = 0; round < ROUNDS; round += 1) {
      const state = await this.state(definition)
      const seen: Version[] = []
      const answers = await this.#evaluate(definition, requests, state, async ({ part, question, ttlSeconds }) => {
        const reading = cache.read(question, state.version, () => reader.load(part), { ttlSeconds })
        const { version, value, outcome } = await Promise.race([reading, this.#aborted])
        if (outcome === 'memory' || outcome === 'redis') this.#hits += 1
        else this.#misses += 1
        seen.push(version)
        return value
      })
      if (seen.every((version) => sameVersion(version, state.version))) return answers
      void this.#pin(definition)
    }
    return reader.loadTogether(this.signal, async (load, readState) => {
      const state = await readState(layoutId(definition))
      return this.#evaluate(definition, requests, state, async ({ part }) => {
        this.#misses += 1
        return (await load(part)).value
      })
    })
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
    state: VersionedState,
    load: LoadPart,
  ): Promise<Settled<ReportAnswer>[]> {
    return Promise.all(
      requests.map((request) => settle(() => evaluateReport(definition, request, state, this.asking, load))),
    )
  }

  async #readState(definition: Definition): Promise<VersionedState> {
    try {
      const state = await this.sources.register.current(definition.name, layoutId(definition))
      if (!state.data.isReady) throw new DatasetNotReadyError(definition.name)
      return state
    } catch (error) {
      throw error instanceof UnknownTopicError ? new DatasetNotReadyError(definition.name) : error
    }
  }
}
