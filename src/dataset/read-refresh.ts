import { type Complaints, type RawOptions, readChoice, readObject, readText } from './complaints'
import type { RefreshOptions } from './declaration'
import { isIsoDuration, parseInterval } from './duration'

const WAYS = ['capture', 'updatedAt', 'lookback'] as const
const DEFAULT_EVERY = '10s'

/** Reads an ISO 8601 duration, or null when the option is absent or wrong. */
export function readIsoDuration(raw: RawOptions, key: string, complaints: Complaints): string | null {
  const text = readText(raw, key, '"P90D"', complaints)
  if (text === null || isIsoDuration(text)) return text
  complaints.add(`${key} "${text}" is not a duration of ISO 8601, such as P90D (90 days) or PT12H (12 hours).`)
  return null
}

/**
 * Reads how a dataset is refreshed. Without the option it is `manual`: nothing is installed on the source, and nothing
 * runs, unless the declaration says so.
 */
export function readRefresh(value: unknown, complaints: Complaints): RefreshOptions {
  if (value === undefined || value === 'manual') return 'manual'
  if (typeof value === 'string') {
    complaints.add(
      `refresh ${JSON.stringify(value)} is not known; it is "manual" or an object such as { every: "10s", capture: "trigger" }.`,
    )
    return 'manual'
  }
  const raw = readObject(value, 'refresh', ['every', 'rebuildAtMost', ...WAYS], complaints)
  const ways = WAYS.filter((way) => raw[way] !== undefined)
  if (ways.length !== 1) {
    complaints.add('refresh needs exactly one of capture: "trigger", updatedAt: "column" and lookback: "P3D".')
  }
  const every = readText(raw, 'every', '"10s"', complaints) ?? DEFAULT_EVERY
  if (parseInterval(every) === null) {
    complaints.add(`refresh.every "${every}" is not an interval from 1s to 7d, such as 10s, 5m or 1h.`)
  }
  const rebuildAtMost = readText(raw, 'rebuildAtMost', '"1h"', complaints)
  if (rebuildAtMost !== null && parseInterval(rebuildAtMost) === null) {
    complaints.add(`refresh.rebuildAtMost "${rebuildAtMost}" is not an interval from 1s to 7d, such as 10m or 1h.`)
  }
  const capture = readChoice(raw, 'capture', ['trigger'], complaints)
  const updatedAt = readText(raw, 'updatedAt', '"updated_at"', complaints)
  const lookback = readIsoDuration(raw, 'lookback', complaints)
  return {
    every,
    ...(rebuildAtMost === null ? {} : { rebuildAtMost }),
    ...(capture === null ? {} : { capture }),
    ...(updatedAt === null ? {} : { updatedAt }),
    ...(lookback === null ? {} : { lookback }),
  }
}
