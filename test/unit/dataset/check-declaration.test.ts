import { checkDeclaration, checkTogether } from '../../../src/dataset/check-declaration'
import { avg, count, ratio, sum } from '../../../src/index'
import { aDeclaration, type Written } from './a-declaration'

const flights = [count()] as const

/** What is wrong with each declaration: who is blamed, and a piece of the sentence. */
const FAULTY: readonly (readonly [name: string, written: Written, subject: string, fragment: string])[] = [
  ['has no measure', { measures: {} }, 'Flights', 'no measure; declare one'],
  ['has a class in lower case', { className: 'flights' }, 'flights', 'a capital letter, then letters'],
  ['has a class with a dollar', { className: 'Flights$' }, 'Flights$', 'cannot name GraphQL types'],
  ['misspells an option', { options: { granularty: 'hour' } }, 'Flights', 'Did you mean "granularity"?'],
  [
    'misspells an option of a dimension',
    { dimensions: { origin: { colum: 'o' } } },
    'Flights.origin',
    'Did you mean "column"?',
  ],
  [
    'misspells an option of a measure',
    { measures: { flights: [count(), { units: 'mile' }] } },
    'Flights.flights',
    'Did you mean "unit"?',
  ],
  [
    'misspells an option of count',
    { measures: { flights: [{ kind: 'count', wher: 'true' }] } },
    'Flights.flights',
    'Did you mean "where"?',
  ],
  [
    'misspells an option of a rollup',
    { options: { rollups: [{ by: [], granularity: 'day', timezon: 'UTC' }] } },
    'Flights',
    'rollups[0]. Did you mean "timezone"?',
  ],
  [
    'misspells an option of refresh',
    { options: { refresh: { evry: '10s', capture: 'trigger' } } },
    'Flights',
    'Did you mean "every"?',
  ],
  [
    'names a member with two underscores',
    { dimensions: { __origin: {} } },
    'Flights.__origin',
    'not a name in GraphQL',
  ],
  [
    'names a member with a letter GraphQL lacks',
    { measures: { größe: flights } },
    'Flights.größe',
    'not a name in GraphQL',
  ],
  ['names a member with a digit in front', { dimensions: { '2nd': {} } }, 'Flights.2nd', 'without a digit'],
  ['declares hourOfDay', { dimensions: { hourOfDay: {} } }, 'Flights.hourOfDay', 'every dataset has by itself'],
  [
    'declares dayOfWeek as a measure',
    { measures: { dayOfWeek: flights } },
    'Flights.dayOfWeek',
    'every dataset has by itself',
  ],
  [
    'declares a look-alike of monthOfYear',
    { dimensions: { month_of_year: {} } },
    'Flights.month_of_year',
    'same enum value MONTH_OF_YEAR',
  ],
  ...['and', 'or', 'not', 'key', 'measures', 'series', 'compare'].map(
    (name) =>
      [`declares the dimension ${name}`, { dimensions: { [name]: {} } }, `Flights.${name}`, 'is reserved'] as const,
  ),
  [
    'uses a name for both',
    { dimensions: { delay: {} }, measures: { delay: [sum('delay')] } },
    'Flights.delay',
    'more than once',
  ],
  [
    'has two names of one enum value',
    { dimensions: { originState: {}, origin_state: {} } },
    'Flights.origin_state',
    '"origin_state" and "originState"',
  ],
  [
    'does not know its granularity',
    { options: { granularity: 'hourly' } },
    'Flights',
    'granularity "hourly" is not known; it is one of minute, quarter_hour, hour, day',
  ],
  ['keeps weeks', { options: { granularity: 'week' } }, 'Flights', 'granularity "week" is not known'],
  [
    'does not know its zone',
    { options: { timezone: 'Europe/Lutetia' } },
    'Flights',
    'timezone "Europe/Lutetia" is not known',
  ],
  [
    'does not know the zone of a rollup',
    { options: { rollups: [{ by: [], granularity: 'day', timezone: '+02:00' }] } },
    'Flights',
    'rollups[0]: timezone "+02:00"',
  ],
  [
    'does not know the granularity of a rollup',
    { options: { rollups: [{ by: [], granularity: 'days' }] } },
    'Flights',
    'rollups[0].granularity "days" is not known',
  ],
  [
    'leaves out the granularity of a rollup',
    { options: { rollups: [{ by: [] }] } },
    'Flights',
    'rollups[0].granularity is missing',
  ],
  [
    'has a rollup by no dimension of its own',
    { options: { rollups: [{ by: ['orign'], granularity: 'day' }] } },
    'Flights',
    'names "orign", which is not a dimension. Did you mean "origin"?',
  ],
  [
    'has a rollup by an implied dimension',
    { options: { rollups: [{ by: ['hourOfDay'], granularity: 'hour' }] } },
    'Flights',
    'names "hourOfDay", which follows the time',
  ],
  [
    'has a rollup by a dimension twice',
    { options: { rollups: [{ by: ['origin', 'origin'], granularity: 'day' }] } },
    'Flights',
    'names "origin" twice',
  ],
  [
    'has a rollup without by',
    { options: { rollups: [{ granularity: 'day' }] } },
    'Flights',
    'rollups[0].by must be a list',
  ],
  ['has rollups that are no list', { options: { rollups: { by: [] } } }, 'Flights', 'rollups must be a list'],
  ['keeps no rollup', { options: { base: false } }, 'Flights', 'base: false leaves no rollup'],
  ['has a base that is no flag', { options: { base: 'no' } }, 'Flights', 'base must be true or false'],
  [
    'scopes by no dimension of its own',
    { options: { scope: { tenant: 'tenant' } } },
    'Flights',
    'scope names "tenant", which is not a dimension',
  ],
  ['scopes by an empty claim', { options: { scope: { origin: ' ' } } }, 'Flights', 'scope.origin must name a claim'],
  [
    'leaves the scope out of a rollup',
    { options: { scope: { origin: 'airport' }, rollups: [{ by: [], granularity: 'day' }] } },
    'Flights',
    'rollups[0].by leaves out "origin"',
  ],
  ['has a scope that is a list', { options: { scope: ['origin'] } }, 'Flights', 'scope must be an object'],
  [
    'divides by a measure that is not there',
    { measures: { flights, rate: [ratio('flights', 'fligths')] } },
    'Flights.rate',
    'names "fligths", which is not a measure. Did you mean "flights"?',
  ],
  [
    'divides a dimension',
    { measures: { flights, rate: [ratio('origin', 'flights')] } },
    'Flights.rate',
    'is a dimension, not a measure',
  ],
  [
    'divides in a circle',
    { measures: { flights, a: [ratio('b', 'flights')], b: [ratio('flights', 'a')] } },
    'Flights.b',
    'leads back to itself',
  ],
  ['divides by itself', { measures: { flights, a: [ratio('flights', 'a')] } }, 'Flights.a', 'leads back to itself'],
  [
    'divides by nothing',
    { measures: { flights, a: [{ kind: 'ratio', numerator: 'flights' }] } },
    'Flights.a',
    'its denominator is missing',
  ],
  [
    'has a dimension of column and sql',
    { dimensions: { origin: { column: 'origin', sql: 'lower(origin)' } } },
    'Flights.origin',
    'not both',
  ],
  ['has an empty column', { dimensions: { origin: { column: '' } } }, 'Flights.origin', 'column must be a text'],
  [
    'closes a parenthesis early',
    { dimensions: { origin: { sql: 'origin) from flights --' } } },
    'Flights.origin',
    'closes a parenthesis that it did not open',
  ],
  [
    'leaves a quote open',
    { measures: { flights: [count({ where: "origin = 'ATL" })] } },
    'Flights.flights',
    "leaves a quote (') open",
  ],
  [
    'writes two statements',
    { measures: { d: [sum({ sql: '1; drop table flights' })] } },
    'Flights.d',
    'holds a semicolon',
  ],
  ['sums nothing', { measures: { d: [{ kind: 'sum' }] } }, 'Flights.d', 'sum needs a column or an expression'],
  [
    'has an empty condition',
    { measures: { flights: [count({ where: ' ' })] } },
    'Flights.flights',
    'where must be a text',
  ],
  [
    'computes what there is not',
    { measures: { d: [{ kind: 'median', of: 'delay' }] } },
    'Flights.d',
    '"median" is not a measure',
  ],
  ['has a measure of nothing', { measures: { d: [undefined] } }, 'Flights.d', '@Measure needs what to compute'],
  ['has no source', { options: { source: undefined } }, 'Flights', 'source must name the table'],
  ['has an empty source', { options: { source: ' ' } }, 'Flights', 'source must name the table'],
  [
    'has a query as a table',
    { options: { source: 'select * from flights' } },
    'Flights',
    'a query is written { sql: "select …" }',
  ],
  [
    'has a source of three parts',
    { options: { source: 'db.public.flights' } },
    'Flights',
    'is not the name of a table',
  ],
  [
    'has a source that deletes',
    { options: { source: { sql: 'delete from flights returning *' } } },
    'Flights',
    'source.sql must be a SELECT',
  ],
  ['has a source without sql', { options: { source: { dependsOn: [] } } }, 'Flights', 'source.sql must be a SELECT'],
  [
    'has a source that closes early',
    { options: { source: { sql: 'select 1) as x' } } },
    'Flights',
    'source.sql closes a parenthesis',
  ],
  [
    'depends on no table',
    { options: { source: { sql: 'select 1', dependsOn: ['a b'] } } },
    'Flights',
    'dependsOn names "a b"',
  ],
  [
    'depends on no column',
    { options: { source: { sql: 'select 1', dependsOn: { airports: { columns: [] } } } } },
    'Flights',
    'dependsOn.airports must name the columns',
  ],
  [
    'captures a query of unknown tables',
    { options: { source: { sql: 'select 1' }, refresh: { capture: 'trigger' } } },
    'Flights',
    'dependsOn: ["orders"]',
  ],
  ['has no time', { options: { time: undefined } }, 'Flights', 'time must name the column'],
  [
    'refreshes every so often',
    { options: { refresh: { every: '10 seconds', capture: 'trigger' } } },
    'Flights',
    'is not an interval from 1s to 7d',
  ],
  [
    'refreshes every nothing',
    { options: { refresh: { every: '0s', capture: 'trigger' } } },
    'Flights',
    'is not an interval from 1s to 7d',
  ],
  ['refreshes in no way', { options: { refresh: { every: '10s' } } }, 'Flights', 'exactly one of capture'],
  [
    'refreshes in two ways',
    { options: { refresh: { capture: 'trigger', lookback: 'P3D' } } },
    'Flights',
    'exactly one of capture',
  ],
  ['captures unknown things', { options: { refresh: { capture: 'wal' } } }, 'Flights', 'capture "wal" is not known'],
  [
    'looks back without a duration',
    { options: { refresh: { lookback: '3 days' } } },
    'Flights',
    'lookback "3 days" is not a duration of ISO 8601',
  ],
  ['refreshes automatically', { options: { refresh: 'auto' } }, 'Flights', 'refresh "auto" is not known'],
  [
    'keeps its source for 90 days',
    { options: { sourceKeeps: '90 days' } },
    'Flights',
    'sourceKeeps "90 days" is not a duration of ISO 8601',
  ],
  [
    'keeps its source for less than nothing',
    { options: { sourceKeeps: '-P1D' } },
    'Flights',
    'is not a duration of ISO 8601',
  ],
  [
    'formats unknown things',
    { measures: { flights: [count(), { format: 'euro' }] } },
    'Flights.flights',
    'format "euro" is not known; it is one of number',
  ],
  [
    'formats a currency without one',
    { measures: { p: [sum('p'), { format: 'currency', unit: 'mile' }] } },
    'Flights.p',
    'needs a currency of ISO 4217',
  ],
  [
    'formats a duration without unit',
    { measures: { d: [avg('d'), { format: 'duration' }] } },
    'Flights.d',
    'needs a unit of time',
  ],
  [
    'gives a percentage a unit',
    { measures: { d: [avg('d'), { format: 'percent', unit: 'mile' }] } },
    'Flights.d',
    'is of a fraction',
  ],
  [
    'has an unknown unit',
    { measures: { d: [avg('d'), { unit: 'furlong' }] } },
    'Flights.d',
    'The unit "furlong" is not known',
  ],
  [
    'has a currency in lower case',
    { measures: { d: [avg('d'), { unit: 'eur' }] } },
    'Flights.d',
    'the currency is written "EUR"',
  ],
  ['has an empty label', { options: { label: '' } }, 'Flights', 'label must be a text that is not empty'],
  [
    'has a number for a description',
    { dimensions: { origin: { description: 7 } } },
    'Flights.origin',
    'description must be a text',
  ],
]

