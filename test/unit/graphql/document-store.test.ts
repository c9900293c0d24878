import { parse } from 'graphql'
import { createDocumentStore } from '../../../src/graphql/document-store'

const document = (characters: number) => parse('{ a }'.padEnd(characters))

describe('the store of documents', () => {
  it('gives back the very document, under the hash of its text whatever schema stands before it', async () => {
    const store = createDocumentStore()
    const one = document(10)
    await store.set('schema:one', one)
    expect(store.has('one')).toBe(true)
    expect(await store.get('schema:one')).toBe(one)
    expect(await store.get('schema:two')).toBeUndefined()
    await store.delete('schema:one')
    expect(store.has('one')).toBe(false)
  })

  it('keeps no more characters than it may, and drops what was not asked for longest', async () => {
    const store = createDocumentStore(30)
    for (const name of ['one', 'two', 'three']) store.keep(name, document(10))
    await store.get('one')
    store.keep('four', document(10))
    expect(['one', 'two', 'three', 'four'].map(store.has)).toEqual([true, false, true, true])
    store.keep('large', document(25))
    expect(['one', 'three', 'four', 'large'].map(store.has)).toEqual([false, false, false, true])
    store.keep('larger', document(31))
    expect(['large', 'larger'].map(store.has)).toEqual([false, false])
  })

  it('counts a document once, however often it is kept', () => {
    const store = createDocumentStore(20)
    for (let time = 0; time < 5; time++) store.keep('one', document(10))
    store.keep('two', document(10))
    expect(['one', 'two'].map(store.has)).toEqual([true, true])
  })
})
