/**
 * Every error this project throws. A constructor takes facts and writes the sentence: who, what is wrong, what would be
 * right. `code` is public and stable: it becomes `extensions.code` of a GraphQL error.
 */

export type ErrorCode =
  | 'BAD_REQUEST'
  | 'BAD_USER_INPUT'
  | 'OPERATION_RESOLUTION_FAILURE'
  | 'NO_ROLLUP'
  | 'DATASET_NOT_READY'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'QUERY_TOO_COMPLEX'
  | 'RATE_LIMITED'
  | 'TIMEOUT'
  | 'UPSTREAM_UNAVAILABLE'

/** An error whose message is meant for the person who asked. */
export abstract class AggregraphError extends Error {
  abstract readonly code: ErrorCode
  /** Facts for `extensions`, beside the code. */
  readonly details: Readonly<Record<string, unknown>> = {}
}

/** A wrong argument of a question. `argument` is its path, for example `range.between.from`. */
export class BadInputError extends AggregraphError {
  readonly code = 'BAD_USER_INPUT'
  override readonly details: Readonly<Record<string, unknown>>

  constructor(argument: string, sentence: string) {
    super(sentence)
    this.details = { argument }
  }
}

/** No rollup of the dataset can answer the question. */
export class NoRollupError extends AggregraphError {
  readonly code = 'NO_ROLLUP'
  override readonly details: Readonly<Record<string, unknown>>

  constructor(dataset: string, missing: string, nearest: string | null) {
    super(
      `No rollup of "${dataset}" covers this question: ${missing}.` +
        (nearest === null ? ' The dataset keeps no rollup.' : ` The nearest rollup is ${nearest}.`),
    )
    this.details = { dataset, missing, nearest }
  }
}

/** A mutation or a subscription. */
export class NotAQueryError extends AggregraphError {
  readonly code = 'OPERATION_RESOLUTION_FAILURE'

  constructor() {
    super('This API answers queries alone: the operation must be a query.')
  }
}

/** The dataset is declared, but its rollups have not been built yet. */
export class DatasetNotReadyError extends AggregraphError {
  readonly code = 'DATASET_NOT_READY'

  constructor(dataset: string) {
    super(`The rollups of "${dataset}" are still being built. Ask again in a few seconds.`)
  }
}

/** The principal may not ask this dataset. */
export class ForbiddenError extends AggregraphError {
  readonly code = 'FORBIDDEN'

  constructor(dataset: string) {
    super(`You may not ask the dataset "${dataset}".`)
  }
}

/** An operation that would cost more than is allowed, known before it is executed. */
export class TooComplexError extends AggregraphError {
  readonly code = 'QUERY_TOO_COMPLEX'
  override readonly details: Readonly<Record<string, unknown>>

  constructor(what: string, limit: number, actual: number) {
    super(`This operation asks for ${actual} ${what}; at most ${limit} are allowed.`)
    this.details = { limit, actual }
  }
}

/** Postgres cannot be reached, or the server sheds load. */
export class UnavailableError extends AggregraphError {
  readonly code = 'UPSTREAM_UNAVAILABLE'

  constructor(cause?: unknown) {
    super('The database cannot answer right now. Ask again in a few seconds.', { cause })
  }
}

/** More is asked of Postgres than it is given at once: this question was turned away. */
export class OverloadedError extends UnavailableError {}

/** The answer took longer than it may. */
export class DeadlineError extends AggregraphError {
  readonly code = 'TIMEOUT'

  constructor(cause?: unknown) {
    super('The answer took longer than the deadline. Ask for less: a shorter range, fewer groups or fewer points.', {
      cause,
    })
  }
}

/** One thing wrong in a declaration or in the configuration. */
export interface Fault {
  /** Who: `Flights.delay`, `PORT`. */
  readonly subject: string
  /** What is wrong, and what would be right. */
  readonly sentence: string
}

function listFaults(title: string, faults: readonly Fault[]): string {
  return [title, ...faults.map((fault) => `  - ${fault.subject}: ${fault.sentence}`)].join('\n')
}

/** Every fault of the declared datasets, together. */
export class DeclarationError extends Error {
  readonly faults: readonly Fault[]

  constructor(faults: readonly Fault[]) {
    super(listFaults(`The datasets have ${faults.length} fault(s):`, faults))
    this.faults = faults
  }
}

/** Every fault of the settings, together. */
export class ConfigurationError extends Error {
  readonly faults: readonly Fault[]

  constructor(faults: readonly Fault[]) {
    super(listFaults(`The settings have ${faults.length} fault(s):`, faults))
    this.faults = faults
  }
}

/** The embedded PostgreSQL cannot be started. The sentence says why, and what to do. */
export class EmbeddedPostgresError extends Error {
  constructor(sentence: string, cause?: unknown) {
    super(sentence, { cause })
  }
}

/** The rollups of a dataset cannot be built or refreshed. The sentence says why, and what to do. */
export class RefreshError extends Error {
  constructor(className: string, sentence: string, cause?: unknown) {
    super(`${className}: ${sentence}`, { cause })
  }
}
