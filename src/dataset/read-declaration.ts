import type { Fault } from '../errors'
import type { BaseGranularity } from '../time/granularity'
import { checkClassName, checkMemberNames, checkRatios } from './check-names'
import { type Complaints, createComplaints, readObject, readText } from './complaints'
import type { Declaration, RefreshOptions } from './declaration'
import { humanise } from './names'
import { type ReadDimension, type ReadMeasure, readDimension, readMeasure } from './read-members'
import { readIsoDuration, readRefresh } from './read-refresh'
import { type ReadRollup, readBaseGranularity, readRollups, readScope, readTimeZone } from './read-rollups'
import { type ReadSource, readSource } from './read-source'

const OPTIONS = [
  'description',
  'label',
  'source',
  'time',
  'timezone',
  'granularity',
  'base',
  'rollups',
  'refresh',
  'sourceKeeps',
  'scope',
]

/** A declaration as far as it could be understood without the database, and everything that is wrong with it. */
export interface ReadDeclaration {
  readonly className: string
  readonly label: string
  readonly description: string | null
  readonly source: ReadSource | null
  readonly time: string | null
  /** Canonical. */
  readonly timezone: string
  /** As declared; null leaves it to the type of the time column. */
  readonly granularity: BaseGranularity | null
  readonly base: boolean
  readonly rollups: readonly ReadRollup[]
  readonly refresh: RefreshOptions
  readonly sourceKeeps: string | null
  readonly scope: Readonly<Record<string, string>>
  readonly dimensions: readonly ReadDimension[]
  readonly measures: readonly ReadMeasure[]
  readonly faults: readonly Fault[]
}

function readBase(value: unknown, rollups: unknown, complaints: Complaints): boolean {
  if (value !== undefined && typeof value !== 'boolean') complaints.add('base must be true or false.')
  const hasRollups = Array.isArray(rollups) && rollups.length > 0
  if (value === false && !hasRollups) {
    complaints.add('base: false leaves no rollup; declare rollups, or leave base out.')
  }
  return value !== false
}

function checkScopedRollups(
  rollups: readonly ReadRollup[],
  scope: Readonly<Record<string, string>>,
  complaints: Complaints,
): void {
  for (const rollup of rollups) {
    for (const dimension of Object.keys(scope)) {
      if (!rollup.by.includes(dimension)) {
        complaints.add(`${rollup.text}.by leaves out "${dimension}", which the scope needs in every rollup; add it.`)
      }
    }
  }
}

/** Reads a declaration by itself, gathering every fault that can be told without the database. */
export function readDeclaration(declaration: Declaration): ReadDeclaration {
  const { className } = declaration
  const complaints = createComplaints(className === '' ? (declaration.file ?? '@Dataset') : className)
  const raw = readObject(declaration.options, '@Dataset', OPTIONS, complaints)
  const names = declaration.dimensions.map(({ name }) => name)
  checkClassName(className, complaints)
  checkMemberNames(declaration, complaints)
  if (declaration.measures.length === 0) {
    complaints.add('The dataset has no measure; declare one, for example @Measure(count()) rows!: number.')
  }
  const measures = declaration.measures.flatMap((measure) => readMeasure(measure, complaints.of(measure.name)) ?? [])
  checkRatios(declaration, measures, complaints)
  const time = readText(raw, 'time', '"created_at"', complaints)
  if (raw.time === undefined) complaints.add('time must name the column that says when a row happened.')
  const sourceKeeps = readIsoDuration(raw, 'sourceKeeps', complaints)
  const rollups = readRollups(raw.rollups, names, complaints)
  const scope = readScope(raw.scope, names, complaints)
  checkScopedRollups(rollups, scope, complaints)
  const source = readSource(raw.source, complaints)
  const refresh = readRefresh(raw.refresh, complaints)
  if (refresh !== 'manual' && refresh.capture === 'trigger' && hasUnknownTables(raw.source)) {
    complaints.add(
      'capture: "trigger" cannot tell which tables the query reads; name them: source: { sql, dependsOn: ["orders"] }.',
    )
  }
  return {
    className,
    label: readText(raw, 'label', '"Flights"', complaints) ?? humanise(className),
    description: readText(raw, 'description', '"Commercial flights"', complaints),
    source,
    time,
    timezone: readTimeZone(raw, complaints) ?? 'UTC',
    granularity: readBaseGranularity(raw, complaints),
    base: readBase(raw.base, raw.rollups, complaints),
    rollups,
    refresh,
    sourceKeeps,
    scope,
    dimensions: declaration.dimensions.flatMap(
      (dimension) => readDimension(dimension, complaints.of(dimension.name)) ?? [],
    ),
    measures,
    faults: complaints.faults,
  }
}

function hasUnknownTables(source: unknown): boolean {
  return typeof source === 'object' && source !== null && (!('dependsOn' in source) || source.dependsOn === undefined)
}
