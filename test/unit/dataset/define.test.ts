import type { ColumnType } from '../../../src/dataset/column-type'
import type { DatasetOptions } from '../../../src/dataset/declaration'
import { defineDataset, defineDatasets } from '../../../src/dataset/define'
import type { Definition } from '../../../src/dataset/definition'
import type { SourceDescription } from '../../../src/dataset/source-description'
import { DeclarationError, type Fault } from '../../../src/errors'
import { avg, count, max, min, ratio, sum } from '../../../src/index'
import { aDeclaration, type Written } from './a-declaration'

const COLUMNS: Readonly<Record<string, ColumnType | 'other'>> = {
  departed_at: 'timestamptz',
  local_at: 'timestamp',
  day: 'date',
  origin: 'text',
  origin_state: 'text',
  carrier: 'uuid',
  status: 'enum',
  gate: 'smallint',
  passengers: 'integer',
  late: 'boolean',
  miles: 'bigint',
  price: 'numeric',
  weight: 'real',
  delay: 'double',
  route: 'other',
}
const EXPRESSIONS: Readonly<Record<string, ColumnType>> = {
  '(delay > 15)': 'boolean',
  '(lower(origin))': 'text',
  "(timestamp '2000-01-01' at time zone 'UTC')": 'timestamptz',
  "(timestamp '2000-01-01' at time zone 'Asia/Kolkata')": 'timestamptz',
}

/** What the database would say of a table with one column of each type. */
const DESCRIPTION: SourceDescription = {
  relation: { columns: Object.keys(COLUMNS) },
  expressions: Object.fromEntries([
    ...Object.entries(COLUMNS).map(([name, type]) => [`"${name}"`, { type, pgType: type }]),
    ...Object.entries(EXPRESSIONS).map(([sql, type]) => [sql, { type, pgType: type }]),
    ['(nonsense)', { error: 'column "nonsense" does not exist', hint: 'Perhaps you meant another.' }],
  ]),
  dependencies: {},
  capture: null,
}

function define(written: Written): Definition {
  const result = defineDataset(aDeclaration(written), DESCRIPTION)
  if ('faults' in result) throw new DeclarationError(result.faults)
  return result.definition
}

function faultsOf(written: Written, description = DESCRIPTION): readonly Fault[] {
  const result = defineDataset(aDeclaration(written), description)
  return 'faults' in result ? result.faults : []
}

it.each<readonly [string, string, string]>([
  ['origin', 'text', '"origin"::text collate "C"'],
  ['carrier', 'uuid', '"carrier"::text collate "C"'],
  ['status', 'enum', '"status"::text collate "C"'],
  ['gate', 'integer', '"gate"::integer'],
  ['passengers', 'integer', '"passengers"::integer'],
  ['late', 'boolean', '"late"'],
  ['day', 'date', `CASE WHEN "day" BETWEEN '0001-01-01' AND '9999-12-31' THEN "day" END`],
])('the dimension %s is kept as %s', (name, type, sql) => {
  expect(define({ dimensions: { [name]: {} } }).dimensions).toMatchObject([{ name, column: name, type, sql }])
})

it('finds the column of a member by its name, its snake_case name, a given name or an expression', () => {
  const dimensions = { origin: {}, originState: {}, from: { column: 'origin' }, city: { sql: 'lower(origin)' } }
  const { dimensions: defined } = define({ dimensions })
  expect(defined.map(({ column, sql }) => [column, sql.split('::')[0]])).toEqual([
    ['origin', '"origin"'],
    ['origin_state', '"origin_state"'],
    ['from', '"origin"'],
    ['city', '(lower(origin))'],
  ])
})

it.each<readonly [string, string, string, string]>([
  ['departed_at', 'timestamptz', 'hour', '"departed_at"'],
  ['local_at', 'timestamp', 'hour', `("local_at" at time zone 'Asia/Kolkata')`],
  ['day', 'date', 'day', `("day"::timestamp at time zone 'UTC')`],
])('the time column %s is a %s kept by %s', (time, timeType, granularity, timeSql) => {
  const definition = define({ options: { time, timezone: 'asia/calcutta' } })
  expect(definition).toMatchObject({ timeType, granularity, timeSql, timezone: 'Asia/Kolkata' })
})

