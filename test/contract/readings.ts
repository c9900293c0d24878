import type { Loaded, Reading } from '../../src/cache/reading'
import type { Pinned, TopicState } from '../../src/cache/topic-state'
import { ALWAYS, type Stretch } from '../../src/time/stretch'
import { follow, versionOf } from './versions'

/** A question that asks for a text, over all time unless told otherwise. */
export function ask<T>(
  load: () => Promise<Loaded<T>>,
  { text = 'how many?', stretch = ALWAYS, ttlSeconds }: { text?: string; stretch?: Stretch; ttlSeconds?: number } = {},
): Reading<T> {
  return { question: { group: 'flights', topic: 'layout', scope: 'all', text }, stretch, ttlSeconds, load }
}

/** What a loader gives that saw a state. */
export function loaded<T>({ version }: Pick<TopicState<string>, 'version'>, value: T): Loaded<T> {
  return { version, asOf: version.seq * 1000, value }
}

/** A state as an operation goes by it. */
export function pin(state: TopicState<string>, overrides: Partial<Pinned<string>> = {}): Pinned<string> {
  return { ...state, pending: [], isConfirmed: true, ...overrides }
}

/** So many states, each of which follows the one before and changes a stretch; the first is of seq 1. */
export function states(count: number, changed: Stretch = ALWAYS): TopicState<string>[] {
  const all: TopicState<string>[] = []
  for (let seq = 1; seq <= count; seq++) all.push(follow(all.at(-1), versionOf(seq), [changed]))
  return all
}

/** Work that ends when the test says so. */
export interface Deferred<T> {
  /** Begins it: every call waits for the same end. */
  readonly begin: () => Promise<T>
  readonly count: () => number
  resolve(value: T): void
  reject(error: Error): void
}

export function defer<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {}
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  let begun = 0
  return {
    begin: () => {
      begun += 1
      return promise
    },
    count: () => begun,
    resolve,
    reject,
  }
}

/** A turn of the event loop. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
