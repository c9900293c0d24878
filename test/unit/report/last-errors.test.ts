import { Background } from '../../../src/cache/background'
import { Bulkhead } from '../../../src/cache/bulkhead'
import { CacheService } from '../../../src/cache/cache-service'
import { createMemoryStore } from '../../../src/cache/memory-store'
import type { Definition } from '../../../src/dataset/definition'
import { ReportSession } from '../../../src/report/report-session'
import type { RollupReader } from '../../../src/storage/rollup-reader'

const unused = () => Promise.reject(new Error('Nobody reads here.'))

/** A session over a database that says of errors what is given, and nothing else. */
function sessionWith(lastErrors: RollupReader['lastErrors'], signal = new AbortController().signal): ReportSession {
  const cache = new CacheService({
    memory: createMemoryStore({ maxBytes: 1000, clock: () => 0 }),
    background: new Background(() => undefined),
    clock: () => 0,
    onEvent: () => undefined,
  })
  const sources = {
    reader: { load: unused, loadTogether: unused, lastErrors },
    cache,
    register: { current: unused, settle: unused, known: () => null, notice: () => undefined },
    bulkhead: new Bulkhead({ limit: 1, queue: 0, patienceMs: 0, onShed: () => undefined }),
  }
  return new ReportSession(sources, { claims: {}, clock: 0 }, signal)
}

// Of a definition only its names count here.
const ORDERS = { className: 'Orders', name: 'orders', hash: 'abc' } as Definition

describe('the errors of the last refreshes', () => {
  it('are those of their datasets', async () => {
    const session = sessionWith(async () => new Map([['orders:abc', 'Orders: it failed.']]))
    expect(await session.lastErrors([ORDERS, { ...ORDERS, hash: 'def' }])).toEqual(['Orders: it failed.', null])
  })

  it.each([
    ['is away', () => Promise.reject(new Error('connect ECONNREFUSED'))],
    ['stands still', () => new Promise<never>(() => undefined)],
  ])('are not told while the database %s', async (_, lastErrors) => {
    expect(await sessionWith(lastErrors).lastErrors([ORDERS])).toEqual([null])
  })
})
