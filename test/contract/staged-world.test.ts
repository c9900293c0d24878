import { type Redis, startRedis } from '../support/redis'
import { runWorld } from './staged-world'

let server: Redis

beforeEach(async () => {
  server = await startRedis()
})

afterEach(async () => {
  await server.kill()
})

/** Numbers in [0, 1), the same for the same seed (Numerical Recipes' linear congruential generator). */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

it.each([1, 2])(
  'gives nobody less than was committed or seen before they asked, whatever is lost (%d)',
  async (seed) => {
    const { reads, loads, wrong, stale } = await runWorld({
      url: server.url,
      random: createRandom(seed),
      refreshes: 150,
    })
    expect(wrong).toEqual([])
    expect(stale).toBe(0)
    expect(reads).toBeGreaterThan(500)
    // It is a cache, all the same.
    expect(loads).toBeLessThan(reads)
  },
)

it('finds old answers where refreshers tell nobody, so that it would find others', async () => {
  const { wrong } = await runWorld({ url: server.url, random: createRandom(4), refreshes: 40, isSilent: true })
  expect(wrong.length).toBeGreaterThan(0)
})
