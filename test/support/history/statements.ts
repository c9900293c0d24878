import type { Random } from '../oracle/random'
import { partitionBounds, randomMove, randomTime, seriesTime, valuesOf, type World } from './world'

export interface Step {
  readonly sql: string
  /** How long the transaction stays open after it, in milliseconds. */
  readonly pauseMs: number
}

/** A transaction of a writer. */
export interface Transaction {
  readonly begin: string
  readonly steps: readonly Step[]
  readonly end: 'COMMIT' | 'ROLLBACK'
  /** Whether it empties a table or changes its partitions. */
  readonly isUpheaval: boolean
}

export interface Writer {
  /** What the session is told at its start: none of it may matter. */
  readonly settings: readonly string[]
  readonly transactions: readonly Transaction[]
}

/** Whose rows a statement may touch: writers never wait for each other's rows, so what they wait for is the refresher's doing. */
interface Owner {
  readonly world: World
  readonly random: Random
  readonly index: number
  readonly writers: number
  nextId: number
}

const SETTINGS = [
  `SET TimeZone = 'Europe/Madrid'`,
  `SET TimeZone = 'Pacific/Kiritimati'`,
  `SET DateStyle = 'SQL, DMY'`,
  `SET IntervalStyle = 'sql_standard'`,
  `SET search_path = pg_temp`,
  `SET default_transaction_isolation = 'serializable'`,
  `SET default_transaction_isolation = 'repeatable read'`,
] as const

/** Incompressible, and longer than an index takes. */
const LONG_TEXT = `(SELECT string_agg(md5(i::text), '') FROM generate_series(1, 300) AS i)`

function takeId(owner: Owner): number {
  owner.nextId += owner.writers
  return owner.nextId
}

/** Some of the rows that the writer owns. */
function someRows({ random, writers, index }: Owner): string {
  const share = random.pick([1, 2, 3, 7, 19])
  return `id % ${writers} = ${index} AND id / ${writers} % ${share} = ${random.below(share)}`
}

function newRow(owner: Owner): string {
  return `(${takeId(owner)}, ${randomTime(owner.world, owner.random)}, ${valuesOf(String(owner.random.below(10_000)))})`
}

function insertRows(owner: Owner, table: string): string {
  const rows = Array.from({ length: 1 + owner.random.below(5) }, () => newRow(owner))
  return `INSERT INTO ${table} VALUES ${rows.join(', ')}`
}

function insertMany(owner: Owner, table: string): string {
  const { world, random, writers } = owner
  const size = random.pick([40, 1100])
  const first = takeId(owner)
  owner.nextId += size * writers
  return `INSERT INTO ${table} SELECT ${first} + i * ${writers}, ${seriesTime(world, random)}, ${valuesOf('i')} FROM generate_series(1, ${size}) AS i`
}

const CHANGES: readonly ((owner: Owner) => string)[] = [
  ({ world, random }) => `at = ${randomTime(world, random)}`,
  ({ world, random }) => `at = at ${randomMove(world, random)}`,
  ({ world, random }) => `at = at ${randomMove(world, random)}, city = 'Vigo'`,
  () => `city = CASE city WHEN 'Lugo' THEN NULL ELSE 'Lugo' END`,
  () => `flag = NOT coalesce(flag, false), level = level + 1`,
  ({ random }) => `n = n + 5, price = ${random.pick(['price + 0.01', "'NaN'", 'NULL', '12.5'])}`,
  ({ random }) => `f = ${random.pick(['f * 1.1', "'Infinity'", 'NULL', '-0.0', '1e15'])}`,
  () => 'n = n',
  ({ random }) => `kind = ${random.below(8)}`,
]

function updateRows(owner: Owner, table: string): string {
  return `UPDATE ${table} SET ${owner.random.pick(CHANGES)(owner)} WHERE ${someRows(owner)}`
}

function deleteRows(owner: Owner, table: string): string {
  return `DELETE FROM ${table} WHERE ${someRows(owner)}`
}

/** Statements that do two things at once. */
function mixRows(owner: Owner, table: string): string {
  const { world, random } = owner
  const target = `FROM ${table} WHERE ${someRows(owner)}`
  const move = `at ${randomMove(world, random)}`
  const rest = 'kind, city, flag, level, n, price, f'
  if (random.chance(0.3)) {
    return `WITH gone AS (DELETE ${target} RETURNING *) INSERT INTO ${table} SELECT id, ${move}, ${rest} FROM gone`
  }
  if (random.chance(0.5) && world.flavour !== 'partitions') {
    return `INSERT INTO ${table} SELECT id, at, ${rest} ${target} ON CONFLICT (id) DO UPDATE SET at = excluded.${move}, n = 1`
  }
  return `MERGE INTO ${table} AS t USING (SELECT id, at ${target} UNION ALL SELECT ${takeId(owner)}, ${randomTime(world, random)}) AS s ON t.id = s.id
    WHEN MATCHED AND t.n > 20 THEN DELETE WHEN MATCHED THEN UPDATE SET at = t.${move} WHEN NOT MATCHED THEN INSERT (id, at, n) VALUES (s.id, s.at, 7)`
}

