import { Client } from 'pg'
import { defineDataset } from '../../src/dataset/define'
import type { Definition } from '../../src/dataset/definition'
import { declarationOf } from '../../src/dataset/recorded'
import { DeclarationError, type Fault } from '../../src/errors'
import { avg, count, Dataset, Dimension, Measure, max, min, ratio, sum } from '../../src/index'
import { describeSource } from '../../src/storage/describe-source'
import { createTestDatabase, type TestDatabase } from '../support/database'

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
  await database.query(`
    create schema shop;
    create type shop.status as enum ('open', 'paid');
    create domain shop.label as text check (value <> '');
    create domain shop.short_label as shop.label;
    create table shop."Orders" (
      placed_at timestamp,
      placed_on date,
      shipped_at timestamptz,
      tenant uuid,
      status shop.status,
      label shop.short_label,
      "shippedTo" varchar(20),
      country_code char(2),
      is_gift boolean,
      small smallint,
      quantity integer,
      weight real,
      height double precision,
      price numeric,
      total bigint,
      place point
    );
    create function shop.untouchable() returns setof shop."Orders" language plpgsql as
      $$ begin raise exception 'the source was read'; end $$;
    create view shop.untouchable_orders as select * from shop.untouchable();
    insert into shop."Orders" (placed_at, placed_on, small, quantity, weight, height, price, total, label, is_gift)
    values
      ('2001-03-01 10:05', '2001-03-01', 1, 10, 0.5, 1e300, 0.1, 9007199254740993, 'b', true),
      ('2001-03-01 10:55', '2001-03-02', 2, 20, 'NaN', 'Infinity', 'NaN', 9223372036854775807, 'a', false),
      ('2001-03-01 11:00', 'infinity', null, 30, 16777216, -1e300, 0.2, 9223372036854775807, 'B', null),
      ('2001-03-01 11:30', null, 4, -5, 1, '-Infinity', 'Infinity', -1, null, true)`)
})

afterAll(() => database.drop())

const query = (sql: string) => database.query(sql)

async function resultOf(cls: unknown): Promise<ReturnType<typeof defineDataset>> {
  const declaration = declarationOf(cls)
  if (declaration === undefined) throw new TypeError('The class is no dataset')
  return defineDataset(declaration, await describeSource(query, declaration))
}

async function define(cls: unknown): Promise<Definition> {
  const result = await resultOf(cls)
  if ('faults' in result) throw new DeclarationError(result.faults)
  return result.definition
}

async function faultsOf(cls: unknown): Promise<readonly Fault[]> {
  const result = await resultOf(cls)
  return 'faults' in result ? result.faults : []
}

@Dataset({ source: 'shop.Orders', time: 'placed_at', timezone: 'America/New_York' })
class Orders {
  @Dimension() tenant!: string
  @Dimension() status!: string
  @Dimension() label!: string
  @Dimension() shippedTo!: string
  @Dimension() countryCode!: string
  @Dimension() isGift!: boolean
  @Dimension() small!: number
  @Dimension() placedOn!: string
  @Dimension({ sql: 'lower(label) -- in any case' }) anyLabel!: string

  @Measure(count()) orders!: number
  @Measure(count({ where: 'is_gift -- and paid for' })) gifts!: number
  @Measure(sum('small')) small2!: number
  @Measure(sum('quantity')) quantity!: number
  @Measure(sum('quantity', { where: 'quantity > 1000' })) nothing!: number
  @Measure(sum('total')) total!: number
  @Measure(sum('price')) price!: number
  @Measure(sum('weight')) weight!: number
  @Measure(sum('height')) height!: number
  @Measure(avg('small')) averageSmall!: number | null
  @Measure(avg('total')) averageTotal!: number | null
  @Measure(avg('price')) averagePrice!: number | null
  @Measure(avg('weight')) averageWeight!: number | null
  @Measure(avg({ sql: 'quantity * 2' }, { where: 'quantity > 1000' })) averageOfNone!: number | null
  @Measure(min('quantity')) leastQuantity!: number | null
  @Measure(max('total')) mostTotal!: number | null
  @Measure(max('price')) mostPrice!: number | null
  @Measure(min('weight')) leastWeight!: number | null
  @Measure(max('height')) mostHeight!: number | null
  @Measure(max('placed_on')) lastDay!: string | null
  @Measure(max('placed_at')) lastTime!: string | null
  @Measure(min('label')) firstLabel!: string | null
  @Measure(max('shipped_at')) lastShipped!: string | null
  @Measure(ratio('gifts', 'orders')) giftRate!: number | null
  @Measure(ratio('giftRate', 'nothing')) rateOfNothing!: number | null
}

