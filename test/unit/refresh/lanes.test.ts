import { createLanes } from '../../../src/refresh/lanes'

describe('lanes', () => {
  it('let so many pieces of work run at once, and the others in the order they came, failures or not', async () => {
    const inLane = createLanes(2)
    const events: string[] = []
    const finish = new Map<string, (failure?: Error) => void>()
    const work = (name: string) =>
      inLane(
        () =>
          new Promise<string>((resolve, reject) => {
            events.push(`${name} begins`)
            finish.set(name, (failure) => (failure === undefined ? resolve(name) : reject(failure)))
          }),
      )
    const [a, b, c, d] = [work('a'), work('b'), work('c'), work('d')]
    expect(events).toEqual(['a begins', 'b begins'])
    finish.get('b')?.(new Error('no source'))
    await expect(b).rejects.toThrow('no source')
    expect(events).toEqual(['a begins', 'b begins', 'c begins'])
    finish.get('a')?.()
    finish.get('c')?.()
    expect(await Promise.all([a, c])).toEqual(['a', 'c'])
    expect(events.at(-1)).toBe('d begins')
    finish.get('d')?.()
    expect(await d).toBe('d')
  })
})
