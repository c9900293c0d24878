import timers from 'node:timers/promises'
import type { Definition } from '../../../src/dataset/definition'
import { intervalOf, runSchedule } from '../../../src/refresh/scheduler'

/** Only `refresh` is looked at. */
function dataset(refresh: Definition['refresh']): Definition {
  return { refresh } as Definition
}

describe('the interval of a dataset', () => {
  it.each([
    ['manual' as const, null],
    [{ capture: 'trigger' as const }, null],
    [{ every: '10s' }, 10_000],
    [{ every: '5m' }, 300_000],
  ])('%j is %p ms', (refresh, expected) => {
    expect(intervalOf(dataset(refresh))).toBe(expected)
  })
})

describe('a schedule', () => {
  /** Runs turns until `turns` of them have asked how old the data is. */
  async function run(turns: number, ages: readonly (number | null)[], failing = false) {
    const stop = new AbortController()
    const events: string[] = []
    let turn = 0
    await runSchedule({
      definition: dataset({ every: '1s' }),
      signal: stop.signal,
      // Time passes by turns, and each turn is a whole interval.
      clock: () => turn * 1000,
      // A negative delay waits for the next turn of the event loop alone.
      random: () => -10.01,
      readDataAsOf: async () => {
        turn += 1
        if (turn >= turns) stop.abort()
        return ages[turn - 1] ?? null
      },
      refresh: async () => {
        events.push(`refresh ${turn}`)
        if (failing) throw new Error('no source')
        return null
      },
      onError: (error) => events.push(String(error)),
    })
    return events
  }

  it('refreshes at every turn', async () => {
    expect(await run(3, [])).toEqual(['refresh 1', 'refresh 2', 'refresh 3'])
  })

  it('skips a turn when another process has just refreshed', async () => {
    expect(await run(3, [null, 900, null])).toEqual(['refresh 1', 'refresh 3'])
  })

  it('goes on after a refresh that failed', async () => {
    expect(await run(2, [], true)).toEqual(['refresh 1', 'Error: no source', 'refresh 2', 'Error: no source'])
  })

  it('ends at once when it is told to while it waits', async () => {
    const stop = new AbortController()
    const ended = runSchedule({
      definition: dataset({ every: '24h' }),
      signal: stop.signal,
      clock: () => 0,
      random: () => 0,
      readDataAsOf: async () => null,
      refresh: async () => null,
      onError: () => undefined,
    })
    stop.abort()
    await expect(ended).resolves.toBeUndefined()
  })
})

describe('the pause before a turn', () => {
  afterEach(() => jest.restoreAllMocks())

  /** What each turn does: how many seconds its refresh takes, and whether it fails. */
  interface Turn {
    readonly takes?: number
    readonly fails?: boolean
  }

  /** Runs turns with a clock that only moves when something takes time; tells the seconds waited before each. */
  async function readPauses(every: string, turns: readonly Turn[], random = 0): Promise<number[]> {
    const stop = new AbortController()
    const pauses: number[] = []
    let now = 0
    jest.spyOn(timers, 'setTimeout').mockImplementation(async (delay = 0) => {
      pauses.push(delay / 1000)
      now += delay
      if (pauses.length > turns.length) stop.abort()
      return undefined as never
    })
    await runSchedule({
      definition: dataset({ every }),
      signal: stop.signal,
      clock: () => now,
      random: () => random,
      readDataAsOf: async () => null,
      refresh: async () => {
        const { takes = 0, fails = false } = turns[pauses.length - 1] ?? {}
        now += takes * 1000
        if (fails) throw new Error('no source')
        return null
      },
      onError: () => undefined,
    })
    return pauses
  }

  const failures = (count: number): Turn[] => Array.from({ length: count }, () => ({ fails: true }))

  it.each<[string, string, readonly Turn[], readonly number[]]>([
    ['is the interval', '10s', [{}, {}], [10, 10, 10]],
    ['doubles with every error in a row, up to five minutes', '10s', failures(6), [10, 20, 40, 80, 160, 300, 300]],
    ['is the interval again after an error that did not last', '10s', [...failures(2), {}, {}], [10, 20, 40, 10, 10]],
    ['is never shorter than the interval', '1h', failures(2), [3600, 3600, 3600]],
    ['is as long as the refresh took', '10s', [{ takes: 45 }, { takes: 3 }], [10, 45, 10]],
    ['is as long as a refresh took that failed late', '10s', [{ takes: 60, fails: true }], [10, 60]],
  ])('%s', async (_, every, turns, expected) => {
    const pauses = await readPauses(every, turns)
    expect(pauses.slice(0, expected.length)).toEqual(expected)
  })

  it('is a little longer by chance, so that processes part', async () => {
    const [pause] = await readPauses('10s', [{}], 0.5)
    expect(pause).toBeCloseTo(10.5)
  })
})
