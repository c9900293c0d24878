import type { CacheEvent } from '../../../src/cache/cache-event'
import { runSampler, type Sample, type SamplerOptions, type Seen } from '../../../src/report/sampler'

const TOPIC = { topic: 'flights:1a2b', dataset: 'flights', part: 'totals' }
const at = (seq: number, value: unknown, uuid = `uuid${seq}`): Seen => ({ version: { seq, uuid }, value })

/** Runs the sampler for so many turns; tells what it said, in its order. */
async function run(turns: number, options: Partial<SamplerOptions>) {
  const stop = new AbortController()
  const events: CacheEvent[] = []
  const errors: object[] = []
  const pauses: number[] = []
  await runSampler({
    recent: () => null,
    isCalm: () => true,
    onEvent: (event) => events.push(event),
    log: { error: (facts, message) => errors.push({ ...facts, message }) },
    signal: stop.signal,
    random: () => 0.5,
    wait: async (milliseconds) => {
      if (pauses.length === turns) {
        stop.abort()
        throw stop.signal.reason
      }
      pauses.push(milliseconds)
    },
    ...options,
  })
  return { events, errors, pauses }
}

/** One sample whose loads and whose cached read give these; an error rejects. Tells the outcome and the order of reads. */
async function sampleOnce(loads: readonly (Seen | Error)[], cached: Seen | Error | null) {
  const reads: string[] = []
  const give = <T>(read: string, result: T | Error): T => {
    reads.push(read)
    if (result instanceof Error) throw result
    return result
  }
  const sample: Sample = {
    ...TOPIC,
    load: async () =>
      give('load', loads[reads.filter((read) => read === 'load').length] ?? new Error('One load too many')),
    readCached: async () => give('cached', cached),
  }
  const { events, errors } = await run(1, { recent: () => sample })
  const [event] = events
  expect(events).toEqual([{ kind: 'sampled', topic: TOPIC.topic, outcome: expect.anything() }])
  return { outcome: event?.kind === 'sampled' && event.outcome, reads, errors }
}

describe('a sample', () => {
  it.each<[string, string, readonly (Seen | Error)[], Seen | Error | null]>([
    ['the same at the same version', 'same', [at(7, [1])], at(7, [1])],
    ['the same but for the last digit of a float', 'same', [at(7, [0.30000000000000004])], at(7, [0.3])],
    ['the same at an earlier version, whose changes were elsewhere', 'same', [at(8, [1])], at(7, [1])],
    ['another at an earlier version', 'older', [at(8, [2]), at(8, [2])], at(7, [1])],
    ['another at the same version', 'older', [at(7, [2]), at(7, [2])], at(7, [1])],
    ['another, and so has a refresh made the load meanwhile', 'passed-over', [at(7, [2]), at(8, [3])], at(7, [1])],
    ['what another load at that version gives as well', 'passed-over', [at(7, [2, 1]), at(7, [1, 2])], at(7, [1, 2])],
    ['a later version, the same', 'passed-over', [at(7, [1])], at(8, [1])],
    ['a later version, another', 'passed-over', [at(7, [1])], at(8, [2])],
    ['another version of the same number', 'passed-over', [at(7, [1])], at(7, [1], 'restored')],
    ['nothing any more', 'passed-over', [at(7, [1])], null],
    ['a fault', 'passed-over', [at(7, [1])], new Error('Redis is away')],
    ['another, which Postgres does not live to confirm', 'passed-over', [at(7, [2]), new Error('away')], at(7, [1])],
  ])('of which the cache has %s is %s', async (_, expected, loads, cached) => {
    const { outcome, reads } = await sampleOnce(loads, cached)
    expect(outcome).toBe(expected)
    // The proof hangs on this order.
    expect(reads.slice(0, 2)).toEqual(['load', 'cached'])
  })

  it('that Postgres does not answer is passed over, and the cache is not asked', async () => {
    const { outcome, reads } = await sampleOnce([new Error('away')], at(7, [1]))
    expect([outcome, reads]).toEqual(['passed-over', ['load']])
  })

  it('begins to read the cache only when Postgres has answered', async () => {
    let [begin, answer] = [() => {}, (_reading: Seen) => {}]
    const begun = new Promise<void>((resolve) => {
      begin = resolve
    })
    const answered = new Promise<Seen>((resolve) => {
      answer = resolve
    })
    const reads: string[] = []
    const sample: Sample = {
      ...TOPIC,
      load: () => {
        begin()
        return answered
      },
      readCached: async () => {
        reads.push('cached')
        return at(7, [1])
      },
    }
    const running = run(1, { recent: () => sample })
    await begun
    await new Promise(setImmediate)
    expect(reads).toEqual([])
    answer(at(7, [1]))
    expect((await running).events).toEqual([{ kind: 'sampled', topic: TOPIC.topic, outcome: 'same' }])
    expect(reads).toEqual(['cached'])
  })

  it('that is older is an error in the log, with versions, and without any value', async () => {
    const { errors } = await sampleOnce([at(8, ['new secret']), at(8, ['new secret'])], at(7, ['old secret']))
    expect(errors).toEqual([
      {
        dataset: 'flights',
        part: 'totals',
        cached: '7.uuid7',
        loaded: '8.uuid8',
        message: 'The cache answered with older data than Postgres had before',
      },
    ])
  })

  it('that is not older is not logged', async () => {
    expect((await sampleOnce([at(7, [1])], at(7, [1]))).errors).toEqual([])
    expect((await sampleOnce([at(7, [2]), at(8, [3])], at(7, [1]))).errors).toEqual([])
  })
})

