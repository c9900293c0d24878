import { createTextStore } from '../../../src/cache/text-store'

describe('a store of texts', () => {
  it('gives what was kept until it is deleted', async () => {
    const store = createTextStore(1_000)
    await store.set('k', 'text')
    expect([await store.get('k'), await store.get('other')]).toEqual(['text', undefined])
    await store.delete('k')
    expect(await store.get('k')).toBeUndefined()
  })

  it('holds no more than its bytes; what was asked for last stays', async () => {
    const store = createTextStore(100_000)
    await store.set('busy', 'text')
    for (let index = 0; index < 2_000; index += 1) {
      await store.set(`key ${index}`, 'x'.repeat(100))
      await store.get('busy')
    }
    const kept = await Promise.all(Array.from({ length: 2_000 }, (_, index) => store.get(`key ${index}`)))
    const length = kept.filter((text) => text !== undefined).length
    expect([length, await store.get('busy')]).toEqual([expect.any(Number), 'text'])
    expect(length).toBeGreaterThan(400)
    expect(length * 2 * 100).toBeLessThan(100_000)
  })

  it('keeps nothing that is larger than all of it', async () => {
    const store = createTextStore(10)
    await store.set('k', 'a text of some length')
    expect(await store.get('k')).toBeUndefined()
  })
})
