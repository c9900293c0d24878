/** How a wrong argument is answered. The argument is named where it was found while resolving. */
export type Verdict =
  | 'BAD_USER_INPUT 400'
  | 'GRAPHQL_VALIDATION_FAILED 400'
  | 'QUERY_TOO_COMPLEX 400'
  | 'NO_ROLLUP 200'
  | `BAD_USER_INPUT 200 ${string}`

/** Arguments in GraphQL's own words, and what becomes of them. */
export type Row = readonly [text: string, verdict: Verdict]
/** The value of a variable of the given type, and what becomes of it. */
export type VariableRow = readonly [value: unknown, verdict: Verdict]

const INVALID = 'GRAPHQL_VALIDATION_FAILED 400'
const NOT_COERCED = 'BAD_USER_INPUT 400'
const TOO_LARGE = 'QUERY_TOO_COMPLEX 400'

const between = (from: string, to: string) => `range: { between: { from: "${from}", to: "${to}" } }`
const nest = (levels: number, inside: object): object => (levels === 0 ? inside : { not: nest(levels - 1, inside) })
const SQL = "'; DROP TABLE orders; --"

/** Values of `timezone`, as a variable. */
export const TIMEZONES: readonly VariableRow[] = [
  ...['Nowhere/City', '+02:00', 'UTC+2', 'CEST2', '', ' UTC', 'UTC\0', '\ud800', '__proto__', 'constructor'].map(
    (zone) => [zone, NOT_COERCED] as const,
  ),
  ['Europe/Madrid'.repeat(2_000), NOT_COERCED],
  [SQL, NOT_COERCED],
  [5, NOT_COERCED],
  [null, NOT_COERCED],
  [{}, NOT_COERCED],
  [['UTC', 'UTC'], NOT_COERCED],
]

/** Arguments of a report. */
export const REPORT_ARGUMENTS: readonly Row[] = [
  ['timezone: "Nowhere/City"', INVALID],
  ['timezone: UTC', INVALID],
  ['timezone: null', INVALID],
  ['range: {}', INVALID],
  ['range: { between: null }', INVALID],
  ['range: { period: null }', INVALID],
  ['range: { period: NEXT_WEEK }', INVALID],
  ['range: { period: TODAY, last: { count: 1, unit: DAY } }', INVALID],
  ['range: { between: { from: "2026-03-01" } }', INVALID],
  ['range: { between: { from: "2026-03-01", to: null } }', INVALID],
  ...['0000-01-01', '10000-01-01', '2026-02-29', '2026-13-01', '2026-3-1', '20260301', '', 'today', '1772323200'].map(
    (bound) => [between(bound, '2026-03-02'), INVALID] as const,
  ),
  ...['T10:00:60Z', 'T10:00:00', 'T24:00:00Z', 'T10:00:00+24:00', ' 10:00:00Z', 'T10:00:00.0001Z'].map(
    (time) => [between(`2026-03-01${time}`, '2026-03-02'), INVALID] as const,
  ),
  [between(SQL.replaceAll('"', ''), '2026-03-02'), INVALID],
  [between('2026-03-02', '2026-03-01'), 'BAD_USER_INPUT 200 range.between.to'],
  [between('2026-03-01', '2026-03-01'), 'BAD_USER_INPUT 200 range.between.to'],
  [between('2026-03-01T10:07:00Z', '2026-03-02'), 'BAD_USER_INPUT 200 range.between.from'],
  [between('2026-03-01', '2026-03-02T10:00:00.001Z'), 'BAD_USER_INPUT 200 range.between.to'],
  [`timezone: "Asia/Kolkata", ${between('2026-03-01', '2026-03-02')}`, 'BAD_USER_INPUT 200 range.between.from'],
  ['timezone: "Asia/Kolkata", range: { period: TODAY }', 'BAD_USER_INPUT 200 timezone'],
  ['timezone: "Australia/Lord_Howe", range: { last: { count: 1, unit: YEAR } }', 'BAD_USER_INPUT 200 timezone'],
  ...[0, -1, -2_147_483_648, 2_147_483_647, 1_000_001].map(
    (count) => [`range: { last: { count: ${count}, unit: DAY } }`, 'BAD_USER_INPUT 200 range.last.count'] as const,
  ),
  ['range: { last: { count: 2147483648, unit: DAY } }', INVALID],
  ['range: { last: { count: 1.5, unit: DAY } }', INVALID],
  ['range: { last: { count: null, unit: DAY } }', INVALID],
  ['range: { last: { count: 1, unit: FORTNIGHT } }', INVALID],
  ['range: { last: { count: 1, unit: MINUTE } }', 'BAD_USER_INPUT 200 range.last.unit'],
  ['where: { country: { eq: 5 } }', INVALID],
  ['where: { country: "ES" }', INVALID],
  ['where: { country: { like: "E%" } }', INVALID],
  ['where: { town: { eq: "x" } }', INVALID],
  ['where: { country: { in: [null] } }', INVALID],
  ['where: { paid: { eq: "true" } }', INVALID],
  ['where: { items: { eq: 2147483648 } }', INVALID],
  ['where: { items: { contains: "1" } }', INVALID],
  ['where: { due: { eq: "2026-02-29" } }', INVALID],
  ['where: { due: { lt: "2026-03-01T00:00:00Z" } }', INVALID],
  ['where: { or: [null] }', INVALID],
]

