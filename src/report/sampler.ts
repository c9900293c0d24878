import { setTimeout } from 'node:timers/promises'
import type { CacheEvent, CacheListener } from '../cache/cache-event'
import { formatVersion, isNewer, sameVersion, type Version } from '../cache/version'
import { isSameAnswer } from './same-answer'

/** What one way of reading a question gave: JSON, and the version of the topic that it is the answer at. */
export interface Seen {
  readonly version: Version
  readonly value: unknown
}

/** A question that was answered from the cache lately, to be read again in both ways. */
export interface Sample {
  readonly topic: string
  readonly dataset: string
  /** What kind of part it asks for, for the log. */
  readonly part: string
  /**
   * Reads from Postgres, version and rows of one snapshot. Waits for its place behind the loads of requests, or rejects;
   * it takes no longer than any load may.
   */
  load(): Promise<Seen>
  /**
   * Reads as a request that begins now would, with a register read of its own. The version is the one that the read was
   * pinned to: the entry may have been kept under an earlier one, when nothing it shows has changed since. Null when the
   * cache had no answer, so that it was loaded, or has one that it would mark as stale.
   */
  readCached(): Promise<Seen | null>
}

export interface SamplerOptions {
  /** A question of the last minutes, any of them; null when there is none. */
  readonly recent: () => Sample | null
  /** Whether Postgres answers and no load waits for a place: a sample must never add to trouble. */
  readonly isCalm: () => boolean
  /** Hears what each sample showed. */
  readonly onEvent: CacheListener
  /** Is told, without any value, of an answer that was older than it had to be. */
  readonly log: { error(facts: object, message: string): void }
  /** Ends the sampler, after the sample under way. */
  readonly signal: AbortSignal
  /** Mean milliseconds between two samples; default a minute. Each pause is half of it to one and a half times as long. */
  readonly everyMs?: number
  /** Gives [0, 1); default Math.random. */
  readonly random?: () => number
  /** Waits, and rejects when the signal ends it; default a timer that does not keep the process alive. */
  readonly wait?: (milliseconds: number, signal: AbortSignal) => Promise<unknown>
}

const EVERY_MS = 60_000

/** Takes a sample now and then, one at a time, until the signal ends it. Never rejects. */
export async function runSampler(options: SamplerOptions): Promise<void> {
  const { recent, isCalm, onEvent, signal, everyMs = EVERY_MS, random = Math.random, wait = waitAside } = options
  while (!signal.aborted) {
    try {
      await wait(everyMs * (0.5 + random()), signal)
    } catch {
      return
    }
    const sample = isCalm() ? recent() : null
    if (sample === null) continue
    onEvent({ kind: 'sampled', topic: sample.topic, outcome: await takeSample(sample, options.log) })
  }
}

function waitAside(milliseconds: number, signal: AbortSignal): Promise<unknown> {
  return setTimeout(milliseconds, undefined, { signal, ref: false })
}

type Outcome = Extract<CacheEvent, { kind: 'sampled' }>['outcome']

/**
 * Reads a question from Postgres first and, when that answer is there, through the cache, and compares.
 *
 * The order makes `older` a proof. What the load showed was committed before the load returned, and the cached read begins
 * after that; the promise is that a read which begins after a commit gets nothing older. So a cached read at the same or an
 * earlier version must give the same answer: at the same one, since rows never change without a new version; at an earlier
 * one, since a cache may only go by that when what came after changed nothing the question shows, as while a commit over
 * another stretch is about to be published. In the other order a commit between the two readings would look just like a
 * stale answer, and nothing could be told.
 *
 * A cached read at a later version, or at another of the same `seq` (a database restored meanwhile), cannot be compared:
 * `passed-over`, as is whatever could not be read. Answers that differ are only called so when a second load at the
 * version of the first confirms it. One exception is part of the promise: a refresh that could not reach Redis, which is
 * told as `prepare-failed`, is followed within a second.
 */
async function takeSample(sample: Sample, log: SamplerOptions['log']): Promise<Outcome> {
  try {
    const loaded = await sample.load()
    const cached = await sample.readCached()
    if (cached === null) return 'passed-over'
    const isComparable = sameVersion(loaded.version, cached.version) || isNewer(loaded.version, cached.version)
    if (!isComparable) return 'passed-over'
    if (isSameAnswer(cached.value, loaded.value)) return 'same'

    const confirmed = await sample.load()
    if (!sameVersion(confirmed.version, loaded.version)) return 'passed-over'
    // Postgres itself gives now this answer, now that one: groups whose order hangs on the last digit of a float.
    if (isSameAnswer(cached.value, confirmed.value)) return 'passed-over'
    const { dataset, part } = sample
    const versions = { cached: formatVersion(cached.version), loaded: formatVersion(loaded.version) }
    log.error({ dataset, part, ...versions }, 'The cache answered with older data than Postgres had before')
    return 'older'
  } catch {
    // Postgres or Redis is in trouble, which whoever has to read tells of.
    return 'passed-over'
  }
}