it('lists the base rollup first, dimensions of the scope first in each, buckets finer than a day in UTC', () => {
  const { rollups } = define({
    dimensions: { origin: {}, late: {}, status: {} },
    options: {
      timezone: 'Asia/Kolkata',
      scope: { status: 'tenant' },
      rollups: [
        { by: ['late', 'origin', 'status'], granularity: 'month' },
        { by: ['status'], granularity: 'hour', timezone: 'Asia/Kolkata' },
        { by: ['status'], granularity: 'day', timezone: 'UTC' },
      ],
    },
  })
  expect(rollups).toEqual([
    {
      index: 0,
      name: 'hour × status × origin × late',
      by: ['status', 'origin', 'late'],
      granularity: 'hour',
      timezone: 'UTC',
      keep: null,
    },
    {
      index: 1,
      name: 'month (Asia/Kolkata) × status × origin × late',
      by: ['status', 'origin', 'late'],
      granularity: 'month',
      timezone: 'Asia/Kolkata',
      keep: null,
    },
    { index: 2, name: 'hour × status', by: ['status'], granularity: 'hour', timezone: 'UTC', keep: null },
    { index: 3, name: 'day × status', by: ['status'], granularity: 'day', timezone: 'UTC', keep: null },
  ])
})

it('keeps the days of a date in UTC whatever the zone, and only the declared rollups without a base', () => {
  const { rollups } = define({
    options: { time: 'day', timezone: 'Asia/Kolkata', base: false, rollups: [{ by: [], granularity: 'year' }] },
  })
  expect(rollups).toEqual([{ index: 0, name: 'year', by: [], granularity: 'year', timezone: 'UTC', keep: null }])
})

it.each<[string, DatasetOptions['rollups'], boolean]>([
  ['a month of its own', [{ by: ['origin'], granularity: 'month' }], false],
  [
    'a year whose days forget',
    [
      { by: ['origin'], granularity: 'day', keep: 'P30D' },
      { by: [], granularity: 'year' },
    ],
    false,
  ],
  [
    'a month of kept days',
    [
      { by: ['origin'], granularity: 'day' },
      { by: ['origin'], granularity: 'month' },
    ],
    true,
  ],
  ['a day of its own', [{ by: ['origin'], granularity: 'day' }], true],
])('with sourceKeeps, %s is refused unless finer buckets outlive the source', (_, rollups, isRight) => {
  const written = { options: { sourceKeeps: 'P90D', base: false, rollups } }
  if (isRight) expect(define(written).sourceKeeps).toBe('P90D')
  else
    expect(faultsOf(written)).toEqual([{ subject: 'Flights', sentence: expect.stringContaining('would freeze while') }])
})

it('shares a state between measures that need the same one, named after the first of them', () => {
  const { states, measures } = define({
    dimensions: { distance_sum: { column: 'origin' } },
    measures: {
      averageDelay: [avg('delay')],
      totalDelay: [sum('delay')],
      lateDelay: [sum('delay', { where: 'delay > 15' })],
      distance: [sum('miles')],
      flights: [count()],
      rows: [count()],
      rate: [ratio('totalDelay', 'rows')],
    },
  })
  expect(states.map(({ column }) => column)).toEqual([
    'average_delay_sum',
    'average_delay_count',
    'late_delay_sum',
    'distance_sum_2',
    'flights_count',
  ])
  expect(
    measures.map(({ name, algebra }) => [name, algebra.states.map((state) => states.indexOf(state)), algebra.inputs]),
  ).toEqual([
    ['averageDelay', [0, 1], []],
    ['totalDelay', [0], []],
    ['lateDelay', [2], []],
    ['distance', [3], []],
    ['flights', [4], []],
    ['rows', [4], []],
    ['rate', [], ['totalDelay', 'rows']],
  ])
})

it('keeps what tells the states of a measure apart when its name is very long', () => {
  const name = 'a'.repeat(100)
  const { states } = define({ measures: { [name]: [avg('delay')] } })
  expect(states.map(({ column }) => column)).toEqual([`${'a'.repeat(56)}_sum`, `${'a'.repeat(54)}_count`])
})

