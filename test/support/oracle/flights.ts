import type { OracleDataset } from './dataset'

const BANDS = ['under 250', '250 to 499', '500 to 999', '1000 to 1999', '2000 and more'] as const
const AIRPORTS = ['ATL', 'ORD', 'DFW', 'LAX', 'JFK', 'HNL', 'ANC', 'XXX'] as const
const STATES = ['CA', 'TX', 'GA', 'AK', 'zz'] as const

const PLACES = ['origin', 'destination'] as const

/** The flights and their airports, as somebody would ask for them who has never heard of rollups. */
export const FLIGHTS: OracleDataset = {
  query: 'flights',
  from: 'flights LEFT JOIN airports a ON a.iata = flights.origin LEFT JOIN airports b ON b.iata = flights.destination',
  time: 'flights.departed_at',
  isDated: false,
  granularity: 'HOUR',
  dimensions: [
    {
      name: 'origin',
      type: 'text',
      sql: 'flights.origin COLLATE "C"',
      samples: AIRPORTS,
      needles: ['a', 'L', 'or', '%'],
    },
    {
      name: 'destination',
      type: 'text',
      sql: 'flights.destination COLLATE "C"',
      samples: AIRPORTS,
      needles: ['s', 'At', '_'],
    },
    { name: 'originState', type: 'text', sql: 'a.state COLLATE "C"', samples: STATES, needles: ['c', 'T', 'ca'] },
    { name: 'destinationState', type: 'text', sql: 'b.state COLLATE "C"', samples: STATES, needles: ['n', 'Y', 'tx'] },
    {
      name: 'distanceBand',
      type: 'text',
      sql: `(ARRAY['${BANDS.join("','")}'])[width_bucket(distance, ARRAY[250, 500, 1000, 2000]) + 1] COLLATE "C"`,
      samples: BANDS,
      needles: ['AND', '999', '2'],
    },
  ],
  measures: [
    { name: 'flights', sql: 'count(*)', type: 'integer', isAdditive: true },
    { name: 'delayedFlights', sql: 'count(*) FILTER (WHERE delay > 15)', type: 'integer', isAdditive: true },
    { name: 'earlyFlights', sql: 'count(*) FILTER (WHERE delay < 0)', type: 'integer', isAdditive: true },
    { name: 'distance', sql: 'coalesce(sum(distance), 0)', type: 'integer', isAdditive: true },
    { name: 'averageDistance', sql: 'avg(distance)::float8', type: 'float' },
    { name: 'longestDistance', sql: 'max(distance)', type: 'integer' },
    { name: 'averageDelay', sql: 'avg(delay)::float8', type: 'float', magnitude: 'avg(abs(delay))' },
    { name: 'worstDelay', sql: 'max(delay)', type: 'integer' },
    { name: 'bestDelay', sql: 'min(delay)', type: 'integer' },
    {
      name: 'delayRate',
      sql: 'count(*) FILTER (WHERE delay > 15)::float8 / nullif(count(*), 0)',
      type: 'float',
    },
    { name: 'earlyRate', sql: 'count(*) FILTER (WHERE delay < 0)::float8 / nullif(count(*), 0)', type: 'float' },
  ],
  rollups: [
    { by: [], granularity: 'HOUR', timezone: 'UTC' },
    { by: ['distanceBand'], granularity: 'HOUR', timezone: 'UTC' },
    ...PLACES.flatMap((place) => [
      { by: [place, `${place}State`], granularity: 'HOUR', timezone: 'UTC' } as const,
      { by: [place, `${place}State`], granularity: 'DAY', timezone: 'UTC' } as const,
    ]),
    {
      by: ['origin', 'destination', 'originState', 'destinationState', 'distanceBand'],
      granularity: 'MONTH',
      timezone: 'UTC',
    },
  ],
}
