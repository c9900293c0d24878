import { dirname, join } from 'node:path'

export interface FlightFiles {
  /** 3,000,000 flights, in order of departure. */
  readonly flights: string
  /** The airports by IATA code. */
  readonly airports: string
}

/** Finds the files that the npm package vega-datasets brings. */
export function findFlightFiles(): FlightFiles {
  const data = join(dirname(require.resolve('vega-datasets')), '..', 'data')
  return { flights: join(data, 'flights-3m.parquet'), airports: join(data, 'airports.csv') }
}
