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
      refresh: async () => undefined,
      onError: () => undefined,
    })
    stop.abort()
    await expect(ended).resolves.toBeUndefined()
  })
})
