import { parse } from 'graphql'
import { createDocumentStore } from '../../../src/graphql/document-store'

const document = (characters: number) => parse('{ a }'.padEnd(characters))

async function keep(store: ReturnType<typeof createDocumentStore>, name: string, kept: ReturnType<typeof document>) {
  await store.set(`schema:${name}`, kept)
  await store.set(`schema:${name}`, kept)
}

describe('the store of documents', () => {
  it('gives back the very document, under the hash of its text whatever schema stands before it', async () => {
    const store = createDocumentStore()
    const one = document(10)
    await keep(store, 'one', one)
    expect(store.has('one')).toBe(true)
    expect(await store.get('schema:one')).toBe(one)
    expect(await store.get('schema:two')).toBeUndefined()
    await store.delete('schema:one')
    expect(store.has('one')).toBe(false)
  })

  it('keeps what comes again, and gives what is offered once to whoever asks next', async () => {
    const store = createDocumentStore()
    const one = document(10)
    store.offer('one', one)
    expect(store.has('one')).toBe(false)
    expect(await store.get('schema:one')).toBe(one)
    expect(await store.get('schema:one')).toBeUndefined()
    store.offer('one', one)
    expect(store.has('one')).toBe(true)
    expect([await store.get('schema:one'), await store.get('schema:one')]).toEqual([one, one])
  })

  it('holds no more than 64 that nobody has asked for', async () => {
    const store = createDocumentStore()
    for (let number = 0; number < 100; number++) store.offer(String(number), document(10))
    const given = await Promise.all(Array.from({ length: 100 }, (_, number) => store.get(`schema:${number}`)))
    expect(given.filter((each) => each !== undefined)).toHaveLength(64)
  })

  it('keeps no more characters than it may, and drops what was not asked for longest', async () => {
    const store = createDocumentStore(30)
    for (const name of ['one', 'two', 'three']) await keep(store, name, document(10))
    await store.get('one')
    await keep(store, 'four', document(10))
    expect(['one', 'two', 'three', 'four'].map(store.has)).toEqual([true, false, true, true])
    await keep(store, 'large', document(25))
    expect(['one', 'three', 'four', 'large'].map(store.has)).toEqual([false, false, false, true])
    await keep(store, 'larger', document(31))
    expect(['large', 'larger'].map(store.has)).toEqual([false, false])
  })

  it('counts a document once, however often it is kept', async () => {
    const store = createDocumentStore(20)
    for (let time = 0; time < 5; time++) await keep(store, 'one', document(10))
    await keep(store, 'two', document(10))
    expect(['one', 'two'].map(store.has)).toEqual([true, true])
  })
})
