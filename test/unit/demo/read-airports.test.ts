import { findFlightFiles } from '../../../src/demo/flight-files'
import { readAirports } from '../../../src/demo/read-airports'
import { readFlights } from '../../../src/demo/read-flights'

describe('readAirports', () => {
  it.each([
    ['ATL', { name: 'William B Hartsfield-Atlanta Intl', city: 'Atlanta', state: 'GA', country: 'USA' }],
    ['JFK', { name: 'John F Kennedy Intl', city: 'New York', state: 'NY', country: 'USA' }],
    ['MQT', { name: 'Marquette County Airport', city: null, state: null, country: 'USA' }],
  ])('knows name, city, state and country of %s', async (iata, expected) => {
    const airports = await readAirports(findFlightFiles().airports)
    expect(airports.find((airport) => airport.iata === iata)).toMatchObject(expected)
  })

  it('knows every airport that a flight leaves or reaches, each once', async () => {
    const files = findFlightFiles()
    const codes = (await readAirports(files.airports)).map((airport) => airport.iata)
    const known = new Set(codes)
    expect(known.size).toBe(codes.length)
    for await (const flights of readFlights(files.flights, 100_000)) {
      expect(flights.filter(({ origin, destination }) => !known.has(origin) || !known.has(destination))).toEqual([])
    }
  })
})