it('tells the type of every column, domains and enums included', async () => {
  const { dimensions } = await define(Orders)
  expect(Object.fromEntries(dimensions.map(({ name, type }) => [name, type]))).toEqual({
    tenant: 'uuid',
    status: 'enum',
    label: 'text',
    shippedTo: 'text',
    countryCode: 'text',
    isGift: 'boolean',
    small: 'integer',
    placedOn: 'date',
    anyLabel: 'text',
  })
})

/** Values of all measures after merging the states of a rollup by hour, by SQL made of the definition alone. */
async function valuesOf(definition: Definition, condition: string): Promise<Record<string, unknown>> {
  const { states, measures, sourceSql, timeSql } = definition
  const columns = states.map(({ column, sqlType }) => `"${column}" ${sqlType}`)
  await database.query(`drop table if exists rollup; create table rollup (bucket timestamptz, ${columns.join(', ')})`)
  await database.query(
    `insert into rollup select date_trunc('hour', ${timeSql}), ${states.map(({ build }) => build).join(', ')}
     from ${sourceSql} as source group by 1`,
  )
  const merged = new Map(states.map(({ column, merge }) => [column, merge(`"${column}"`)]))
  const values = new Map<string, string>()
  for (const { name, algebra } of measures) {
    const inputs = algebra.inputs.map((input) => values.get(input) ?? 'missing')
    const state = algebra.states.map(({ column }) => merged.get(column) ?? 'missing')
    values.set(name, algebra.finalise([...state, ...inputs]))
  }
  const selected = measures.map(({ name, algebra }) => {
    const sql = values.get(name) ?? 'missing'
    return algebra.type === 'DateTime'
      ? `((${sql}) at time zone 'UTC')::text as "${name}"`
      : `(${sql})::text as "${name}"`
  })
  const [row] = await database.query(`select ${selected.join(', ')} from rollup where ${condition}`)
  return row ?? {}
}

it('computes, from the states of hours, what the source says as a whole', async () => {
  expect(await valuesOf(await define(Orders), 'true')).toEqual({
    orders: '4',
    gifts: '2',
    small2: '7',
    quantity: '55',
    nothing: '0',
    // Twice the largest bigint: a sum of bigints has no overflow.
    total: '18455751272964292606',
    price: '0.3',
    // A sum in single precision would stop at 16777216.
    weight: '16777217.5',
    height: '0',
    averageSmall: String(7 / 3),
    averageTotal: '4.613937818241073e+18',
    averagePrice: '0.15',
    averageWeight: String(16777217.5 / 3),
    averageOfNone: null,
    leastQuantity: '-5',
    mostTotal: '9223372036854775807',
    mostPrice: '0.2',
    leastWeight: '0.5',
    mostHeight: '1e+300',
    lastDay: '2001-03-02',
    lastTime: '2001-03-01 16:30:00',
    firstLabel: 'B',
    lastShipped: null,
    giftRate: '0.5',
    rateOfNothing: null,
  })
})

it('says 0 or nothing where there is no bucket', async () => {
  const definition = await define(Orders)
  const values = await valuesOf(definition, 'false')
  for (const { name, algebra } of definition.measures)
    expect([name, values[name]]).toEqual([name, algebra.nullable ? null : '0'])
})

it('reads no row of the source', async () => {
  @Dataset({ source: { sql: 'select * from shop.untouchable_orders;' }, time: 'placed_at' })
  class Untouchable {
    @Dimension() status!: string
    @Measure(sum({ sql: 'quantity / 0' })) quantity!: number
  }
  expect((await define(Untouchable)).sourceSql).toBe('(select * from shop.untouchable_orders)')
  await expect(database.query('select * from shop.untouchable_orders')).rejects.toThrow('the source was read')
})