const NULLABLE = {
  country: ['eq', 'ne', 'in', 'notIn', 'startsWith', 'contains', 'isNull'],
  customer: ['eq', 'ne', 'in', 'notIn', 'startsWith', 'contains', 'isNull'],
  paid: ['eq', 'ne', 'in', 'notIn', 'isNull'],
  items: ['eq', 'ne', 'in', 'notIn', 'gt', 'gte', 'lt', 'lte', 'isNull'],
  due: ['eq', 'ne', 'in', 'notIn', 'gt', 'gte', 'lt', 'lte', 'isNull'],
  hourOfDay: ['eq', 'ne', 'in', 'notIn', 'gt', 'gte', 'lt', 'lte', 'isNull'],
} as const

/** Values of `where`, as a variable. */
export const FILTERS: readonly VariableRow[] = [
  ...Object.entries(NULLABLE).flatMap(([dimension, operators]) =>
    operators.map(
      (operator): VariableRow => [
        { [dimension]: { [operator]: null } },
        `BAD_USER_INPUT 200 where.${dimension}.${operator}`,
      ],
    ),
  ),
  [{ and: [{}, { or: [{ not: { paid: { eq: null } } }] }] }, 'BAD_USER_INPUT 200 where.and[1].or[0].not.paid.eq'],
  [JSON.parse('{ "__proto__": { "eq": "x" } }'), NOT_COERCED],
  [JSON.parse('{ "country": { "__proto__": "x" } }'), NOT_COERCED],
  [{ constructor: { eq: 'x' } }, NOT_COERCED],
  [{ country: { eq: { eq: 'x' } } }, NOT_COERCED],
  [{ country: { in: [['x']] } }, NOT_COERCED],
  [{ items: { eq: 1.5 } }, NOT_COERCED],
  [{ items: { eq: '1 OR 1=1' } }, NOT_COERCED],
  [{ due: { eq: SQL } }, NOT_COERCED],
  [SQL, NOT_COERCED],
  [[], NOT_COERCED],
  [nest(8, { country: { eq: 'ES' } }), TOO_LARGE],
  [{ or: Array.from({ length: 201 }, (_, index) => ({ items: { eq: index } })) }, TOO_LARGE],
  [{ country: { in: Array.from({ length: 1_001 }, String) } }, TOO_LARGE],
]

