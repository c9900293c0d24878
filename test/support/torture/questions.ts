import { CELLS, CLOSED_DAYS, closedAmount, extraRows, HOURS, KINDS, NAMES, TODAY } from './ticks'

/** What an answer said of one dataset. */
export interface Shown {
  /** An index into the names of the datasets. */
  readonly dataset: number
  /** The round that every part of it shows; null where it is about closed days alone. */
  readonly round: number | null
}

/** What became of reading an answer: what it shows, or what is wrong with it in itself. */
export type Reading =
  | { readonly kind: 'shown'; readonly shown: readonly Shown[]; readonly isStale: boolean }
  | { readonly kind: 'mixed'; readonly isStale: boolean; readonly why: string }

/** A question that readers ask. */
export interface Question {
  readonly name: string
  /** Whether it is about days that never change. */
  readonly isClosed: boolean
  /** The operation; an alias or a comment makes another one of it that asks for the same parts. */
  readonly document: string
  /** Reads the data of an answer without errors. */
  read(data: unknown): Reading
}

interface Measures {
  readonly rows?: number
  readonly amount?: number
}
interface Report {
  readonly meta: { readonly stale: boolean; readonly version: string }
  readonly totals?: Measures
  readonly series?: readonly { readonly start: string; readonly measures: Measures }[]
  readonly breakdown?: {
    readonly totalCount: number
    readonly nodes: readonly {
      readonly kind: string
      readonly measures: Measures
      readonly series?: Report['series']
    }[]
    readonly other: { readonly measures: Measures } | null
  }
  readonly compare?: { readonly totals?: Measures; readonly series?: Report['series'] }
}

/** Numbers of rounds that the parts of an answer show, or sentences about what cannot be. */
type Evidence = (number | string)[]

const DAY_RANGE = `range: { between: { from: "${TODAY}", to: "2001-03-16" } }`
const MONTH_RANGE = 'range: { between: { from: "2001-03-01", to: "2001-04-01" } }'

function sumClosed(from: number, to: number, kinds: readonly number[] = KINDS.map((_, index) => index)): number {
  let sum = 0
  for (let day = from; day < to; day += 1) for (const kind of kinds) sum += closedAmount(day, kind)
  return sum
}

/** The round in which a number of cells held this amount, beside closed days of another. */
function roundOf(amount: number | undefined, cells: number, closed = 0): number | string {
  const round = ((amount ?? Number.NaN) - closed) / cells
  return Number.isInteger(round) && round > 0 ? round : `no round has the amount ${amount}`
}

/** Speaks up where two numbers that belong together differ. */
function demand(what: string, actual: unknown, expected: unknown): Evidence {
  return actual === expected ? [] : [`${what} is ${actual}, not ${expected}`]
}

function readTotals({ totals }: Report): Evidence {
  const round = roundOf(totals?.amount, CELLS)
  return typeof round === 'string' ? [round] : [round, ...demand('rows', totals?.rows, CELLS + extraRows(round))]
}

function readSeries(series: Report['series'], cells: number): Evidence {
  return (series ?? []).flatMap(({ start, measures }) => {
    const hour = Number(start.slice(11, 13))
    return hour < HOURS ? [roundOf(measures.amount, cells)] : demand(`amount at ${start}`, measures.amount, 0)
  })
}

const readDay = (report: Report): Evidence => [
  ...readTotals(report),
  ...demand('buckets', report.series?.length, 24),
  ...readSeries(report.series, KINDS.length),
  ...readKinds(report),
]

function readKinds({ breakdown }: Report): Evidence {
  const nodes = breakdown?.nodes ?? []
  const extra = nodes.find(({ kind }) => kind === 'extra')
  const rounds = nodes
    .filter(({ kind }) => kind !== 'extra')
    .flatMap(({ measures, series }): Evidence => [roundOf(measures.amount, HOURS), ...readSeries(series, 1)])
  const [first] = rounds
  const extras = typeof first === 'number' ? extraRows(first) : 0
  return [
    ...rounds,
    ...demand('rows of extra', extra?.measures.rows ?? 0, extras),
    ...demand('groups', breakdown?.totalCount, KINDS.length + Math.sign(extras)),
  ]
}

