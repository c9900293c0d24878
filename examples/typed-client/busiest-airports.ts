import { ask } from './ask'
import { graphql } from './generated'
import { sparkline } from './sparkline'

const BusiestAirports = graphql(`
  query BusiestAirports($range: RangeInput!) {
    flights(range: $range) {
      totals {
        flights
      }
      breakdown(by: [ORIGIN], first: 10) {
        nodes {
          origin
          measures {
            flights
            averageDelay
          }
          series(granularity: DAY) {
            measures {
              flights
            }
          }
        }
        other {
          measures {
            flights
          }
        }
      }
    }
  }
`)

const WIDTH = 60

/** Prints the ten busiest airports of January to June 2001, and how busy they were from day to day. */
async function main(): Promise<void> {
  const server = process.argv[2] ?? 'http://127.0.0.1:4000'
  const { flights } = await ask(server, BusiestAirports, {
    range: { between: { from: '2001-01-01', to: '2001-07-01' } },
  })
  if (!flights?.totals || !flights.breakdown) throw new Error('The server has not built its rollups yet')
  for (const { origin, measures, series } of flights.breakdown.nodes) {
    const days = series?.map((day) => day.measures.flights) ?? []
    const delay = measures.averageDelay === null ? '' : `${measures.averageDelay.toFixed(1)} min late`
    console.log(`${origin}  ${formatCount(measures.flights).padStart(9)}  ${sparkline(days, WIDTH)}  ${delay}`)
  }
  const rest = flights.breakdown.other?.measures.flights ?? 0
  console.log(`${formatCount(rest)} of ${formatCount(flights.totals.flights)} flights left from elsewhere`)
}

function formatCount(count: number): string {
  return count.toLocaleString('en')
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})