/** Odd values of `where` that are right, and how many of the five orders they find. */
export const ODD_FILTERS: readonly (readonly [where: object | null, orders: number])[] = [
  [null, 5],
  [{}, 5],
  [{ country: null, and: null, or: null, not: null }, 5],
  [{ country: {} }, 5],
  [{ and: [] }, 5],
  [{ or: [] }, 0],
  [{ or: [{}] }, 5],
  [{ not: {} }, 0],
  [{ not: { or: [] } }, 5],
  [{ country: { in: [] } }, 0],
  [{ country: { notIn: [] } }, 5],
  [{ country: { eq: '' } }, 1],
  [{ country: { ne: 'ES' } }, 4],
  [{ not: { country: { eq: 'ES' } } }, 4],
  [{ country: { eq: 'E\0' } }, 0],
  [{ country: { ne: 'E\0' } }, 5],
  [{ country: { in: ['\ud800', 'ES'] } }, 1],
  [{ country: { contains: '\udfff' } }, 0],
  [{ not: { country: { startsWith: '\0' } } }, 5],
  [{ country: { contains: '' } }, 4],
  [{ country: { contains: '%' } }, 1],
  [{ country: { contains: '_\\"' } }, 1],
  [{ country: { startsWith: 'e' } }, 2],
  [{ country: { startsWith: '_' } }, 0],
  [{ country: { contains: "'; DROP TABLE orders; --" } }, 0],
  [{ country: { eq: "' OR '1'='1" } }, 0],
  [{ country: { eq: 'x'.repeat(60_000) } }, 0],
  [{ country: { contains: '%'.repeat(60_000) } }, 0],
  [{ country: { in: Array.from({ length: 1_000 }, (_, index) => `{"${index}"}`) } }, 0],
  [{ customer: { eq: 'no uuid' } }, 0],
  [{ customer: { eq: 'ABCDEFAB-1111-4111-8111-111111111111' } }, 1],
  [{ items: { in: [-2_147_483_648, 2_147_483_647] } }, 2],
  [{ items: { gte: -2_147_483_648 } }, 4],
  [{ not: { items: { gte: -2_147_483_648 } } }, 1],
  [{ due: { lte: '0001-01-01' } }, 1],
  [{ due: { eq: '9999-12-31' } }, 1],
  [{ hourOfDay: { eq: 99 } }, 0],
  [{ hourOfDay: { ne: -1 } }, 5],
  [{ paid: { isNull: true, ne: true } }, 2],
  [{ not: { not: { not: { not: { not: { not: { not: { country: { eq: 'ES' } } } } } } } } }, 4],
]

