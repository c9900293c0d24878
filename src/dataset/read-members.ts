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

/** What a measure over one column computes, besides of what and where. */
export type ReadColumnSpec =
  | { readonly kind: Exclude<ColumnMeasureKind, 'quantile' | 'last'> }
  | { readonly kind: 'quantile'; readonly q: number }
  | { readonly kind: 'last'; readonly sumOver: readonly string[] | null }

export type ReadSpec =
  | { readonly kind: 'count'; readonly where: ReadExpression | null }
  | (ReadColumnSpec & { readonly of: ReadExpression; readonly where: ReadExpression | null })
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

function readOf(written: unknown, kind: ColumnMeasureKind, complaints: Complaints): ReadExpression | null {
  if (typeof written === 'string' && written.trim() !== '') return { kind: 'column', names: [written] }
  if (typeof written === 'object' && written !== null && 'sql' in written) {
    return readSql(readObject(written, 'an expression', ['sql'], complaints), 'sql', '"price * quantity"', complaints)
  }
  const call = kind === 'quantile' ? 'quantile(0.95, ' : `${kind}(`
  complaints.add(`${kind} needs a column or an expression: ${call}"price") or ${call}{ sql: "price * quantity" }).`)
  return null
}

function readFraction(q: unknown, complaints: Complaints): number | null {
  if (typeof q === 'number' && q > 0 && q < 1) return q
  const advice =
    q === 0 ? ' For the smallest value there is min.' : q === 1 ? ' For the largest value there is max.' : ''
  complaints.add(
    `quantile needs a number between 0 and 1, both excluded, such as 0.95; its q is ${describe(q)}.${advice}`,
  )
  return null
}

function describe(value: unknown): string {
  return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'missing')
}

function readColumnSpec(kind: ColumnMeasureKind, raw: RawOptions, complaints: Complaints): ReadColumnSpec | null {
  if (kind === 'quantile') {
    const q = readFraction(raw.q, complaints)
    return q === null ? null : { kind, q }
  }
  if (kind !== 'last') return { kind }
  const { sumOver } = raw
  if (sumOver === undefined) return { kind, sumOver: null }
  if (Array.isArray(sumOver) && sumOver.length > 0 && sumOver.every((name) => typeof name === 'string')) {
    return { kind, sumOver }
  }
  complaints.add('sumOver must be a list of dimensions that is not empty, for example ["station"].')
  return null
}

const KEYS = { quantile: ['q'], last: ['sumOver'] } as const

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
  const extra: readonly string[] = kind === 'quantile' || kind === 'last' ? KEYS[kind] : []
  const raw = readObject(spec, kind, ['kind', ...(kind === 'count' ? [] : ['of']), ...extra, 'where'], complaints)
  const where = readSql(raw, 'where', '"delay > 15"', complaints)
  const isRefused = raw.where !== undefined && where === null
  if (kind === 'count') return isRefused ? null : { kind, where }
  const own = readColumnSpec(kind, raw, complaints)
  const of = readOf(raw.of, kind, complaints)
  return isRefused || own === null || of === null ? null : { ...own, of, where }
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