it('labels for people, formats by unit, and tells which expressions may hold NaN', () => {
  const definition = define({
    className: 'HTTPRequests',
    measures: {
      revenue: [sum('price'), { unit: 'EUR', description: 'Paid' }],
      averagePrice: [avg('price')],
      worstDelay: [max('delay'), { unit: 'minute', label: 'Worst' }],
      passengers: [sum('passengers')],
    },
  })
  expect(definition).toMatchObject({
    name: 'httpRequests',
    label: 'HTTP requests',
    sourceSql: '"flights"',
    refresh: 'manual',
  })
  expect(definition.measures).toMatchObject([
    { label: 'Revenue', format: 'currency', unit: 'EUR', description: 'Paid' },
    { label: 'Average price', format: 'number', unit: null, description: null },
    { label: 'Worst', format: 'number', unit: 'minute' },
    { label: 'Passengers' },
  ])
  expect(definition.finite).toEqual([
    `"price" not in ('NaN'::numeric, 'Infinity'::numeric, '-Infinity'::numeric)`,
    `"delay" not in ('NaN'::float8, 'Infinity'::float8, '-Infinity'::float8)`,
  ])
})

it('freezes the definition to its leaves', () => {
  const definition = define({})
  expect(
    [definition, definition.rollups, definition.rollups[0], definition.measures[0]?.algebra].every(Object.isFrozen),
  ).toBe(true)
})

describe('the hash', () => {
  const written: Written = {
    dimensions: { origin: {}, late: {} },
    measures: { flights: [count()], delay: [sum('delay')] },
  }
  const hash = define(written).hash

  it('is 16 hexadecimal digits', () => expect(hash).toMatch(/^[0-9a-f]{16}$/))

  it.each<readonly [string, Written]>([
    [
      'words for people',
      {
        ...written,
        options: { label: 'Other', description: 'Other' },
        dimensions: { origin: { label: 'From' }, late: {} },
      },
    ],
    [
      'units and formats',
      { ...written, measures: { flights: [count()], delay: [sum('delay'), { unit: 'minute', format: 'duration' }] } },
    ],
    ['the way of refreshing', { ...written, options: { refresh: { capture: 'trigger' } } }],
    [
      'a measure that needs no new state',
      { ...written, measures: { ...written.measures, rate: [ratio('delay', 'flights')], twice: [sum('delay')] } },
    ],
    ['a default that is spelled out', { ...written, options: { granularity: 'hour', timezone: 'UTC', base: true } }],
    ['the zone, where no bucket follows it', { ...written, options: { timezone: 'Asia/Kolkata' } }],
  ])('stays with %s', (_name, changed) => expect(define(changed).hash).toBe(hash))

  it.each<readonly [string, Written]>([
    ['the name', { ...written, className: 'Departures' }],
    ['the source', { ...written, options: { source: 'public.flights' } }],
    ['the time', { ...written, options: { time: 'local_at' } }],
    ['the granularity', { ...written, options: { granularity: 'day' } }],
    ['a dimension', { ...written, dimensions: { origin: {} } }],
    ['the expression of a dimension', { ...written, dimensions: { origin: { sql: 'lower(origin)' }, late: {} } }],
    ['a measure', { ...written, measures: { flights: [count()], delay: [avg('delay')] } }],
    ['a condition', { ...written, measures: { flights: [count({ where: 'delay > 15' })], delay: [sum('delay')] } }],
    ['a rollup', { ...written, options: { rollups: [{ by: [], granularity: 'day' }] } }],
    ['the scope, which orders the rollups', { ...written, options: { scope: { late: 'tenant' } } }],
  ])('changes with %s', (_name, changed) => expect(define(changed).hash).not.toBe(hash))
})