/** Fields of a report, each the only wrong one. */
export const PARTS: readonly Row[] = [
  ['series(granularity: MINUTE) { start }', 'NO_ROLLUP 200'],
  ['series(granularity: SECOND) { start }', INVALID],
  ['series(granularity: null) { start }', INVALID],
  ['series { start }', INVALID],
  ['series(granularity: DAY, fill: null) { start }', INVALID],
  ['series(granularity: DAY, fill: 1) { start }', INVALID],
  ['breakdown(by: []) { totalCount }', 'BAD_USER_INPUT 200 by'],
  ['breakdown(by: [COUNTRY, PAID, ITEMS, DUE, CUSTOMER]) { totalCount }', 'BAD_USER_INPUT 200 by'],
  ['breakdown(by: [COUNTRY, PAID, COUNTRY]) { totalCount }', 'BAD_USER_INPUT 200 by'],
  ['breakdown(by: [null]) { totalCount }', INVALID],
  ['breakdown(by: null) { totalCount }', INVALID],
  ['breakdown(by: [ORDERS]) { totalCount }', INVALID],
  ['breakdown(by: ["COUNTRY"]) { totalCount }', INVALID],
  ['breakdown(by: [PAID], orderBy: [{ field: COUNTRY }]) { totalCount }', 'BAD_USER_INPUT 200 orderBy'],
  ['breakdown(by: [PAID], orderBy: [{ field: PAID }, { field: PAID }]) { totalCount }', 'BAD_USER_INPUT 200 orderBy'],
  ['breakdown(by: [PAID], orderBy: [{ field: TOWN }]) { totalCount }', INVALID],
  ['breakdown(by: [PAID], orderBy: [{ field: PAID, direction: UP }]) { totalCount }', INVALID],
  ['breakdown(by: [PAID], orderBy: [{}]) { totalCount }', INVALID],
  ['breakdown(by: [PAID], orderBy: [null]) { totalCount }', INVALID],
  ...['eq', 'ne', 'gt', 'gte', 'lt', 'lte'].map(
    (operator) =>
      [
        `breakdown(by: [PAID], having: { orders: { ${operator}: null } }) { totalCount }`,
        `BAD_USER_INPUT 200 having.orders.${operator}`,
      ] as const,
  ),
  ['breakdown(by: [PAID], having: { orders: { gt: 1e999 } }) { totalCount }', 'BAD_USER_INPUT 200 having.orders.gt'],
  ['breakdown(by: [PAID], having: { revenue: { ne: -1e999 } }) { totalCount }', 'BAD_USER_INPUT 200 having.revenue.ne'],
  ['breakdown(by: [PAID], having: { orders: { gt: NaN } }) { totalCount }', INVALID],
  ['breakdown(by: [PAID], having: { lastDue: { gt: 1 } }) { totalCount }', INVALID],
  ['breakdown(by: [PAID], having: { orders: 1 }) { totalCount }', INVALID],
  ...[0, -1, 1_001, 2_147_483_647].map(
    (first) => [`breakdown(by: [PAID], first: ${first}) { totalCount }`, 'BAD_USER_INPUT 200 first'] as const,
  ),
  ['breakdown(by: [PAID], first: 2147483648) { totalCount }', INVALID],
  ['breakdown(by: [PAID], first: null) { totalCount }', INVALID],
  ['breakdown(by: [PAID], after: 5) { totalCount }', INVALID],
  ...['', 'garbage', '%%%', 'e30', 'bnVsbA', 'W10', SQL, '__proto__', 'x'.repeat(70_000)].map(
    (after) => [`breakdown(by: [PAID], after: "${after}") { totalCount }`, 'BAD_USER_INPUT 200 after'] as const,
  ),
  ['compare(to: PREVIOUS_DECADE) { totals { orders } }', INVALID],
  ['compare(to: null) { totals { orders } }', INVALID],
  ['compare { totals { orders } }', INVALID],
]

/** Operations that would answer with more than 10,000 points, wherever the points hide. */
export const TOO_MANY_POINTS: readonly (readonly [query: string, variables: object, points: number])[] = [
  [`{ orders(${between('2016-01-01', '2026-01-01')}) { series(granularity: HOUR) { start } } }`, {}, 87_672],
  [
    `{ a: orders(${between('2025-01-01', '2026-01-01')}) { series(granularity: HOUR) { start } }
       b: orders(${between('2025-01-01', '2026-01-01')}) { series(granularity: HOUR) { start } } }`,
    {},
    17_520,
  ],
  [
    `{ orders(${between('2025-01-01', '2026-01-01')}) { a: series(granularity: HOUR) { start }
       b: series(granularity: HOUR, fill: false) { start } } }`,
    {},
    17_520,
  ],
  [
    `query { orders(${between('2025-01-01', '2026-01-01')}) { ...a } }
     fragment a on OrdersReport { series(granularity: HOUR) { start } compare(to: PREVIOUS_YEAR) { ...b } }
     fragment b on OrdersComparison { series(granularity: HOUR) { start } }`,
    {},
    17_544,
  ],
  [
    `query ($range: RangeInput, $unit: Granularity!) { orders(range: $range) { series(granularity: $unit) { start } } }`,
    { range: { between: { from: '2016-01-01', to: '2026-01-01' } }, unit: 'HOUR' },
    87_672,
  ],
  [
    `query ($first: Int!) { orders(${between('2026-03-01', '2026-03-02')}) {
       breakdown(by: [COUNTRY], first: $first) { nodes { series(granularity: HOUR) { start } } } } }`,
    { first: 1_000 },
    24_000,
  ],
  [
    `{ orders(${between('2026-03-01', '2026-03-05')}) { breakdown(by: [COUNTRY], first: 100) {
       edges { node { series(granularity: HOUR) { start } } } other { series(granularity: HOUR) { start } } } } }`,
    {},
    9_696,
  ],
]
