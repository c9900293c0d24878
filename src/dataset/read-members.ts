import { type Complaints, type RawOptions, readChoice, readObject, readText } from './complaints'
import type { DeclaredDimension, DeclaredMeasure, MeasureFormat } from './declaration'
import { COLUMN_MEASURES, type ColumnMeasureKind, isColumnMeasure } from './measures/column-measures'
import { humanise, snakeCase } from './names'
import { parenthesise } from './sql'
import { faultOfSqlFragment } from './sql-fragment'
import { defaultFormat, faultOfUnit, MEASURE_FORMATS } from './unit'

/** An expression over a source row: a column under the first of these names that exists, or SQL in parentheses. */
export type ReadExpression =
  | { readonly kind: 'column'; readonly names: readonly string[] }
  | { readonly kind: 'sql'; readonly sql: string }

export interface ReadDimension {
  readonly name: string
  readonly label: string
  readonly description: string | null
  readonly from: ReadExpression
}

export type ReadSpec =
  | { readonly kind: 'count'; readonly where: ReadExpression | null }
  | { readonly kind: ColumnMeasureKind; readonly of: ReadExpression; readonly where: ReadExpression | null }
  | { readonly kind: 'ratio'; readonly numerator: string; readonly denominator: string }

export interface ReadMeasure {
  readonly name: string
  readonly label: string
  readonly description: string | null
  readonly unit: string | null
  readonly format: MeasureFormat
  readonly spec: ReadSpec
}

function readSql(raw: RawOptions, key: string, example: string, complaints: Complaints): ReadExpression | null {
  const sql = readText(raw, key, example, complaints)
  if (sql === null) return null
  const fault = faultOfSqlFragment(sql)
  if (fault === null) return { kind: 'sql', sql: parenthesise(sql) }
  complaints.add(`${key} ${JSON.stringify(sql)} ${fault}.`)
  return null
}

/** Reads a dimension; null when it cannot be told what it is of, which is complained of. */
export function readDimension(declared: DeclaredDimension, complaints: Complaints): ReadDimension | null {
  const raw = readObject(declared.options, '@Dimension', ['description', 'label', 'column', 'sql'], complaints)
  const column = readText(raw, 'column', '"city"', complaints)
  const sql = readSql(raw, 'sql', '"lower(city)"', complaints)
  const { name } = declared
  const named = {
    name,
    label: readText(raw, 'label', '"City"', complaints) ?? humanise(name),
    description: readText(raw, 'description', '"City of the shop"', complaints),
  }
  if (raw.column !== undefined && raw.sql !== undefined) {
    complaints.add('A dimension is a column or sql, not both; leave one out.')
    return null
  }
  if (raw.sql !== undefined) return sql === null ? null : { ...named, from: sql }
  if (raw.column !== undefined && column === null) return null
  return {
    ...named,
    from: { kind: 'column', names: column === null ? [...new Set([name, snakeCase(name)])] : [column] },
  }
}

function readOf(written: unknown, kind: string, complaints: Complaints): ReadExpression | null {
  if (typeof written === 'string' && written.trim() !== '') return { kind: 'column', names: [written] }
  if (typeof written === 'object' && written !== null && 'sql' in written) {
    return readSql(readObject(written, 'an expression', ['sql'], complaints), 'sql', '"price * quantity"', complaints)
  }
  complaints.add(`${kind} needs a column or an expression: ${kind}("price") or ${kind}({ sql: "price * quantity" }).`)
  return null
}

function readRatioInput(raw: RawOptions, key: 'numerator' | 'denominator', complaints: Complaints): string | null {
  const name = raw[key]
  if (typeof name === 'string') return name
  complaints.add(`ratio needs the names of two measures; its ${key} is ${JSON.stringify(name) ?? 'missing'}.`)
  return null
}

function readSpec(spec: unknown, complaints: Complaints): ReadSpec | null {
  if (typeof spec !== 'object' || spec === null || !('kind' in spec) || typeof spec.kind !== 'string') {
    complaints.add('@Measure needs what to compute, for example @Measure(count()) or @Measure(sum("price")).')
    return null
  }
  const { kind } = spec
  if (kind === 'ratio') {
    const raw = readObject(spec, 'ratio', ['kind', 'numerator', 'denominator'], complaints)
    const numerator = readRatioInput(raw, 'numerator', complaints)
    const denominator = readRatioInput(raw, 'denominator', complaints)
    return numerator === null || denominator === null ? null : { kind, numerator, denominator }
  }
  if (kind !== 'count' && !isColumnMeasure(kind)) {
    complaints.add(`"${kind}" is not a measure; there is count, ${Object.keys(COLUMN_MEASURES).join(', ')} and ratio.`)
    return null
  }
  const keys = kind === 'count' ? ['kind', 'where'] : ['kind', 'of', 'where']
  const raw = readObject(spec, kind, keys, complaints)
  const where = readSql(raw, 'where', '"delay > 15"', complaints)
  if (raw.where !== undefined && where === null) return null
  if (kind === 'count') return { kind, where }
  const of = readOf('of' in spec ? spec.of : undefined, kind, complaints)
  return of === null ? null : { kind, of, where }
}

/** Reads a measure; null when it cannot be told what to compute, which is complained of. */
export function readMeasure(declared: DeclaredMeasure, complaints: Complaints): ReadMeasure | null {
  const raw = readObject(declared.options, '@Measure', ['description', 'label', 'unit', 'format'], complaints)
  const unit = readText(raw, 'unit', '"minute"', complaints)
  const format = readChoice(raw, 'format', MEASURE_FORMATS, complaints)
  const fault = faultOfUnit(unit, format)
  if (fault !== null) complaints.add(fault)
  const label = readText(raw, 'label', '"Average delay"', complaints) ?? humanise(declared.name)
  const description = readText(raw, 'description', '"Mean delay at the gate"', complaints)
  const spec = readSpec(declared.spec, complaints)
  return spec && { name: declared.name, label, description, unit, format: format ?? defaultFormat(unit), spec }
}