it.each<readonly [string, Written, string, string]>([
  [
    'sums text',
    { measures: { d: [sum('origin')] } },
    'Flights.d',
    'The sum of column "origin" is of type text; it must be a number',
  ],
  ['averages a flag', { measures: { d: [avg('late')] } }, 'Flights.d', 'must be a number'],
  [
    'takes the least uuid',
    { measures: { d: [min('carrier')] } },
    'Flights.d',
    'must be a number, a date, a timestamp or text',
  ],
  [
    'has a condition that is a number',
    { measures: { d: [count({ where: 'nonsense' })] } },
    'Flights.d',
    'Postgres says: column "nonsense" does not exist. Perhaps you meant another.',
  ],
  ['groups by a bigint', { dimensions: { miles: {} } }, 'Flights.miles', 'is of type bigint; it must be text'],
  [
    'groups by a timestamp',
    { dimensions: { local_at: {} } },
    'Flights.local_at',
    'is of type timestamp; it must be text',
  ],
  ['groups by an odd type', { dimensions: { route: {} } }, 'Flights.route', 'is of type other'],
  [
    'groups by a column that is not there',
    { dimensions: { statuss: {} } },
    'Flights.statuss',
    'The source has no column "statuss". Did you mean "status"?',
  ],
  [
    'sums a column that is not there',
    { measures: { d: [sum('Delay')] } },
    'Flights.d',
    'The source has no column "Delay". Did you mean "delay"?',
  ],
  [
    'has text for time',
    { options: { time: 'origin' } },
    'Flights',
    'time, column "origin" is of type text; it must be timestamptz, timestamp or date',
  ],
  ['has a time that is not there', { options: { time: 'departed' } }, 'Flights', 'The source has no column "departed"'],
  [
    'keeps the hours of a date',
    { options: { time: 'day', granularity: 'hour' } },
    'Flights',
    'granularity "hour" is finer than the time column "day", which is a date',
  ],
  [
    'rolls up finer than it keeps',
    { options: { granularity: 'day', rollups: [{ by: [], granularity: 'hour' }] } },
    'Flights',
    'rollups[0] is by hour, finer than the dataset',
  ],
  [
    'repeats the base rollup',
    { options: { rollups: [{ by: ['origin'], granularity: 'hour' }] } },
    'Flights',
    'rollups[0] is the same as the base rollup (hour × origin)',
  ],
  [
    'repeats a rollup in another order',
    {
      dimensions: { origin: {}, late: {} },
      options: {
        base: false,
        rollups: [
          { by: ['origin', 'late'], granularity: 'day' },
          { by: ['late', 'origin'], granularity: 'day', timezone: 'Zulu' },
        ],
      },
    },
    'Flights',
    'rollups[1] is the same as rollups[0]',
  ],
  [
    'divides by a date',
    { measures: { flights: [count()], first: [min('day')], rate: [ratio('flights', 'first')] } },
    'Flights.rate',
    'names "first", whose value is a Date',
  ],
  [
    'is updated by text',
    { options: { refresh: { updatedAt: 'origin' } } },
    'Flights',
    'refresh.updatedAt, column "origin" is of type text',
  ],
])('a declaration that %s is a fault', (_name, written, subject, fragment) => {
  expect(faultsOf(written)).toEqual([{ subject, sentence: expect.stringContaining(fragment) }])
})

it('blames the source once when it is missing, beside what the class alone shows', () => {
  const missing: SourceDescription = {
    relation: { error: 'relation "flights" does not exist' },
    expressions: {},
    dependencies: {},
    capture: null,
  }
  const faults = faultsOf({ dimensions: { key: {}, late: {} }, measures: { d: [sum('delay')] } }, missing)
  expect(faults).toEqual([
    { subject: 'Flights.key', sentence: expect.stringContaining('reserved') },
    {
      subject: 'Flights',
      sentence: 'The source, flights, cannot be read. Postgres says: relation "flights" does not exist.',
    },
  ])
})

it('defines datasets together, or throws the faults of all', () => {
  const described = (className: string, written: Written = {}) => ({
    declaration: aDeclaration({ ...written, className }),
    description: DESCRIPTION,
  })
  expect(defineDatasets([described('Flights'), described('Departures')]).map(({ name }) => name)).toEqual([
    'flights',
    'departures',
  ])
  const wrong = [
    described('Flights', { measures: {} }),
    described('Flights'),
    described('Trains', { dimensions: { key: { column: 'origin' } } }),
  ]
  expect(() => defineDatasets(wrong)).toThrow(/3 fault\(s\)/)
})
