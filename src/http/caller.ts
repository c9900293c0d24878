import type { RequestHead } from './request-checks'

/** Who asks, as far as answers differ by it. */
export interface Caller {
  /** Callers of one scope, the same text, may see the same. */
  readonly scope: string
  /** Whether everybody may see it: nobody has to say who they are. */
  readonly isPublic: boolean
}

/** Whoever asks where nobody has to say who they are. */
export const EVERYBODY: Caller = { scope: '{}', isPublic: true }

/**
 * Tells who asks from the head of a request, once for each, before its body is read and before anything kept is looked at.
 * May throw any AggregraphError; the request is then answered by its code.
 */
export type Identify = (head: RequestHead) => Caller | Promise<Caller>
