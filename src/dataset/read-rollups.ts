import { BASE_GRANULARITIES, type BaseGranularity, GRANULARITIES, type Granularity } from '../time/granularity'
import { canonicalTimeZone } from '../time/time-zone'
import { type Complaints, type RawOptions, readChoice, readObject, readText } from './complaints'
import { isImplied } from './implied-dimension'
import { suggestion } from './nearest'
import { readIsoDuration } from './read-refresh'

export interface ReadRollup {
  /** `rollups[0]`, for messages. */
  readonly text: string
  readonly by: readonly string[]
  readonly granularity: Granularity
  /** Canonical, or null for the dataset's. */
  readonly timezone: string | null
  readonly keep: string | null
}

/** Reads a time zone in its canonical spelling; null when absent or unknown. */
export function readTimeZone(raw: RawOptions, complaints: Complaints, where = ''): string | null {
  const name = readText(raw, 'timezone', '"Europe/Paris"', complaints)
  if (name === null) return null
  const canonical = canonicalTimeZone(name)
  if (canonical === null)
    complaints.add(`${where}timezone "${name}" is not known; write an IANA name such as "UTC" or "Europe/Paris".`)
  return canonical
}

/** Reads the finest granularity kept; null when absent or unknown. */
export function readBaseGranularity(raw: RawOptions, complaints: Complaints): BaseGranularity | null {
  return readChoice(raw, 'granularity', BASE_GRANULARITIES, complaints)
}

function readBy(
  text: string,
  value: unknown,
  dimensions: readonly string[],
  complaints: Complaints,
): readonly string[] | null {
  if (!Array.isArray(value) || !value.every((name) => typeof name === 'string')) {
    complaints.add(`${text}.by must be a list of dimensions, for example ["origin"]; [] keeps none.`)
    return null
  }
  const by: readonly string[] = value
  let isRight = true
  for (const [index, name] of by.entries()) {
    if (by.indexOf(name) !== index) complaints.add(`${text}.by names "${name}" twice; once is enough.`)
    else if (dimensions.includes(name)) continue
    else if (isImplied(name)) {
      complaints.add(`${text}.by names "${name}", which follows the time of every rollup by itself; leave it out.`)
    } else complaints.add(`${text}.by names "${name}", which is not a dimension.${suggestion(name, dimensions)}`)
    isRight = false
  }
  return isRight ? by : null
}

function readRollup(
  text: string,
  value: unknown,
  dimensions: readonly string[],
  complaints: Complaints,
): ReadRollup | null {
  const raw = readObject(value, text, ['by', 'granularity', 'timezone', 'keep'], complaints)
  const by = readBy(text, raw.by, dimensions, complaints)
  const timezone = readTimeZone(raw, complaints, `${text}: `)
  const keep = readIsoDuration(raw, 'keep', complaints)
  const granularity = GRANULARITIES.find((known) => known === raw.granularity)
  if (granularity === undefined) {
    const said = raw.granularity === undefined ? 'is missing' : `${JSON.stringify(raw.granularity)} is not known`
    complaints.add(`${text}.granularity ${said}; it is one of ${GRANULARITIES.join(', ')}.`)
  }
  return by === null || granularity === undefined ? null : { text, by, granularity, timezone, keep }
}

/** Reads the declared rollups. One that is wrong is complained of and left out. */
export function readRollups(
  value: unknown,
  dimensions: readonly string[],
  complaints: Complaints,
): readonly ReadRollup[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) {
    complaints.add('rollups must be a list, for example [{ by: ["origin"], granularity: "day" }].')
    return []
  }
  return value.flatMap(
    (rollup: unknown, index) => readRollup(`rollups[${index}]`, rollup, dimensions, complaints) ?? [],
  )
}

/** Reads which dimension is forced to which claim. A scope that names no dimension is complained of and left out. */
export function readScope(
  value: unknown,
  dimensions: readonly string[],
  complaints: Complaints,
): Readonly<Record<string, string>> {
  if (value === undefined) return {}
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    complaints.add('scope must be an object of dimensions and claims, for example { tenantId: "tenant" }.')
    return {}
  }
  const scope: Record<string, string> = {}
  for (const [dimension, claim] of Object.entries(value)) {
    if (!dimensions.includes(dimension)) {
      complaints.add(`scope names "${dimension}", which is not a dimension.${suggestion(dimension, dimensions)}`)
    } else if (typeof claim !== 'string' || claim.trim() === '') {
      complaints.add(`scope.${dimension} must name a claim of the principal, for example { ${dimension}: "tenant" }.`)
    } else scope[dimension] = claim
  }
  return scope
}
