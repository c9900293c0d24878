import type { DataSource } from 'typeorm'
import { refreshDataset } from '../../src/refresh/refresher'
import { createDataSource } from '../../src/storage/data-source'
import { guardStates } from '../../src/storage/publish-lock'
import { layoutId } from '../../src/storage/rollup-table'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { eventually } from '../support/eventually'
import { openRefresher, type Refresher } from '../support/refresher'
import { createShop, Orders, placeOrder } from '../support/shop'

/** A promise that the test resolves, and whether somebody waits for it. */
function createGate() {
  let open: () => void = () => undefined
  let reach: () => void = () => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const reached = new Promise<void>((resolve) => {
    reach = resolve
  })
  const pass = () => {
    reach()
    return opened
  }
  return { open, reached, pass }
}

const nothing = async () => undefined
const published = async () => true

let database: TestDatabase
let refresher: Refresher
let reader: DataSource
let layout: string

beforeEach(async () => {
  database = await createTestDatabase()
  await createShop(database)
  refresher = await openRefresher(database.url)
  await refresher.refresh(Orders)
  layout = layoutId(await refresher.define(Orders))
  reader = await openReader(database.url)
})
afterEach(async () => {
  await reader?.destroy()
  await refresher?.close()
  await database?.drop()
})

async function openReader(url: string): Promise<DataSource> {
  return createDataSource({ url, schema: 'aggregraph', poolSize: 4 }).initialize()
}

/** The `seq` that a reader under the lock sees, and whether it has the lock. */
async function look(dataSource = reader, work: () => Promise<void> = nothing) {
  let isHeld = false
  const states = await guardStates(dataSource, 10, [layout], async (_, held) => {
    isHeld = held.has(layout)
    await work()
  })
  return { seq: states.get(layout)?.version.seq, isHeld }
}

/** Waits until somebody waits for a lock of a kind. */
const awaitWaiter = (kind: 'advisory' | 'relation') =>
  eventually(async () => {
    const rows = await database.query(
      `SELECT FROM pg_locks WHERE locktype = $1 AND NOT granted
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      [kind],
    )
    return rows.length > 0 ? true : null
  })

async function refreshChanged(prepare: () => Promise<boolean> = published) {
  await placeOrder(database)
  return refresher.refresh(Orders, { register: { prepare, publish: published } })
}

describe('the publish lock', () => {
  it('is not to be had between the end of a refresh and its commit, and is after that', async () => {
    expect(await look()).toEqual({ seq: 1, isHeld: true })
    const gate = createGate()
    const refreshing = refreshChanged(() => gate.pass().then(() => true))
    await gate.reached
    expect(await look()).toEqual({ seq: 1, isHeld: false })
    gate.open()
    await refreshing
    expect(await look()).toEqual({ seq: 2, isHeld: true })
  })

  it('is shared by readers, and leaves those of other layouts alone', async () => {
    const ids = [layout, 'another:layout']
    await guardStates(reader, 10, ids, async (states, held) => {
      expect([...states.keys()]).toEqual([layout])
      expect([...held].sort()).toEqual(ids.toSorted())
      expect(await look()).toEqual({ seq: 1, isHeld: true })
    })
    const gate = createGate()
    const refreshing = refreshChanged(() => gate.pass().then(() => true))
    await gate.reached
    await guardStates(reader, 10, ids, async (_, held) => expect([...held]).toEqual(['another:layout']))
    gate.open()
    await refreshing
  })

  // A reader whose snapshot were as old as its lock, or older, would see what was before.
  it('lets its holder see what is committed after the lock is taken, and so all that was before', async () => {
    const { looking } = await reader.transaction(async (manager) => {
      await manager.query('LOCK TABLE aggregraph.layout IN ACCESS EXCLUSIVE MODE')
      const looking = look()
      await awaitWaiter('relation')
      await manager.query('UPDATE aggregraph.layout SET seq = 7')
      // Not the promise itself: the transaction would wait for who waits for it.
      return { looking }
    })
    expect(await looking).toEqual({ seq: 7, isHeld: true })
  })

  it('comes to a refresh before readers that come later, whatever limit its role has to waiting', async () => {
    const role = `ALTER DATABASE ${new URL(database.url).pathname.slice(1)} SET lock_timeout = 1`
    await database.query(role)
    const limited = await openRefresher(database.url)
    const gate = createGate()
    const first = look(reader, gate.pass)
    await gate.reached
    await placeOrder(database)
    const definition = await limited.define(Orders)
    const register = { prepare: published, publish: published }
    const refreshing = refreshDataset(definition, { dataSource: limited.dataSource, register })
    await awaitWaiter('advisory')
    for (let turn = 0; turn < 5; turn += 1) expect(await look()).toEqual({ seq: 1, isHeld: false })
    gate.open()
    expect(await first).toEqual({ seq: 1, isHeld: true })
    expect(await refreshing).toMatchObject({ hasChanged: true, version: { seq: 2 } })
    await limited.close()
  })

  it('is taken away from a reader that stands still, whose answer is none the worse', async () => {
    const gate = createGate()
    const standing = look(reader, gate.pass)
    await gate.reached
    expect(await refreshChanged()).toMatchObject({ version: { seq: 2 } })
    gate.open()
    expect(await standing).toEqual({ seq: 1, isHeld: true })
    expect(await look()).toEqual({ seq: 2, isHeld: true })
  })

  it('is given back by a reader whose work fails', async () => {
    const failing = look(reader, () => Promise.reject(new Error('Redis is away')))
    await expect(failing).rejects.toThrow('Redis is away')
    expect(await refreshChanged()).toMatchObject({ version: { seq: 2 } })
  })

  it('is to be had by a role that may only read', async () => {
    const role = `reader_${new URL(database.url).pathname.slice(-12)}`
    await database.query(`CREATE ROLE "${role}" LOGIN PASSWORD 'reads'; GRANT USAGE ON SCHEMA aggregraph TO "${role}";
      GRANT SELECT ON ALL TABLES IN SCHEMA aggregraph TO "${role}"`)
    const url = new URL(database.url)
    url.username = role
    url.password = 'reads'
    const only = await openReader(url.href)
    try {
      expect(await look(only)).toEqual({ seq: 1, isHeld: true })
    } finally {
      await only.destroy()
      await database.query(`DROP OWNED BY "${role}"; DROP ROLE "${role}"`)
    }
  })
})

describe('a refresh', () => {
  it('prepares each layout that has a new version with the stretches it changed, and publishes its history', async () => {
    const told: unknown[] = []
    await placeOrder(database)
    const outcome = await refresher.refresh(Orders, {
      register: {
        prepare: async (group, topic, version, stretches) => {
          told.push({ group, topic, version, stretches })
          return true
        },
        publish: async (_, __, { version, history }) => {
          told.push({ version, changes: history.changes.map(({ from, version: { seq } }) => [from, seq]) })
          return true
        },
      },
    })
    const from = Date.parse('2026-03-01T00:00Z')
    const to = from + 3_600_000
    const { version } = outcome
    expect(told).toEqual([
      { group: 'orders', topic: layout, version, stretches: [{ from, to }] },
      {
        version,
        changes: [
          [Number.NEGATIVE_INFINITY, 1],
          [from, 2],
          [to, 1],
        ],
      },
    ])
  })
})
