import type { Pool } from 'pg'
import type { Airport, Dashboard, DashboardRange, Numbers } from './dashboard'

/** A set of flights, as numbers that can be added up. */
interface Sums {
  readonly flights: number
  readonly delayedFlights: number
  readonly distance: number
  readonly delay: number
  readonly worstDelay: number | null
}

const SUMS = `count(*)::float8 AS flights, count(*) FILTER (WHERE delay > 15)::float8 AS "delayedFlights",
  coalesce(sum(distance), 0)::float8 AS distance, coalesce(sum(delay), 0)::float8 AS delay, max(delay) AS "worstDelay"`
const WITHIN = 'departed_at >= $1::timestamptz AND departed_at < $2::timestamptz'
const DAY = `date_trunc('day', departed_at, 'UTC')`
const DATE = `to_char(${DAY} AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS date`

const TOTALS = `SELECT ${SUMS} FROM flights WHERE ${WITHIN}`
const SERIES = `SELECT ${DATE}, ${SUMS} FROM flights WHERE ${WITHIN} GROUP BY ${DAY} ORDER BY ${DAY}`
const ORIGINS = `SELECT origin, ${SUMS} FROM flights WHERE ${WITHIN} GROUP BY origin ORDER BY flights DESC, origin`
const ORIGIN_SERIES = `SELECT origin, ${DATE}, count(*)::float8 AS flights, avg(delay)::float8 AS "averageDelay"
  FROM flights WHERE ${WITHIN} AND origin = ANY ($3::text[]) GROUP BY origin, ${DAY} ORDER BY ${DAY}`

function numbersOf({ flights, delayedFlights, distance, delay, worstDelay }: Sums): Numbers {
  return {
    flights,
    delayedFlights,
    distance,
    averageDelay: flights === 0 ? null : delay / flights,
    worstDelay,
    delayRate: flights === 0 ? null : delayedFlights / flights,
  }
}

function addUp(sums: readonly Sums[]): Sums {
  const total = (pick: (one: Sums) => number) => sums.reduce((sum, one) => sum + pick(one), 0)
  const delays = sums.flatMap(({ worstDelay }) => (worstDelay === null ? [] : [worstDelay]))
  return {
    flights: total((one) => one.flights),
    delayedFlights: total((one) => one.delayedFlights),
    distance: total((one) => one.distance),
    delay: total((one) => one.delay),
    worstDelay: delays.length === 0 ? null : Math.max(...delays),
  }
}

type OriginDay = {
  readonly origin: string
  readonly date: string
  readonly flights: number
  readonly averageDelay: number
}

/**
 * Answers the dashboard as an application without rollups would: one plain aggregate over the flights a widget, all at
 * once, each reading the table no more than it must. The airports that all the flights are grouped by make both the page
 * and the rest.
 */
export async function readFromSource(pool: Pool, range: DashboardRange): Promise<Dashboard> {
  const { from, to, monthFrom, monthTo, earlierFrom } = range
  const rows = async <Row extends object>(sql: string, ...parameters: unknown[]) =>
    (await pool.query<Row>(sql, parameters)).rows
  const readTotals = async (start: string, end: string) => numbersOf(addUp(await rows<Sums>(TOTALS, start, end)))
  const readOrigins = async () => {
    const origins = await rows<Sums & { origin: string }>(ORIGINS, from, to)
    const page = origins.slice(0, 10)
    const names = page.map(({ origin }) => origin)
    const days = await rows<OriginDay>(ORIGIN_SERIES, from, to, names)
    const found = new Map(days.map((day) => [`${day.origin} ${day.date}`, day]))
    const dates = [...new Set(days.map(({ date }) => date))]
    const nodes = page.map(
      (sums): Airport => ({
        origin: sums.origin,
        measures: numbersOf(sums),
        series: dates.map((date) => {
          const { flights = 0, averageDelay = null } = found.get(`${sums.origin} ${date}`) ?? {}
          return { date, measures: { flights, averageDelay } }
        }),
      }),
    )
    return { totalCount: origins.length, nodes, other: { measures: numbersOf(addUp(origins.slice(10))) } }
  }
  const [totals, series, breakdown, month, earlier] = await Promise.all([
    readTotals(from, to),
    rows<Sums & { date: string }>(SERIES, from, to),
    readOrigins(),
    readTotals(monthFrom, monthTo),
    readTotals(earlierFrom, monthFrom),
  ])
  return {
    whole: { totals, series: series.map((sums) => ({ date: sums.date, measures: numbersOf(sums) })), breakdown },
    month: { totals: month, compare: { totals: earlier } },
  }
}