it('reports everything that Postgres refuses, each at its member, in its own words', async () => {
  @Dataset({ source: 'shop.Orders', time: 'placedAt', refresh: { updatedAt: 'label' } })
  class Orders {
    @Dimension() shippedto!: string
    @Dimension() total!: number
    @Dimension() place!: string
    @Dimension({ sql: 'lower(labl)' }) label!: string
    @Dimension({ sql: 'no_such_function(label)' }) odd!: string
    @Dimension({ sql: 'label ||' }) cut!: string
    @Dimension({ sql: 'max(label)' }) aggregate!: string
    @Dimension({ sql: 'row_number() over ()' }) window!: number
    @Dimension({ sql: 'generate_series(1, 2)' }) set!: number
    @Dimension({ sql: '(select label, status from shop."Orders")' }) columns!: string
    @Dimension({ sql: `'x'::integer` }) literal!: number
    @Measure(sum('status')) status!: number
    @Measure(count({ where: 'quantity' })) orders!: number
    @Measure(avg('quantity', { where: 'count(*) > 1' })) many!: number
    @Measure(count({ where: 'is_gift' })) right!: number
  }
  const faults = await faultsOf(Orders)
  const expected: readonly (readonly [string, string])[] = [
    ['Orders', 'The source has no column "placedAt". Did you mean "placed_at"?'],
    ['Orders', 'refresh.updatedAt, column "label" is of type shop.short_label; it must be timestamptz or timestamp.'],
    ['Orders.shippedto', 'The source has no column "shippedto". Did you mean "shippedTo"?'],
    ['Orders.total', 'column "total" is of type bigint'],
    ['Orders.place', 'column "place" is of type point'],
    [
      'Orders.label',
      'Postgres says: column "labl" does not exist. Perhaps you meant to reference the column "source.label".',
    ],
    ['Orders.odd', 'function no_such_function(shop.short_label) does not exist. No function matches'],
    ['Orders.cut', 'Postgres says: syntax error at or near ")".'],
    ['Orders.aggregate', 'aggregate functions are not allowed in'],
    ['Orders.window', 'window functions are not allowed in'],
    ['Orders.set', 'set-returning functions are not allowed in'],
    ['Orders.columns', 'subquery must return only one column'],
    ['Orders.literal', 'invalid input syntax for type integer: "x"'],
    ['Orders.status', 'The sum of column "status" is of type shop.status; it must be a number.'],
    ['Orders.orders', 'The condition (quantity) is of type integer; it must be boolean'],
    ['Orders.many', 'aggregate functions are not allowed in'],
  ]
  for (const [subject, fragment] of expected) {
    expect(faults).toContainEqual({ subject, sentence: expect.stringContaining(fragment) })
  }
  expect(faults).toHaveLength(expected.length)
})

it.each([
  ['shop.orders', 'The source, shop.orders, cannot be read. Postgres says: relation "shop.orders" does not exist.'],
  ['nowhere.Orders', 'relation "nowhere.Orders" does not exist'],
  ['"shop.Orders"', 'relation "shop.Orders" does not exist'],
])('blames a missing source %s once', async (source, sentence) => {
  @Dataset({ source, time: 'placed_at' })
  class Lost {
    @Dimension() label!: string
    @Measure(sum('quantity')) quantity!: number
  }
  expect(await faultsOf(Lost)).toEqual([{ subject: 'Lost', sentence: expect.stringContaining(sentence) }])
})

it('checks the tables and columns that a query depends on', async () => {
  @Dataset({
    source: {
      sql: 'select * from shop."Orders"',
      dependsOn: { 'shop.Orders': { columns: ['label', 'lable'] }, 'shop.countries': { columns: ['code'] } },
    },
    time: 'placed_at',
  })
  class Orders {
    @Measure(count()) orders!: number
  }
  expect((await faultsOf(Orders)).map(({ sentence }) => sentence)).toEqual([
    'dependsOn.shop.Orders has no column "lable". Did you mean "label"?',
    'dependsOn names shop.countries, which cannot be read. Postgres says: relation "shop.countries" does not exist.',
  ])
})

it('throws what is not the fault of the declaration', async () => {
  const client = new Client({ connectionString: database.url })
  await client.connect()
  await client.end()
  const declaration = declarationOf(Orders)
  if (declaration === undefined) throw new TypeError('The class is no dataset')
  const ask = async (sql: string) => (await client.query<Record<string, unknown>>(sql)).rows
  await expect(describeSource(ask, declaration)).rejects.toThrow(/closed/)
})
