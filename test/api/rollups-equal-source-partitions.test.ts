import { runHistories, seedsFrom } from '../support/history/run-histories'

describe('rollups of a table whose partitions come and go', () => {
  it('equal it at rest, whatever was written, killed and released meanwhile', async () => {
    expect(await runHistories('partitions', seedsFrom(2001, 50))).toEqual([])
  }, 600_000)
})
