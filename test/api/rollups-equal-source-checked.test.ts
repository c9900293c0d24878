import type { Live } from '../support/history/compare'
import { createHistory, type History } from '../support/history/history'
import { type Laboratory, openLaboratory } from '../support/history/laboratory'
import { compareAtRest, defineReleases, refreshAtRest } from '../support/history/run-history'
import { timeLiteral, valuesOf } from '../support/history/world'

/** Any will do whose rollups keep all there is. */
const SEED = 1

describe('the comparison of rollups with their source', () => {
  let laboratory: Laboratory
  let history: History
  let live: readonly Live[]

  beforeEach(async () => {
    laboratory = await openLaboratory()
    history = createHistory(SEED, 'table')
    for (const statement of history.source) await laboratory.database.query(statement)
    live = await defineReleases(laboratory, history)
    await refreshAtRest(laboratory, history.world, live)
  })
  afterEach(() => laboratory?.close())

  const write = (id: number) =>
    laboratory.database.query(
      `INSERT INTO ${history.world.schema}.t VALUES (${id}, ${timeLiteral(history.world, history.world.centre)}, ${valuesOf('5')})`,
    )
  const compare = () => compareAtRest(laboratory, history.world, live)
  const refresh = () => refreshAtRest(laboratory, history.world, live)

  it('finds nothing where all is captured', async () => {
    await write(1_000_001)
    await refresh()
    expect(await compare()).toEqual([])
  })

  it('finds what is not refreshed yet', async () => {
    await write(1_000_001)
    expect(await compare()).not.toEqual([])
  })

  it('finds what disabled triggers did not mark, until they are enabled and all is looked at again', async () => {
    const alter = (what: string) =>
      laboratory.database.query(`ALTER TABLE ${history.world.schema}.t ${what} TRIGGER USER`)
    await alter('DISABLE')
    await write(1_000_001)
    await refresh()
    expect(await compare()).not.toEqual([])
    await alter('ENABLE')
    await refresh()
    expect(await compare()).toEqual([])
  })

  it('finds what a lost mark stood for', async () => {
    await write(1_000_001)
    await laboratory.database.query('DELETE FROM aggregraph.dirty')
    await refresh()
    expect(await compare()).not.toEqual([])
  })

  it.each([
    ['a row too few', (table: string) => `DELETE FROM ${table} WHERE ctid = (SELECT min(ctid) FROM ${table})`],
    [
      'a wrong count',
      (table: string) =>
        `UPDATE ${table} SET rows_count = rows_count + 1 WHERE ctid = (SELECT min(ctid) FROM ${table})`,
    ],
  ])('finds %s in any rollup', async (_, fault) => {
    const tables = await laboratory.database.query('SELECT table_name FROM aggregraph.rollup')
    expect(tables.length).toBeGreaterThan(0)
    for (const { table_name: name } of tables) {
      await laboratory.database.query(`CREATE TABLE kept AS SELECT * FROM aggregraph."${name}"`)
      await laboratory.database.query(fault(`aggregraph."${name}"`))
      expect(await compare()).not.toEqual([])
      await laboratory.database.query(`DELETE FROM aggregraph."${name}"`)
      await laboratory.database.query(`INSERT INTO aggregraph."${name}" SELECT * FROM kept`)
      await laboratory.database.query('DROP TABLE kept')
      expect(await compare()).toEqual([])
    }
  })
})
