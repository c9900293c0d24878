import { runHistories, seedsFrom } from '../support/history/run-histories'

describe('rollups of a table', () => {
  it('equal it at rest, whatever was written, killed and released meanwhile', async () => {
    expect(await runHistories('table', seedsFrom(1, 340))).toEqual([])
  }, 600_000)
})
