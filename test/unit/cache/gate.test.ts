import { type Answers, createGate } from '../../../src/cache/gate'
import { defer, turn } from '../../contract/readings'

interface Key {
  readonly topic: string
}

const ask = (topic: string): Key => ({ topic })

it('reads once for a turn, after everybody asked, each topic once', async () => {
  const reads: string[][] = []
  let said = 'early'
  const gate = createGate(async (keys: readonly Key[]): Promise<Answers<string>> => {
    reads.push(keys.map(({ topic }) => topic))
    return new Map(keys.map(({ topic }) => [topic, `${topic} ${said}`]))
  })
  const asked = [gate(ask('a')), gate(ask('b')), Promise.resolve().then(() => gate(ask('a')))]
  said = 'late'
  expect(await Promise.all(asked)).toEqual(['a late', 'b late', 'a late'])
  expect(reads).toEqual([['a', 'b']])
})

it('begins another read for who asks while one is under way', async () => {
  const reads = [defer<Answers<string>>(), defer<Answers<string>>()]
  let begun = 0
  const gate = createGate<Key, string>(() => {
    begun += 1
    return reads[begun - 1]?.begin() ?? Promise.reject(new Error('no read'))
  })
  const early = gate(ask('a'))
  await turn()
  expect(begun).toBe(1)
  const late = gate(ask('a'))
  await turn()
  reads[1]?.resolve(new Map([['a', 'new']]))
  expect(await late).toBe('new')
  reads[0]?.resolve(new Map([['a', 'old']]))
  expect(await early).toBe('old')
})

it('gives what is read at once while another topic is waited for, which keeps no later read from beginning', async () => {
  const late = defer<string>()
  let begun = 0
  const gate = createGate<Key, string>(async (keys) => {
    begun += 1
    return new Map(keys.map(({ topic }) => [topic, topic === 'late' ? late.begin() : topic]))
  })
  const outcomes: Promise<string>[] = []
  for (let round = 1; round <= 3; round++) {
    outcomes.push(gate(ask('late')))
    expect(await gate(ask('a'))).toBe('a')
    expect(begun).toBe(round)
  }
  late.resolve('at last')
  expect(await Promise.all(outcomes)).toEqual(['at last', 'at last', 'at last'])
})

it('fails each topic on its own, all of them when the read does, and reads anew afterwards', async () => {
  const outcomes: (() => Promise<Answers<string>>)[] = [
    async () =>
      new Map<string, string | Promise<string>>([
        ['a', 'a'],
        ['b', Promise.reject(new Error('b'))],
      ]),
    () => Promise.reject(new Error('all')),
    async () => new Map(),
  ]
  const gate = createGate<Key, string>(() => outcomes.shift()?.() ?? Promise.reject(new Error('no read')))
  const both = async () => {
    const settled = await Promise.allSettled([gate(ask('a')), gate(ask('b'))])
    return settled.map((one) => (one.status === 'fulfilled' ? one.value : one.reason.message))
  }
  expect(await both()).toEqual(['a', 'b'])
  expect(await both()).toEqual(['all', 'all'])
  expect(await both()).toEqual(['a', 'b'].map((topic) => `The topic ${topic} was asked for and not read.`))
})
