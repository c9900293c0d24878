import type { ColumnType } from '../../../src/dataset/column-type'
import { type DefineResult, defineDataset } from '../../../src/dataset/define'
import type { Definition } from '../../../src/dataset/definition'
import type { SourceDescription } from '../../../src/dataset/source-description'
import { DeclarationError } from '../../../src/errors'
import { countDistinct, last, max, min, quantile, ratio } from '../../../src/index'
import { aDeclaration, type Written } from './a-declaration'

const COLUMNS: Readonly<Record<string, ColumnType | 'other'>> = {
  departed_at: 'timestamptz',
  local_at: 'timestamp',
  origin: 'text',
  carrier: 'uuid',
  late: 'boolean',
  seats: 'integer',
  price: 'numeric',
  delay: 'double',
  route: 'other',
}

const DESCRIPTION: SourceDescription = {
  relation: { columns: Object.keys(COLUMNS) },
  expressions: {
    ...Object.fromEntries(Object.entries(COLUMNS).map(([name, type]) => [`"${name}"`, { type, pgType: type }])),
    '(delay > 15)': { type: 'boolean', pgType: 'boolean' },
    "(timestamp '2000-01-01' at time zone 'UTC')": { type: 'timestamptz', pgType: 'timestamptz' },
  },
  dependencies: {},
  capture: null,
}

function resultOf(written: Written): DefineResult {
  return defineDataset(aDeclaration({ dimensions: { origin: {}, late: {} }, ...written }), DESCRIPTION)
}

function define(written: Written): Definition {
  const result = resultOf(written)
  if ('faults' in result) throw new DeclarationError(result.faults)
  return result.definition
}

it('gives each measure its type, and says which may have nothing to say', () => {
  const { measures } = define({
    measures: {
      carriers: [countDistinct('carrier')],
      medianSeats: [quantile(0.5, 'seats')],
      seats: [last('seats')],
      price: [last('price', { where: 'delay > 15' })],
      place: [last('origin')],
      moment: [last('local_at')],
      allSeats: [last('seats', { sumOver: ['origin'] })],
      allDelay: [last('delay', { sumOver: ['origin', 'late'] })],
      share: [ratio('carriers', 'allSeats')],
    },
  })
  expect(measures.map(({ name, algebra: { type, nullable } }) => [name, type, nullable])).toEqual([
    ['carriers', 'SafeInt', false],
    ['medianSeats', 'Float', true],
    ['seats', 'SafeInt', true],
    ['price', 'Float', true],
    ['place', 'String', true],
    ['moment', 'DateTime', true],
    ['allSeats', 'SafeInt', true],
    ['allDelay', 'Float', true],
    ['share', 'Float', true],
  ])
})

it('keeps one sketch for all quantiles of the same values', () => {
  const { states } = define({
    measures: {
      median: [quantile(0.5, 'delay')],
      p95: [quantile(0.95, 'delay')],
      lateMedian: [quantile(0.5, 'delay', { where: 'delay > 15' })],
    },
  })
  expect(states.map(({ column, sqlType }) => [column, sqlType])).toEqual([
    ['median_bins', 'bigint[]'],
    ['late_median_bins', 'bigint[]'],
  ])
})

it('names the argument of a state verbatim, wherever the state stands', () => {
  const { states } = define({
    measures: { a: [countDistinct('origin')], b: [quantile(0.5, 'delay')], c: [last('origin')] },
  })
  for (const { merge } of states) expect(merge('first').replaceAll('first', 'r."x"')).toBe(merge('r."x"'))
})

const NOT_A_FRACTION = 'quantile needs a number between 0 and 1, both excluded, such as 0.95; its q is'

it.each<readonly [string, unknown, readonly string[]]>([
  ['95 for a fraction', quantile(95, 'delay'), [`${NOT_A_FRACTION} 95.`]],
  ['0', quantile(0, 'delay'), [`${NOT_A_FRACTION} 0. For the smallest value there is min.`]],
  ['1', quantile(1, 'delay'), [`${NOT_A_FRACTION} 1. For the largest value there is max.`]],
  ['a negative fraction', quantile(-0.5, 'delay'), [`${NOT_A_FRACTION} -0.5.`]],
  ['NaN', quantile(Number.NaN, 'delay'), [`${NOT_A_FRACTION} NaN.`]],
  ['no fraction', { kind: 'quantile', of: 'delay' }, [`${NOT_A_FRACTION} missing.`]],
  [
    'arguments the wrong way round',
    { kind: 'quantile', q: 'delay', of: 0.5, wher: '' },
    [
      '"wher" is not an option of quantile. Did you mean "where"?',
      `${NOT_A_FRACTION} "delay".`,
      'quantile needs a column or an expression: quantile(0.95, "price") or quantile(0.95, { sql: "price * quantity" }).',
    ],
  ],
  ['text', quantile(0.5, 'origin'), ['The quantile of column "origin" is of type text; it must be a number.']],
  [
    'an odd type',
    countDistinct('route'),
    [
      'The countDistinct of column "route" is of type other; it must be a number, text, a uuid, an enum, a boolean, a date or a timestamp.',
    ],
  ],
  ['a column that is not there', countDistinct('orign'), ['The source has no column "orign". Did you mean "origin"?']],
  [
    'a flag',
    last('late'),
    ['The last of column "late" is of type boolean; it must be a number, a date, a timestamp or text.'],
  ],
  [
    'text to be added up',
    last('origin', { sumOver: ['late'] }),
    ['The last of column "origin" is of type text; it must be a number to have sumOver.'],
  ],
  [
    'a dimension that is none, and no number',
    last('carrier', { sumOver: ['orign', 'late', 'hourOfDay'] }),
    [
      'sumOver names "orign", which is not a dimension. Did you mean "origin"?',
      'sumOver names "hourOfDay", which is not a dimension. There is "origin", "late".',
      'The last of column "carrier" is of type uuid; it must be a number to have sumOver.',
    ],
  ],
  ...[[], 'origin', [1], null].map(
    (sumOver) =>
      [
        `sumOver ${JSON.stringify(sumOver)}`,
        { kind: 'last', of: 'seats', sumOver },
        ['sumOver must be a list of dimensions that is not empty, for example ["station"].'],
      ] as const,
  ),
  [
    'an unknown kind',
    { kind: 'median', of: 'delay' },
    ['"median" is not a measure; there is count, sum, avg, min, max, countDistinct, quantile, last and ratio.'],
  ],
])('tells of a measure of %s, all faults at once', (_name, spec, sentences) => {
  const result = resultOf({ measures: { wrong: [spec], least: [min('delay')], most: [max('delay')] } })
  expect('faults' in result && result.faults).toEqual(
    sentences.map((sentence) => ({ subject: 'Flights.wrong', sentence })),
  )
})

it('does not blame sumOver for a dimension that has a fault of its own', () => {
  const result = resultOf({
    dimensions: { origin: { column: 'orign' } },
    measures: { seats: [last('seats', { sumOver: ['origin'] })] },
  })
  expect('faults' in result && result.faults.map(({ subject }) => subject)).toEqual(['Flights.origin'])
})
