import fc from 'fast-check'
import { readConfig } from '../../src/config'
import type { LayoutDefinition } from '../../src/dataset/definition'
import { createEmptyFlights } from '../../src/demo/empty-flights'
import { count, countDistinct, Dataset, Dimension, last, Measure, quantile } from '../../src/index'
import { planBuild } from '../../src/refresh/build-plan'
import { createServices, loadDeclarations } from '../../src/services'
import { selectBuckets } from '../../src/storage/build-sql'
import { captureFunctions } from '../../src/storage/capture-sql'
import { readDefinitions } from '../../src/storage/read-definitions'
import { RECIPE_FORMAT, readRecipe, writeRecipe } from '../../src/storage/recipe'
import { censusTable, createIndexes, createTable, rollupTables } from '../../src/storage/rollup-table'
import { isTimeWithin, timeOf } from '../../src/storage/source-sql'
import { replaceBuckets } from '../../src/storage/write-sql'
import type { Stretch } from '../../src/time/stretch'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { createLocalTimes, Postings, Visits } from '../support/oracle/local-times'
import { createSensorEvents, SensorEvents } from '../support/oracle/sensor-events'
import { declarationsOf } from '../support/server'
import { createShop, Orders } from '../support/shop'

/** The measures with the longest states, over a query whose text has what JSON and SQL have to quote. */
@Dataset({
  source: {
    sql: `select at, country as "a ""b"" c", amount, '{state} \\ \\u0041 '' é' as note from orders`,
    dependsOn: ['orders'],
  },
  time: 'at',
  timezone: 'Europe/Madrid',
  refresh: { every: '10s', capture: 'trigger' },
  scope: { tenant: 'org' },
  sourceKeeps: 'P90D',
  rollups: [{ by: ['tenant'], granularity: 'week', timezone: 'America/New_York', keep: 'P2Y' }],
})
class Quoted {
  @Dimension({ column: 'a "b" c' }) tenant!: string | null
  @Dimension({ sql: `note || '{state}'` }) note!: string | null
  @Measure(count({ where: `note <> '{state}'` })) orders!: number
  @Measure(countDistinct('note')) notes!: number
  @Measure(quantile(0.9, 'amount')) p90!: number | null
  @Measure(last('amount')) newest!: number | null
}

let database: TestDatabase
let definitions: readonly LayoutDefinition[]

beforeAll(async () => {
  database = await createTestDatabase()
  await createShop(database)
  await createLocalTimes(database, 1)
  await createSensorEvents(database, 1)
  await createEmptyFlights(database.url)
  const { dataSource, close } = createServices({
    config: readConfig({}),
    databaseUrl: database.url,
    onCacheEvent: () => undefined,
  })
  try {
    await dataSource.initialize()
    const classes = declarationsOf([Orders, Visits, Postings, SensorEvents, Quoted])
    definitions = await readDefinitions(dataSource, [...classes, ...loadDeclarations(readConfig({}))])
  } finally {
    await close()
  }
})
afterAll(() => database?.drop())

/** Every kind of statement that a refresh makes of a definition, over the given stretches. */
function statementsOf(definition: LayoutDefinition, stretches: readonly Stretch[]): string[] {
  const boundaries = stretches.flatMap(({ from, to }) => [from, to])
  const capture = captureFunctions(definition, 'aggregraph').flatMap(({ name, table, body }) => [name, table, body])
  const tables = [censusTable(definition), ...rollupTables(definition)].flatMap((table) => {
    const { byKey, byTime } = createIndexes(definition, table, 'aggregraph')
    const select = selectBuckets(definition, table, { kind: 'source' }, stretches, boundaries, 'aggregraph')
    return [
      ...createTable(definition, table, 'aggregraph'),
      byKey,
      ...byTime,
      replaceBuckets(table, select, stretches, 'aggregraph'),
      selectBuckets(definition, table, { kind: 'rollup', table }, stretches, boundaries, 'aggregraph'),
    ]
  })
  const steps = planBuild(definition, stretches[0] ?? { from: 0, to: 1 }).map(
    ({ table, finer }) => `${table.name} of ${finer?.name}`,
  )
  return [...capture, ...tables, ...steps, isTimeWithin(definition, stretches), timeOf(definition, '"x"')]
}

const instant = fc.integer({ min: Date.parse('1970-01-01Z'), max: Date.parse('2100-01-01Z') })
const stretches = fc
  .uniqueArray(instant, { minLength: 2, maxLength: 8 })
  .map((instants) => instants.sort((a, b) => a - b))
  .map((sorted) => sorted.slice(1).map((to, index): Stretch => ({ from: sorted[index] ?? to, to })))

describe('a recipe', () => {
  it('gives the statements of the definition that it was written from, once the database has kept it', async () => {
    expect(definitions).toHaveLength(6)
    for (const definition of definitions) {
      const [row] = await database.query('SELECT $1::jsonb AS recipe', [writeRecipe(definition)])
      const read = readRecipe(row?.recipe)
      if (read === null) throw new Error('The recipe was not understood')
      fc.assert(
        fc.property(stretches, (list) => {
          expect(statementsOf(read, list)).toEqual(statementsOf(definition, list))
        }),
        { numRuns: 20 },
      )
      const { refresh, sourceKeeps, scope, hash, className } = definition
      expect(read).toMatchObject({ refresh, sourceKeeps, scope, hash, className })
      // Written again it is the same: no process overwrites it for nothing.
      expect(JSON.parse(writeRecipe(read))).toEqual(JSON.parse(writeRecipe(definition)))
    }
  })

  it.each([
    [RECIPE_FORMAT, true],
    [RECIPE_FORMAT + 1, false],
  ])('of format %p is understood: %p', (format, isUnderstood) => {
    const [definition] = definitions
    if (definition === undefined) throw new Error('Nothing was declared')
    expect(readRecipe({ ...JSON.parse(writeRecipe(definition)), format }) !== null).toBe(isUnderstood)
  })
})
