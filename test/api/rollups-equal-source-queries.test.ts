import { runHistories, seedsFrom } from '../support/history/run-histories'

describe('rollups of a query over two tables', () => {
  it('equal it at rest, whatever was written, killed and released meanwhile', async () => {
    expect(await runHistories('query', seedsFrom(1001, 110))).toEqual([])
  }, 600_000)
})