function changeLabels({ world: { schema }, random }: Owner): string {
  const id = 1 + random.below(7)
  return random.pick([
    `UPDATE ${schema}.d SET label = 'label ' || ${random.below(4)} WHERE id = ${id}`,
    `UPDATE ${schema}.d SET note = 'no matter' WHERE id = ${id}`,
    `INSERT INTO ${schema}.d VALUES (${id}, 'new') ON CONFLICT DO NOTHING`,
    `DELETE FROM ${schema}.d WHERE id = ${id}`,
  ])
}

function tableOf({ world: { schema, flavour }, random }: Owner): string {
  const isDirect = flavour === 'partitions' && random.chance(0.35)
  return isDirect ? `${schema}.${random.pick(['p0', 'p1', 'p2', 'rest'])}` : `${schema}.t`
}

function statement(owner: Owner): string {
  const { random, world } = owner
  const table = tableOf(owner)
  if (world.flavour === 'query' && random.chance(0.15)) return changeLabels(owner)
  const lot = random.below(100)
  if (lot < 30) return insertRows(owner, table)
  if (lot < 35) return insertMany(owner, `${world.schema}.t`)
  if (lot < 68) return updateRows(owner, table)
  if (lot < 82) return mixRows(owner, `${world.schema}.t`)
  if (lot < 83) return `UPDATE ${table} SET city = ${LONG_TEXT} || city WHERE ${someRows(owner)}`
  return deleteRows(owner, table)
}

const pause = (random: Random) => (random.chance(0.4) ? random.below(25) : 0)

function transaction(owner: Owner): Transaction {
  const { random } = owner
  const steps: Step[] = []
  const count = random.pick([1, 1, 1, 2, 3])
  while (steps.length < count) {
    const isTried = random.chance(0.15)
    if (isTried) steps.push({ sql: 'SAVEPOINT tried', pauseMs: 0 })
    steps.push({ sql: statement(owner), pauseMs: pause(random) })
    if (isTried) steps.push({ sql: random.chance(0.6) ? 'ROLLBACK TO tried' : 'RELEASE tried', pauseMs: 0 })
  }
  return { begin: 'BEGIN', steps, end: random.chance(0.12) ? 'ROLLBACK' : 'COMMIT', isUpheaval: false }
}

/** One that locks whole tables: alone in its transaction, so that writers do not wait for each other in a ring. */
function upheaval({ world, random }: Owner): Transaction {
  const { schema, flavour } = world
  const alone = (...sql: string[]): Transaction => ({
    begin: 'BEGIN',
    steps: sql.map((each) => ({ sql: each, pauseMs: pause(random) })),
    end: 'COMMIT',
    isUpheaval: true,
  })
  if (flavour !== 'partitions')
    return alone(`TRUNCATE ${schema}.${flavour === 'query' && random.chance(0.3) ? 'd' : 't'}`)
  const index = random.below(3)
  const [from, to] = partitionBounds(world)[index] ?? ['', '']
  const values = `FOR VALUES FROM (${from}) TO (${to})`
  const name = `${schema}.p${index}`
  return random.pick([
    alone(`TRUNCATE ${random.pick([`${schema}.t`, name, `${schema}.rest`])}`),
    alone(`ALTER TABLE ${schema}.t DETACH PARTITION ${name}`),
    alone(`ALTER TABLE ${schema}.t ATTACH PARTITION ${name} ${values}`),
    alone(`ALTER TABLE ${schema}.t DETACH PARTITION ${name}`, `UPDATE ${name} SET n = 3`),
    alone(
      `ALTER TABLE ${schema}.t DETACH PARTITION ${name}`,
      `DELETE FROM ${name} WHERE id % 2 = 0`,
      `ALTER TABLE ${schema}.t ATTACH PARTITION ${name} ${values}`,
    ),
    alone(`DROP TABLE ${name}`),
    alone(`DROP TABLE IF EXISTS ${name}`, `CREATE TABLE ${name} PARTITION OF ${schema}.t ${values}`),
    alone(
      `DROP TABLE IF EXISTS ${name}`,
      `CREATE TABLE ${name} (LIKE ${schema}.t)`,
      `INSERT INTO ${name} (id, at, n) SELECT -i, ${index === 0 ? to : from}::${world.timeType} ${index === 0 ? '- ' : '+ '}${world.timeType === 'date' ? '1' : "interval '30 minutes'"}, i FROM generate_series(1, 5) AS i`,
      `ALTER TABLE ${schema}.t ATTACH PARTITION ${name} ${values}`,
    ),
  ])
}

/** The writer of that index: everything it will do, whatever the others do meanwhile. */
export function createWriter(world: World, random: Random, index: number, writers: number): Writer {
  const owner: Owner = { world, random, index, writers, nextId: 10_000 * writers + index }
  const rate = world.flavour === 'partitions' ? 0.25 : 0.06
  const transactions = Array.from({ length: 4 + random.below(5) }, () =>
    random.chance(rate) ? upheaval(owner) : transaction(owner),
  )
  return { settings: random.chance(0.5) ? [random.pick(SETTINGS)] : [], transactions }
}
