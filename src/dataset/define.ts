import { DeclarationError, type Fault } from '../errors'
import type { BaseGranularity } from '../time/granularity'
import { planCapture } from './capture-plan'
import { checkTogether } from './check-declaration'
import { type Complaints, createComplaints } from './complaints'
import type { Declaration } from './declaration'
import { defineDimensions } from './define-dimensions'
import { defineMeasures } from './define-measures'
import { defineRollups } from './define-rollups'
import type { Definition } from './definition'
import { hashDefinition, hashMeaning, type Installation } from './definition-hash'
import { refusalText, type TypedExpression, typeExpression } from './expression-types'
import { queryName } from './names'
import { suggestion } from './nearest'
import { type ReadDeclaration, readDeclaration } from './read-declaration'
import type { ReadSource } from './read-source'
import { type SourceDescription, zoneProbe } from './source-description'
import { quoteLiteral } from './sql'
import { TAKEN_COLUMNS } from './unique-column'

/** A dataset's definition, or everything that keeps it from having one. */
export type DefineResult = { readonly definition: Definition } | { readonly faults: readonly Fault[] }

const MOMENTS = { types: ['timestamptz', 'timestamp', 'date'], wanted: 'timestamptz, timestamp or date' } as const
const INSTANTS = { types: ['timestamptz', 'timestamp'], wanted: 'timestamptz or timestamp' } as const

/** Where nothing is kept yet. */
const NOWHERE: Installation = { id: '', hashing: '' }

function checkSource(source: ReadSource, description: SourceDescription, complaints: Complaints): void {
  if (description.relation !== null && 'error' in description.relation) {
    complaints.add(`The source, ${source.text}, cannot be read. ${refusalText(description.relation)}`)
  }
  for (const [name, { columns }] of Object.entries(source.dependencies)) {
    const relation = description.dependencies[name]
    if (relation === undefined) continue
    if ('error' in relation) {
      complaints.add(`dependsOn names ${name}, which cannot be read. ${refusalText(relation)}`)
      continue
    }
    for (const column of (columns ?? []).filter((one) => !relation.columns.includes(one))) {
      complaints.add(`dependsOn.${name} has no column "${column}".${suggestion(column, relation.columns)}`)
    }
  }
}

function typeTime(
  read: ReadDeclaration,
  description: SourceDescription,
  complaints: Complaints,
): TypedExpression | null {
  const { refresh, time } = read
  if (refresh !== 'manual' && refresh.updatedAt !== undefined) {
    const expected = { role: 'refresh.updatedAt,', ...INSTANTS }
    typeExpression({ kind: 'column', names: [refresh.updatedAt] }, description, expected, complaints)
  }
  if (time === null) return null
  return typeExpression({ kind: 'column', names: [time] }, description, { role: 'time,', ...MOMENTS }, complaints)
}

/** Returns the time column as an instant. A date has no zone: it stands for its midnight in UTC. */
function instantSql(time: TypedExpression, timezone: string): string {
  if (time.type === 'timestamptz') return time.sql
  if (time.type === 'date') return `(${time.sql}::timestamp at time zone 'UTC')`
  return `(${time.sql} at time zone ${quoteLiteral(timezone)})`
}

function chooseGranularity(
  read: ReadDeclaration,
  time: TypedExpression | null,
  complaints: Complaints,
): BaseGranularity {
  if (time?.type !== 'date') return read.granularity ?? 'hour'
  if (read.granularity !== null && read.granularity !== 'day') {
    complaints.add(
      `granularity "${read.granularity}" is finer than the time column "${read.time}", which is a date; make it day.`,
    )
  }
  return 'day'
}

function checkZone(
  time: TypedExpression | null,
  timezone: string,
  description: SourceDescription,
  complaints: Complaints,
): void {
  const probe = description.expressions[zoneProbe(timezone)]
  if (time?.type === 'timestamp' && probe !== undefined && 'error' in probe) {
    complaints.add(`timezone "${timezone}" is needed to read the time column. ${refusalText(probe)}`)
  }
}

function freezeDeep<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const member of Object.values(value)) freezeDeep(member)
  }
  return value
}

/**
 * Checks a declaration against its class and what the database says of its source, and settles what it means. Every
 * fault is told, those that the class alone shows included.
 */
export function defineDataset(
  declaration: Declaration,
  description: SourceDescription,
  installation = NOWHERE,
): DefineResult {
  const read = readDeclaration(declaration)
  const faults: Fault[] = [...read.faults]
  const complaints = createComplaints(read.className, faults)
  if (read.source !== null) checkSource(read.source, description, complaints)
  const time = typeTime(read, description, complaints)
  checkZone(time, read.timezone, description, complaints)
  const granularity = chooseGranularity(read, time, complaints)
  const timeType = time?.type === 'date' || time?.type === 'timestamp' ? time.type : 'timestamptz'
  const taken = new Set<string>(TAKEN_COLUMNS)
  const dimensions = defineDimensions(read.dimensions, description, taken, complaints)
  const rows = {
    timezone: read.timezone,
    timeSql: time === null ? '' : instantSql(time, read.timezone),
    dimensionNames: declaration.dimensions.map(({ name }) => name),
    dimensions,
  }
  const measures = defineMeasures(read.measures, rows, description, taken, complaints)
  const rollups = defineRollups(read, granularity, timeType, complaints)
  const capture = planCapture(read, description, complaints)
  if (faults.length > 0 || read.source === null || time === null) return { faults }
  const definition = {
    className: read.className,
    name: queryName(read.className),
    label: read.label,
    description: read.description,
    sourceSql: read.source.sql,
    timeSql: instantSql(time, read.timezone),
    timeColumn: time.sql,
    timeType,
    timezone: read.timezone,
    granularity,
    dimensions,
    ...measures,
    rollups,
    scope: { ...read.scope },
    refresh: read.refresh,
    capture,
    sourceKeeps: read.sourceKeeps,
  } as const
  return {
    definition: freezeDeep({
      ...definition,
      hash: hashDefinition(definition, installation),
      meaning: hashMeaning(definition),
    }),
  }
}

/** Defines every dataset that a server serves, or throws all the faults of all of them at once. */
export function defineDatasets(
  described: readonly { readonly declaration: Declaration; readonly description: SourceDescription }[],
  installation = NOWHERE,
): readonly Definition[] {
  const results = described.map(({ declaration, description }) => defineDataset(declaration, description, installation))
  const faults = [
    ...checkTogether(described.map(({ declaration }) => declaration)),
    ...results.flatMap((result) => ('faults' in result ? result.faults : [])),
  ]
  if (faults.length > 0) throw new DeclarationError(faults)
  return results.flatMap((result) => ('definition' in result ? result.definition : []))
}