it.each(FAULTY)('a declaration that %s is a fault of its own', (_name, written, subject, fragment) => {
  const faults = checkDeclaration(aDeclaration(written))
  expect(faults).toContainEqual({ subject, sentence: expect.stringContaining(fragment) })
})

it.each<readonly [string, Written]>([
  ['is the smallest there is', {}],
  ['names its schema', { options: { source: 'public.flights' } }],
  ['quotes its source', { options: { source: '"my.schema"."Flights of ""2001"""' } }],
  ['is a query', { options: { source: { sql: ' with f as (select 1) select * from f; ' } } }],
  ['keeps only its rollups', { options: { base: false, rollups: [{ by: [], granularity: 'week' }] } }],
  ['is refreshed by hand', { options: { refresh: 'manual', sourceKeeps: 'P90D' } }],
  ['is refreshed by triggers', { options: { refresh: { every: '5m', capture: 'trigger' } } }],
  ['is refreshed by a column', { options: { refresh: { updatedAt: 'updated_at' } } }],
  [
    'has a scope in every rollup',
    { options: { scope: { origin: 'a' }, rollups: [{ by: ['origin'], granularity: 'day' }] } },
  ],
  [
    'has units',
    {
      measures: {
        v: [avg('v'), { unit: 'mile-per-hour' }],
        p: [sum('p'), { unit: 'EUR' }],
        d: [avg('d'), { unit: 'minute', format: 'duration' }],
      },
    },
  ],
  ['divides ratios', { measures: { flights, a: [ratio('flights', 'flights')], b: [ratio('a', 'flights')] } }],
  ['has names like those of objects', { dimensions: { toString: {}, valueOf: {} } }],
  [
    'has parentheses in quotes',
    { dimensions: { origin: { sql: `concat('(', "a)b", $$;)$$, E'\\')', origin) /* ( */ -- )` } } },
  ],
])('a declaration that %s has no fault', (_name, written) => {
  expect(checkDeclaration(aDeclaration(written))).toEqual([])
})

