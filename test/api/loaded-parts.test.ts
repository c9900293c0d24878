import { readConfig } from '../../src/config'
import { createServices } from '../../src/services'
import type { Part } from '../../src/storage/part'
import { layoutId } from '../../src/storage/rollup-table'
import { createTestDatabase } from '../support/database'
import { openRefresher } from '../support/refresher'
import { createShop, Orders, placeOrder } from '../support/shop'

describe('a part that is loaded', () => {
  it('says of which version it is and when its source looked like that, alone and with others', async () => {
    const database = await createTestDatabase()
    const refresher = await openRefresher(database.url)
    const services = createServices({
      config: readConfig({}),
      databaseUrl: database.url,
      onCacheEvent: () => undefined,
    })
    try {
      await createShop(database)
      await services.dataSource.initialize()
      await refresher.refresh(Orders)
      const definition = await refresher.define(Orders)
      const [rollup] = definition.rollups
      if (rollup === undefined) throw new Error('There is no rollup')
      const where = { kind: 'all', of: [] } as const
      const slice = {
        definition,
        layout: layoutId(definition),
        rollup,
        rows: 100,
        from: null,
        to: null,
        offsets: [],
        where,
      }
      const part: Part = { kind: 'totals', slice, measures: ['orders'] }
      for (const orders of [48, 49, 50]) {
        const { version, dataAsOf } = await refresher.refresh(Orders)
        const expected = { version, asOf: dataAsOf, value: { kind: 'totals', values: [orders] } }
        expect(dataAsOf).toEqual(expect.any(Number))
        expect(await services.reader.load(part)).toEqual(expected)
        const together = services.reader.loadTogether(new AbortController().signal, async (load, readState) => {
          const state = await readState(slice.layout)
          expect(state).toMatchObject({ version, data: { dataAsOf } })
          return load(part)
        })
        expect(await together).toEqual(expected)
        await placeOrder(database)
      }
    } finally {
      await services.close()
      await refresher.close()
      await database.drop()
    }
  })
})