describe('the sampler', () => {
  const good: Sample = { ...TOPIC, load: async () => at(7, 1), readCached: async () => at(7, 1) }

  it('takes a sample a minute, sooner or later by chance', async () => {
    const chances = [0, 0.5, 0.999]
    const { pauses, events } = await run(3, { recent: () => good, random: () => chances.shift() ?? 0 })
    expect(pauses).toEqual([30_000, 60_000, 89_940])
    expect(events).toHaveLength(3)
  })

  it('takes none while Postgres is in trouble, and does not even look for one', async () => {
    const calm = [false, false, true]
    let looked = 0
    const { events } = await run(3, {
      isCalm: () => calm.shift() ?? false,
      recent: () => {
        looked += 1
        return good
      },
    })
    expect([events.length, looked]).toEqual([1, 1])
  })

  it('goes on when there is nothing to sample, and after a sample that failed', async () => {
    const bad: Sample = { ...good, load: () => Promise.reject(new Error('away')) }
    const samples = [null, bad, good]
    const { events } = await run(3, { recent: () => samples.shift() ?? null })
    expect(events.map((event) => event.kind === 'sampled' && event.outcome)).toEqual(['passed-over', 'same'])
  })

  it('has one sample under way at most', async () => {
    let [running, most] = [0, 0]
    const slow: Sample = {
      ...good,
      load: async () => {
        running += 1
        most = Math.max(most, running)
        await new Promise(setImmediate)
        running -= 1
        return at(7, 1)
      },
    }
    const { events } = await run(20, { recent: () => slow, everyMs: 1 })
    expect([events.length, most]).toEqual([20, 1])
  })

  it('ends at once when it is told to while it waits', async () => {
    const stop = new AbortController()
    const ended = runSampler({
      recent: () => good,
      isCalm: () => true,
      onEvent: () => undefined,
      log: console,
      signal: stop.signal,
    })
    stop.abort()
    await expect(ended).resolves.toBeUndefined()
  })

  it('ends after the sample under way', async () => {
    const stop = new AbortController()
    const events: CacheEvent[] = []
    const stopping: Sample = {
      ...good,
      load: async () => {
        stop.abort()
        return at(7, 1)
      },
    }
    await runSampler({
      recent: () => stopping,
      isCalm: () => true,
      onEvent: (event) => events.push(event),
      log: console,
      signal: stop.signal,
      wait: async () => undefined,
    })
    expect(events).toHaveLength(1)
  })
})