function readMonth(report: Report): Evidence {
  const days = report.series ?? []
  return [
    roundOf(report.totals?.amount, CELLS, sumClosed(59, CLOSED_DAYS)),
    ...demand('days', days.length, 31),
    ...days.flatMap(({ measures }, index): Evidence => {
      if (index === 14) return [roundOf(measures.amount, CELLS)]
      return demand(`day ${index + 1}`, measures.amount, index < 14 ? sumClosed(59 + index, 60 + index) : 0)
    }),
  ]
}

const all = (report: Report): Evidence => [roundOf(report.totals?.amount, CELLS, sumClosed(0, CLOSED_DAYS))]
const one = (report: Report): Evidence => [
  roundOf(report.totals?.amount, HOURS),
  ...demand('rows', report.totals?.rows, HOURS),
]
/** The day after the last one, compared with the last one. */
const next = (report: Report): Evidence => [
  ...demand('totals', report.totals?.amount, 0),
  roundOf(report.compare?.totals?.amount, CELLS),
  ...readSeries(report.compare?.series, KINDS.length),
]
/** The two largest kinds and the rest: in each round they are one another's equals, so the names decide. */
const top = (report: Report): Evidence => [
  ...(report.breakdown?.nodes ?? []).map(({ measures }) => roundOf(measures.amount, HOURS)),
  roundOf(report.breakdown?.other?.measures.amount, HOURS * 2),
  roundOf(report.totals?.amount, CELLS),
]

/** One report of a question: its field, how it is read, and its alias where a dataset is asked twice. */
interface Asked {
  readonly dataset: number
  readonly arguments_: string
  readonly fields: string
  readonly read: (report: Report) => Evidence
}

function question(name: string, asked: readonly Asked[], isClosed = false): Question {
  const fields = asked.map(
    ({ dataset, arguments_, fields }, index) =>
      `r${index}: ${NAMES[dataset]}${arguments_ === '' ? '' : `(${arguments_})`} { meta { stale version } ${fields} }`,
  )
  return {
    name,
    isClosed,
    document: `query ${name} { ${fields.join(' ')} }`,
    read: (data) => readAll(asked, data as Readonly<Record<string, Report>>, isClosed),
  }
}

function readAll(asked: readonly Asked[], data: Readonly<Record<string, Report>>, isClosed: boolean): Reading {
  const found = new Map<number, Evidence>()
  let isStale = false
  for (const [index, { dataset, read }] of asked.entries()) {
    const report = data[`r${index}`]
    if (report === undefined) return { kind: 'mixed', isStale, why: `r${index} is missing` }
    isStale ||= report.meta.stale
    found.set(dataset, [...(found.get(dataset) ?? []), ...read(report)])
  }
  const faults = [...found.values()].flatMap((evidence) => {
    const sentences = evidence.filter((each) => typeof each === 'string')
    const rounds = new Set(evidence.filter((each) => typeof each === 'number'))
    return rounds.size > 1 ? [...sentences, `rounds ${[...rounds].join(' and ')} in one answer`] : sentences
  })
  if (faults.length > 0) return { kind: 'mixed', isStale, why: faults.join('; ') }
  const shown = [...found].map(([dataset, [round]]) => ({ dataset, round: isClosed ? null : Number(round) }))
  return { kind: 'shown', shown, isStale }
}

const DAY_FIELDS = `totals { rows amount } series(granularity: HOUR) { start measures { amount } }
  breakdown(by: [KIND]) { totalCount nodes { kind measures { rows amount } } }`
const MONTH_FIELDS = 'totals { amount } series(granularity: DAY) { start measures { amount } }'

