import { createResponseStore, responseKey, type StoredResponse } from '../../../src/cache/response-store'
import type { Dependency } from '../../../src/cache/topic-state'

const MINUTE = 60_000

function response(text: string, more: Partial<StoredResponse> = {}): StoredResponse {
  return {
    body: text,
    contentType: 'application/json',
    etag: '"x"',
    isPublic: true,
    operation: null,
    aliases: [],
    headers: ['vary', 'Accept'],
    dependencies: [],
    expiresAt: null,
    ...more,
  }
}

function createStore({ maxBytes = 1_000_000, confirms = async () => true } = {}) {
  const clock = { now: 0 }
  return { clock, store: createResponseStore({ maxBytes, ttlSeconds: 300, clock: () => clock.now, confirms }) }
}

describe('the key of an answer', () => {
  const question = {
    scope: '{}',
    method: 'POST',
    contentType: 'application/json',
    request: '{"query":"{ a }"}',
  }

  it('is the same for the same question alone', () => {
    const others = [
      { ...question, scope: '{"tenant":"a"}' },
      { ...question, method: 'GET' },
      { ...question, contentType: 'application/graphql-response+json' },
      { ...question, request: '{"query": "{ a }"}' },
      // What one part ends with, the next could begin with.
      { ...question, scope: '\n{}', contentType: 'application' },
      { ...question, scope: 'json\n{}', contentType: 'application' },
      { ...question, scope: '', request: `{}${question.request}` },
      { ...question, scope: '{}{', request: question.request.slice(1) },
    ]
    expect(responseKey({ ...question })).toBe(responseKey(question))
    expect(new Set([question, ...others].map(responseKey)).size).toBe(others.length + 1)
  })
})

describe('a store of answers', () => {
  it('gives an answer until its time is over', () => {
    const { store, clock } = createStore()
    const kept = response('a')
    store.keep('k', kept)
    clock.now = 5 * MINUTE - 1
    expect(store.find('k')).toBe(kept)
    clock.now = 5 * MINUTE
    expect([store.find('k'), store.find('k'), store.bytes]).toEqual(['outdated', 'absent', 0])
  })

  it('gives an answer no longer than its range stands still', () => {
    const { store, clock } = createStore()
    store.keep('k', response('a', { expiresAt: MINUTE }))
    store.keep('later', response('a', { expiresAt: 10 * MINUTE }))
    clock.now = MINUTE
    expect(store.find('k')).toBe('outdated')
    clock.now = 5 * MINUTE
    expect(store.find('later')).toBe('outdated')
    store.keep('over', response('a', { expiresAt: MINUTE }))
    expect(store.find('over')).toBe('absent')
  })

  it('checks an answer once a turn of the event loop, whoever asks', async () => {
    const checked: (readonly Dependency[])[] = []
    const { store } = createStore({
      confirms: (async (dependencies: readonly Dependency[]) => {
        checked.push(dependencies)
        return true
      }) as () => Promise<boolean>,
    })
    const some: Dependency = { group: 'g', topic: 't', version: { seq: 1, uuid: 'a' }, stretches: [] }
    const [one, other] = [response('a', { dependencies: [some] }), response('b')]
    await Promise.all([store.confirm(one), store.confirm(other), store.confirm(one)])
    expect(checked).toEqual([[some], []])
    await new Promise((resolve) => setImmediate(resolve))
    await store.confirm(one)
    expect(checked).toHaveLength(3)
  })

  it('shares no check that began to read before', async () => {
    const reads: string[] = []
    const { store } = createStore({
      confirms: async () => {
        await new Promise((resolve) => setImmediate(resolve))
        reads.push('read')
        return reads.length > 1
      },
    })
    const kept = response('a')
    const before = store.confirm(kept)
    await new Promise((resolve) => setImmediate(resolve))
    expect(reads).toEqual(['read'])
    expect([await before, await store.confirm(kept)]).toEqual([false, true])
  })

  it.each<[string, () => Promise<boolean>]>([
    ['fails', async () => Promise.reject(new Error('down'))],
    ['never ends', () => new Promise(() => undefined)],
  ])('takes an answer for denied when its check %s', async (_title, confirms) => {
    const store = createResponseStore({ maxBytes: 1_000, clock: () => 0, confirms, confirmMs: 5 })
    expect(await store.confirm(response('a'))).toBe(false)
  })

  it('holds no more than its bytes, however many answers come', () => {
    const maxBytes = 2_000_000
    const { store } = createStore({ maxBytes })
    const kept = response('{"data":{"count":1}}')
    let most = 0
    for (let asked = 0; asked < 1_000_000; asked += 1) {
      store.keep(`key ${asked}`, kept)
      most = Math.max(most, store.bytes)
    }
    expect(most).toBeLessThanOrEqual(maxBytes)
    expect(most).toBeGreaterThan(maxBytes * 0.9)
    expect([store.find('key 0'), store.find('key 999999')]).toEqual(['absent', kept])
  })

  it('keeps none that would drive out all others, nor what it replaces', () => {
    const { store } = createStore({ maxBytes: 16_000 })
    store.keep('small', response('a'))
    store.keep('k', response('a'))
    store.keep('k', response('a'.repeat(2_000)))
    expect([store.find('k'), store.find('small')]).toEqual(['absent', response('a')])
  })

  it('keeps nothing in no bytes', () => {
    const { store } = createStore({ maxBytes: 0 })
    store.keep('k', response('a'))
    expect(store.find('k')).toBe('absent')
  })
})
