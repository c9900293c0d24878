import { readFile } from 'node:fs/promises'
import { parse } from 'csv-parse/sync'

export interface Airport {
  readonly iata: string
  readonly name: string
  /** Null where the file says `NA`. */
  readonly city: string | null
  /** Two letters. Null where the file says `NA`, as for Marquette (MQT). */
  readonly state: string | null
  readonly country: string
  readonly latitude: number
  readonly longitude: number
}

/** Reads `airports.csv`. */
export async function readAirports(file: string): Promise<readonly Airport[]> {
  const records: Record<string, string>[] = parse(await readFile(file), { columns: true })
  return records.map((record) => ({
    iata: record.iata ?? '',
    name: record.name ?? '',
    city: known(record.city),
    state: known(record.state),
    country: record.country ?? '',
    latitude: Number(record.latitude),
    longitude: Number(record.longitude),
  }))
}

function known(value: string | undefined): string | null {
  return value === undefined || value === '' || value === 'NA' ? null : value
}
