/** The numbers that every widget of the dashboard shows. */
const NUMBERS = 'flights delayedFlights distance averageDelay worstDelay delayRate'

/**
 * A dashboard in one operation: totals, a series of days, the ten busiest airports with a series each and the rest, and
 * one month beside the month before.
 */
export const DASHBOARD = `
query Dashboard($from: DateOrDateTime!, $to: DateOrDateTime!, $monthFrom: DateOrDateTime!, $monthTo: DateOrDateTime!) {
  whole: flights(range: { between: { from: $from, to: $to } }) {
    totals { ${NUMBERS} }
    series(granularity: DAY) { date measures { ${NUMBERS} } }
    breakdown(by: [ORIGIN], first: 10) {
      totalCount
      nodes { origin measures { ${NUMBERS} } series(granularity: DAY) { date measures { flights averageDelay } } }
      other { measures { ${NUMBERS} } }
    }
  }
  month: flights(range: { between: { from: $monthFrom, to: $monthTo } }) {
    totals { ${NUMBERS} }
    compare(to: PREVIOUS_MONTH) { totals { ${NUMBERS} } }
  }
}`

/** How many statements on rollups the dashboard takes when nothing is cached. */
export const DASHBOARD_READS = 6

/** Half-open ranges of dates in UTC: the whole, the month, and the month before it. */
export interface DashboardRange {
  readonly from: string
  readonly to: string
  readonly monthFrom: string
  readonly monthTo: string
  readonly earlierFrom: string
}

/** All the flights there are: 181 days. */
export const HALF_YEAR: DashboardRange = {
  from: '2001-01-01',
  to: '2001-07-01',
  monthFrom: '2001-06-01',
  monthTo: '2001-07-01',
  earlierFrom: '2001-05-01',
}

/** Another dashboard: asking it warms up everything but the answers to the first. */
export const FIRST_QUARTER: DashboardRange = {
  from: '2001-01-01',
  to: '2001-04-01',
  monthFrom: '2001-03-01',
  monthTo: '2001-04-01',
  earlierFrom: '2001-02-01',
}

export interface Numbers {
  readonly flights: number
  readonly delayedFlights: number
  readonly distance: number
  readonly averageDelay: number | null
  readonly worstDelay: number | null
  readonly delayRate: number | null
}

export interface Airport {
  readonly origin: string
  readonly measures: Numbers
  /** One a day, in order. */
  readonly series: readonly {
    readonly date: string
    readonly measures: Pick<Numbers, 'flights' | 'averageDelay'>
  }[]
}

/** What the dashboard shows, wherever it comes from. */
export interface Dashboard {
  readonly whole: {
    readonly totals: Numbers
    readonly series: readonly { readonly date: string; readonly measures: Numbers }[]
    readonly breakdown: {
      readonly totalCount: number
      readonly nodes: readonly Airport[]
      readonly other: { readonly measures: Numbers } | null
    }
  }
  readonly month: { readonly totals: Numbers; readonly compare: { readonly totals: Numbers } }
}
