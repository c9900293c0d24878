import type { Complaints } from './complaints'
import type { Declaration } from './declaration'
import { IMPLIED_DIMENSIONS, isImplied } from './implied-dimension'
import { enumValueName, isGraphqlName } from './names'
import { suggestion } from './nearest'
import type { ReadMeasure } from './read-members'

/** Fields that a group of a breakdown, or the input that filters it, has besides its dimensions. */
const RESERVED_FOR_DIMENSIONS = ['key', 'measures', 'series', 'compare', 'and', 'or', 'not']

/** Complains of a class name that GraphQL types cannot be named after. */
export function checkClassName(className: string, complaints: Complaints): void {
  if (!/^[A-Z][_0-9A-Za-z]*$/.test(className)) {
    complaints.add(
      className === '' || className === '_class'
        ? 'The class has no name; GraphQL types are named after it: export class Flights.'
        : `"${className}" cannot name GraphQL types; a class is named by a capital letter, then letters, digits and underscores.`,
    )
  }
}

function checkMemberName(name: string, kind: 'dimension' | 'measure', complaints: Complaints): void {
  if (!isGraphqlName(name)) {
    complaints.add(
      `"${name}" is not a name in GraphQL; a member is named by letters, digits and underscores, without a digit or two underscores in front.`,
    )
  } else if (isImplied(name)) {
    complaints.add(`"${name}" is a dimension that every dataset has by itself; choose another name.`)
  } else if (kind === 'dimension' && RESERVED_FOR_DIMENSIONS.includes(name)) {
    complaints.add(`"${name}" is reserved: groups and filters have a field of this name; choose another name.`)
  }
}

/** Complains of members whose names GraphQL refuses, keeps for itself, or cannot tell apart. */
export function checkMemberNames(declaration: Declaration, complaints: Complaints): void {
  const seen = new Map<string, string>(Object.keys(IMPLIED_DIMENSIONS).map((name) => [enumValueName(name), name]))
  const check = (name: string, kind: 'dimension' | 'measure') => {
    const about = complaints.of(name)
    checkMemberName(name, kind, about)
    const enumValue = enumValueName(name)
    const other = seen.get(enumValue)
    seen.set(enumValue, name)
    if (other === undefined) return
    if (other !== name) about.add(`"${name}" and "${other}" would be the same enum value ${enumValue}; rename one.`)
    else if (!isImplied(name)) {
      about.add('The member is declared more than once; a name is one dimension or one measure.')
    }
  }
  for (const { name } of declaration.dimensions) check(name, 'dimension')
  for (const { name } of declaration.measures) check(name, 'measure')
}

/** Complains of ratios of measures that do not exist, or that lead back to themselves. */
export function checkRatios(declaration: Declaration, measures: readonly ReadMeasure[], complaints: Complaints): void {
  const names = declaration.measures.map(({ name }) => name)
  const inputsOf = new Map(
    measures.map(({ name, spec }) => [name, spec.kind === 'ratio' ? [spec.numerator, spec.denominator] : []]),
  )
  const isReachable = (from: readonly string[], target: string, visited: Set<string>): boolean =>
    from.some((name) => {
      if (name === target) return true
      if (visited.has(name)) return false
      visited.add(name)
      return isReachable(inputsOf.get(name) ?? [], target, visited)
    })
  for (const [name, inputs] of inputsOf) {
    const about = complaints.of(name)
    for (const input of inputs.filter((one) => !names.includes(one))) {
      const others = names.filter((other) => other !== name)
      const isDimension = declaration.dimensions.some((dimension) => dimension.name === input)
      about.add(
        `ratio names "${input}", which is ${isDimension ? 'a dimension, not' : 'not'} a measure.${suggestion(input, others)}`,
      )
    }
    if (isReachable(inputs, name, new Set())) {
      about.add('The ratio leads back to itself; divide measures that do not need this one.')
    }
  }
}
