import { findFlightFiles } from '../../../src/demo/flight-files'
import { countFlights, type Flight, readFlights } from '../../../src/demo/read-flights'

const FILE = findFlightFiles().flights

async function collect(rows: number): Promise<readonly Flight[]> {
  const flights: Flight[] = []
  for await (const batch of readFlights(FILE, rows)) flights.push(...batch)
  return flights
}

describe('readFlights', () => {
  it('knows how many flights there are', async () => {
    expect(await countFlights(FILE)).toBe(3_000_000)
  })

  it.each([1, 2, 5])('yields exactly %i flights when asked for as many', async (rows) => {
    expect(await collect(rows)).toHaveLength(rows)
  })

  it('spreads a sample evenly over the file: every tenth flight holds every thousandth', async () => {
    const tenth = await collect(300_000)
    expect(tenth).toHaveLength(300_000)
    expect(await collect(3_000)).toEqual(tenth.filter((_, index) => index % 100 === 0))
  })

  it('yields the same flights each time, in order of departure, from the first of January on', async () => {
    const once = await collect(5)
    expect(await collect(5)).toEqual(once)
    const times = once.map((flight) => flight.departedAt.getTime())
    expect(times).toEqual([...times].sort((a, b) => a - b))
    expect(once[0]).toEqual({
      departedAt: new Date('2001-01-01T00:01:00Z'),
      delay: 33,
      distance: 2176,
      origin: 'LAS',
      destination: 'PHL',
    })
  })
})
