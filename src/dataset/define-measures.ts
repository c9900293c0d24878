import type { Complaints } from './complaints'
import type { DimensionDefinition, MeasureDefinition } from './definition'
import { type TypedExpression, typeExpression } from './expression-types'
import type { StateDefinition } from './measures/algebra'
import { COLUMN_MEASURES } from './measures/column-measures'
import { countAlgebra } from './measures/count'
import {
  type ColumnMeasure,
  type DraftAlgebra,
  type DraftState,
  finiteCondition,
  INEXACT_TYPES,
} from './measures/draft'
import { lastSumMeasure } from './measures/last'
import { ratioAlgebra } from './measures/ratio'
import { snakeCase } from './names'
import { suggestion } from './nearest'
import type { ReadColumnSpec, ReadExpression, ReadMeasure, ReadSpec } from './read-members'
import type { SourceDescription } from './source-description'
import { takeColumn } from './unique-column'

export interface DefinedMeasures {
  readonly measures: readonly MeasureDefinition[]
  readonly states: readonly StateDefinition[]
  readonly finite: readonly string[]
}

/** What measures need to know of the dataset besides their operands. */
export interface MeasuredRows {
  /** Canonical zone of local timestamps. */
  readonly timezone: string
  /** The row's time as an instant. */
  readonly timeSql: string
  /** Names of the dimensions of the class, right and wrong ones. */
  readonly dimensionNames: readonly string[]
  readonly dimensions: readonly DimensionDefinition[]
}

const CONDITION = { role: 'The condition', types: ['boolean'], wanted: 'boolean, such as delay > 15' } as const

interface Draft {
  readonly algebra: DraftAlgebra
  /** The operand, unless it is only rows or other measures. */
  readonly operand: TypedExpression | null
}

/** The SQL of the dimensions that the measure names; null, and complaints, when one of them is none of the class. */
function sumOverSql(names: readonly string[], rows: MeasuredRows, complaints: Complaints): readonly string[] | null {
  const unknown = names.filter((name) => !rows.dimensionNames.includes(name))
  for (const name of unknown) {
    complaints.add(`sumOver names "${name}", which is not a dimension.${suggestion(name, rows.dimensionNames)}`)
  }
  return unknown.length > 0 ? null : rows.dimensions.flatMap(({ name, sql }) => (names.includes(name) ? [sql] : []))
}

function columnMeasure(spec: ReadColumnSpec, rows: MeasuredRows, complaints: Complaints): ColumnMeasure {
  if (spec.kind === 'quantile') return COLUMN_MEASURES.quantile(spec.q)
  if (spec.kind !== 'last' || spec.sumOver === null) return COLUMN_MEASURES[spec.kind]
  return lastSumMeasure(sumOverSql(spec.sumOver, rows, complaints) ?? [])
}

function draftMeasure(
  spec: ReadSpec,
  rows: MeasuredRows,
  description: SourceDescription,
  complaints: Complaints,
): Draft | null {
  if (spec.kind === 'ratio') return { algebra: ratioAlgebra(spec.numerator, spec.denominator), operand: null }
  const typed = (expression: ReadExpression, expected: Parameters<typeof typeExpression>[2]) =>
    typeExpression(expression, description, expected, complaints)
  const condition = spec.where === null ? null : typed(spec.where, CONDITION)
  const isRefused = spec.where !== null && condition === null
  const where = condition === null ? null : condition.sql
  if (spec.kind === 'count') return isRefused ? null : { algebra: countAlgebra(where), operand: null }
  const { takes, takesText, algebra } = columnMeasure(spec, rows, complaints)
  const operand = typed(spec.of, { role: `The ${spec.kind} of`, types: takes, wanted: takesText })
  if (isRefused || operand === null) return null
  const { timezone, timeSql } = rows
  return { algebra: algebra({ ...operand, where, timezone, timeSql }), operand }
}

/** Gives each distinct state one column, named after the first measure that needs it. */
function createStates(taken: Set<string>): {
  readonly all: readonly StateDefinition[]
  define(measure: string, draft: DraftState): StateDefinition
} {
  const byContent = new Map<string, StateDefinition>()
  const all: StateDefinition[] = []
  return {
    all,
    define: (measure, { suffix, ...draft }) => {
      const content = JSON.stringify([draft.sqlType, draft.build, draft.merge('state')])
      const existing = byContent.get(content)
      if (existing !== undefined) return existing
      // The suffix stays whole when a long name is cut.
      const column = takeColumn(`${snakeCase(measure).slice(0, 59 - suffix.length)}_${suffix}`, taken)
      const state = { column, ...draft }
      byContent.set(content, state)
      all.push(state)
      return state
    },
  }
}

function checkRatioInputs(
  drafts: readonly { readonly name: string; readonly draft: Draft }[],
  complaints: Complaints,
): void {
  const types = new Map(drafts.map(({ name, draft }) => [name, draft.algebra.type]))
  for (const { name, draft } of drafts) {
    for (const input of draft.algebra.inputs) {
      const type = types.get(input) ?? 'Float'
      if (type === 'SafeInt' || type === 'Float') continue
      complaints.of(name).add(`ratio names "${input}", whose value is a ${type}; both must be numbers.`)
    }
  }
}

/** Gives measures their algebra, and their states columns in the rollups. */
export function defineMeasures(
  measures: readonly ReadMeasure[],
  rows: MeasuredRows,
  description: SourceDescription,
  taken: Set<string>,
  complaints: Complaints,
): DefinedMeasures {
  const drafts = measures.flatMap(({ spec, ...about }) => {
    const draft = draftMeasure(spec, rows, description, complaints.of(about.name))
    return draft === null ? [] : { name: about.name, about, draft }
  })
  checkRatioInputs(drafts, complaints)
  const states = createStates(taken)
  const defined = drafts.map(({ name, about, draft }) => ({
    ...about,
    algebra: { ...draft.algebra, states: draft.algebra.states.map((state) => states.define(name, state)) },
  }))
  const operands = drafts.flatMap(({ draft }) => (draft.operand === null ? [] : draft.operand))
  const inexact = operands.filter(({ type }) => INEXACT_TYPES.includes(type)).map(finiteCondition)
  return { measures: defined, states: states.all, finite: [...new Set(inexact.filter((sql) => sql !== null))] }
}
