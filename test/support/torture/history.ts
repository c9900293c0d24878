/** What one reader or one refresher did to the dataset `dataset`; moments are microseconds of the shared clock. */
export interface Commit {
  readonly dataset: number
  /** The round that the rollups show, at least, since `at`. */
  readonly round: number
  /** After COMMIT had returned. */
  readonly at: number
}

/** A round that was begun: before, nobody can have seen it. */
export interface Begun {
  readonly dataset: number
  readonly round: number
  /** Before the source's transaction was committed. */
  readonly at: number
}

/** Reads of a process, column by column: a run has millions. */
export interface Reads {
  readonly length: number
  /** Indexes into the lists of questions, of servers and of datasets. */
  readonly question: Uint8Array
  readonly server: Uint8Array
  readonly dataset: Uint8Array
  /** Before the request was written, and after the answer was read. */
  readonly startedAt: Float64Array
  readonly endedAt: Float64Array
  /** The round shown; 0 where the question is about closed days. */
  readonly round: Float64Array
  /** 1 for an answer that was marked stale. */
  readonly isStale: Uint8Array
}

/** A request that did not end in an answer, or in one that is wrong in itself. */
export interface Failure {
  /**
   * `failed`: another status than 200, or errors; `unavailable`: refused or in part refused since Postgres is away or
   * sheds; `mixed`: of several rounds, or of none; `cut`: the connection ended.
   */
  readonly kind: 'failed' | 'unavailable' | 'mixed' | 'cut'
  readonly question: number
  readonly server: number
  readonly startedAt: number
  readonly endedAt: number
  readonly isStale: boolean
  readonly text: string
}

/** Collects reads. */
export class ReadLog {
  #capacity: number
  #length = 0
  #columns

  constructor(capacity = 4_096) {
    this.#capacity = capacity
    this.#columns = createColumns(capacity)
  }

  get length(): number {
    return this.#length
  }

  add(
    read: { question: number; server: number; startedAt: number; endedAt: number; isStale: boolean },
    dataset: number,
    round: number,
  ): void {
    if (this.#length === this.#capacity) this.#grow()
    const index = this.#length
    const { question, server, startedAt, endedAt, isStale } = this.#columns
    question[index] = read.question
    server[index] = read.server
    startedAt[index] = read.startedAt
    endedAt[index] = read.endedAt
    isStale[index] = read.isStale ? 1 : 0
    this.#columns.dataset[index] = dataset
    this.#columns.round[index] = round
    this.#length = index + 1
  }

  /** All reads so far; the log is empty then. */
  take(): Reads {
    const length = this.#length
    const { question, server, dataset, startedAt, endedAt, round, isStale } = this.#columns
    this.#columns = createColumns(this.#capacity)
    this.#length = 0
    return {
      length,
      question: question.slice(0, length),
      server: server.slice(0, length),
      dataset: dataset.slice(0, length),
      startedAt: startedAt.slice(0, length),
      endedAt: endedAt.slice(0, length),
      round: round.slice(0, length),
      isStale: isStale.slice(0, length),
    }
  }

  #grow(): void {
    const before = this.#columns
    this.#capacity *= 2
    this.#columns = createColumns(this.#capacity)
    this.#columns.question.set(before.question)
    this.#columns.server.set(before.server)
    this.#columns.dataset.set(before.dataset)
    this.#columns.startedAt.set(before.startedAt)
    this.#columns.endedAt.set(before.endedAt)
    this.#columns.round.set(before.round)
    this.#columns.isStale.set(before.isStale)
  }
}

function createColumns(capacity: number) {
  return {
    question: new Uint8Array(capacity),
    server: new Uint8Array(capacity),
    dataset: new Uint8Array(capacity),
    startedAt: new Float64Array(capacity),
    endedAt: new Float64Array(capacity),
    round: new Float64Array(capacity),
    isStale: new Uint8Array(capacity),
  }
}