function mutableQuestions(dataset: number): Question[] {
  const suffix = NAMES[dataset] ?? ''
  const day = { dataset, arguments_: DAY_RANGE, fields: DAY_FIELDS, read: readDay }
  const month = { dataset, arguments_: MONTH_RANGE, fields: MONTH_FIELDS, read: readMonth }
  return [
    question(`totals_${suffix}`, [{ ...day, fields: 'totals { rows amount }', read: readTotals }]),
    question(`day_${suffix}`, [day]),
    question(`month_${suffix}`, [month]),
    question(`all_${suffix}`, [{ dataset, arguments_: '', fields: 'totals { amount }', read: all }]),
    question(`kind_${suffix}`, [
      {
        dataset,
        arguments_: `${DAY_RANGE}, where: { kind: { eq: "b" } }`,
        fields: 'totals { rows amount }',
        read: one,
      },
    ]),
    question(`groups_${suffix}`, [
      {
        dataset,
        arguments_: DAY_RANGE,
        fields: `breakdown(by: [KIND]) { totalCount nodes { kind measures { rows amount }
          series(granularity: HOUR) { start measures { amount } } } }`,
        read: readKinds,
      },
    ]),
    question(`top_${suffix}`, [
      {
        dataset,
        arguments_: DAY_RANGE,
        fields: `totals { amount } breakdown(by: [KIND], first: 2) { totalCount nodes { kind measures { rows amount } } other { measures { amount } } }`,
        read: top,
      },
    ]),
    question(`compared_${suffix}`, [
      {
        dataset,
        arguments_: 'range: { between: { from: "2001-03-16", to: "2001-03-17" } }',
        fields: `totals { amount } compare(to: PREVIOUS_PERIOD) { totals { amount } series(granularity: HOUR) { start measures { amount } } }`,
        read: next,
      },
    ]),
    question(`several_${suffix}`, [month, day, { dataset, arguments_: '', fields: 'totals { amount }', read: all }]),
  ]
}

const demandAmount = (amount: number) => (report: Report) => demand('amount', report.totals?.amount, amount)

function closedQuestions(dataset: number): Question[] {
  const suffix = NAMES[dataset] ?? ''
  const january = 'range: { between: { from: "2001-01-01", to: "2001-02-01" } }'
  const february = 'range: { between: { from: "2001-02-01", to: "2001-03-01" } }'
  const closed = (name: string, arguments_: string, fields: string, read: Asked['read']) =>
    question(`${name}_${suffix}`, [{ dataset, arguments_, fields, read }], true)
  return [
    closed('january', january, 'totals { amount }', demandAmount(sumClosed(0, 31))),
    closed('february', february, MONTH_FIELDS, (report) => [
      ...demandAmount(sumClosed(31, 59))(report),
      ...(report.series ?? []).flatMap(({ measures }, day) =>
        demand(`day ${day + 1}`, measures.amount, sumClosed(31 + day, 32 + day)),
      ),
      ...demand('days', report.series?.length, 28),
    ]),
    closed(
      'kinds',
      january,
      'breakdown(by: [KIND]) { totalCount nodes { kind measures { amount } } }',
      ({ breakdown }) =>
        KINDS.flatMap((kind, index) =>
          demand(
            `amount of ${kind}`,
            breakdown?.nodes.find((node) => node.kind === kind)?.measures.amount,
            sumClosed(0, 31, [index]),
          ),
        ),
    ),
  ]
}

/** Every question, by its index in all logs. */
export const QUESTIONS: readonly Question[] = [
  ...mutableQuestions(0),
  ...mutableQuestions(1),
  question('both', [
    { dataset: 0, arguments_: DAY_RANGE, fields: DAY_FIELDS, read: readDay },
    { dataset: 1, arguments_: MONTH_RANGE, fields: MONTH_FIELDS, read: readMonth },
    { dataset: 1, arguments_: DAY_RANGE, fields: DAY_FIELDS, read: readDay },
  ]),
  ...closedQuestions(0),
  ...closedQuestions(1),
]
