import { count, Dataset, Measure } from '../../src/index'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { findDifferences, openRefresher, type Refresher } from '../support/refresher'

/** Pyongyang's clocks went from nine hours ahead of UTC to eight and a half on 15 August 2015. */
@Dataset({
  source: 'visits',
  time: 'at',
  refresh: { every: '24h', capture: 'trigger' },
  rollups: [
    { by: [], granularity: 'month', timezone: 'Asia/Pyongyang' },
    { by: [], granularity: 'year', timezone: 'Asia/Pyongyang' },
  ],
})
class Visits {
  @Measure(count()) visits!: number
}

describe('a bucket that begins with the hours of UTC and ends inside one', () => {
  let database: TestDatabase
  let refresher: Refresher

  beforeAll(async () => {
    database = await createTestDatabase()
    await database.query('CREATE TABLE visits (at timestamptz)')
    // August ends at 15:30 UTC.
    await database.query(`INSERT INTO visits VALUES ('2015-08-01Z'), ('2015-08-31 15:10Z'), ('2015-08-31 15:40Z'),
      ('2015-12-31 15:10Z'), ('2015-12-31 15:40Z')`)
    refresher = await openRefresher(database.url)
    await refresher.refresh(Visits)
  })
  afterAll(async () => {
    await refresher?.close()
    await database?.drop()
  })

  it.each(['2015-08-10Z', '2015-02-03Z', '2015-08-31 15:20Z', '2016-01-01Z'])(
    'is right after a change at %s',
    async (at) => {
      await database.query('INSERT INTO visits VALUES ($1)', [at])
      await refresher.refresh(Visits)
      expect(await findDifferences(database, await refresher.define(Visits))).toEqual([])
    },
  )
})