it('tells every fault of a declaration at once', () => {
  const faults = checkDeclaration(
    aDeclaration({
      options: { granularity: 'hourly', timezone: 'Nowhere', source: '', scope: { tenant: 'tenant' } },
      dimensions: { key: {} },
      measures: { d: [sum('d'), { unit: 'furlong' }] },
    }),
  )
  expect(faults.map(({ subject }) => subject).sort()).toEqual([
    'Flights',
    'Flights',
    'Flights',
    'Flights',
    'Flights.d',
    'Flights.key',
  ])
})

it.each([
  [['Flights', 'Flights'], 'Flights', '"flights" in GraphQL is already that of class Flights'],
  [['HTTPRequests', 'HttpRequests'], 'HttpRequests', '"httpRequests"'],
  [['Datasets'], 'Datasets', 'already that of the list of datasets'],
])('classes %j cannot be served side by side', (classNames, subject, fragment) => {
  const faults = checkTogether(classNames.map((className) => aDeclaration({ className })))
  expect(faults).toEqual([{ subject, sentence: expect.stringContaining(fragment) }])
})

it('serves classes side by side when no name is taken twice', () => {
  expect(checkTogether(['Flights', 'FlightsGroup', 'Report'].map((className) => aDeclaration({ className })))).toEqual(
    [],
  )
})
