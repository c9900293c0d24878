import { Field, InputType, Int } from 'type-graphql'
import type { DimensionType } from '../dataset/definition'
import { DateScalar } from './scalars'

const EXACT = 'Exact, letter case included.'
const FOLDED = 'Ignores letter case; no character is a wildcard.'

@InputType({ description: 'All of the given conditions must hold. A comparison with a missing value is false.' })
export class StringFilter {
  @Field(() => String, { nullable: true, description: EXACT }) eq?: string
  @Field(() => String, { nullable: true, description: 'The exact complement of eq.' }) ne?: string
  @Field(() => [String], { nullable: true, description: EXACT }) in?: string[]
  @Field(() => [String], { nullable: true, description: 'The exact complement of in.' }) notIn?: string[]
  @Field(() => String, { nullable: true, description: FOLDED }) startsWith?: string
  @Field(() => String, { nullable: true, description: FOLDED }) contains?: string
  @Field(() => Boolean, { nullable: true, description: 'Whether there is no value.' }) isNull?: boolean
}

@InputType({ description: 'All of the given conditions must hold. A comparison with a missing value is false.' })
export class IntFilter {
  @Field(() => Int, { nullable: true }) eq?: number
  @Field(() => Int, { nullable: true, description: 'The exact complement of eq.' }) ne?: number
  @Field(() => [Int], { nullable: true }) in?: number[]
  @Field(() => [Int], { nullable: true, description: 'The exact complement of in.' }) notIn?: number[]
  @Field(() => Int, { nullable: true }) gt?: number
  @Field(() => Int, { nullable: true }) gte?: number
  @Field(() => Int, { nullable: true }) lt?: number
  @Field(() => Int, { nullable: true }) lte?: number
  @Field(() => Boolean, { nullable: true, description: 'Whether there is no value.' }) isNull?: boolean
}

@InputType({ description: 'All of the given conditions must hold. A comparison with a missing value is false.' })
export class BooleanFilter {
  @Field(() => Boolean, { nullable: true }) eq?: boolean
  @Field(() => Boolean, { nullable: true, description: 'The exact complement of eq.' }) ne?: boolean
  @Field(() => [Boolean], { nullable: true }) in?: boolean[]
  @Field(() => [Boolean], { nullable: true, description: 'The exact complement of in.' }) notIn?: boolean[]
  @Field(() => Boolean, { nullable: true, description: 'Whether there is no value.' }) isNull?: boolean
}

@InputType({ description: 'All of the given conditions must hold. A comparison with a missing value is false.' })
export class DateFilter {
  @Field(() => DateScalar, { nullable: true }) eq?: string
  @Field(() => DateScalar, { nullable: true, description: 'The exact complement of eq.' }) ne?: string
  @Field(() => [DateScalar], { nullable: true }) in?: string[]
  @Field(() => [DateScalar], { nullable: true, description: 'The exact complement of in.' }) notIn?: string[]
  @Field(() => DateScalar, { nullable: true }) gt?: string
  @Field(() => DateScalar, { nullable: true }) gte?: string
  @Field(() => DateScalar, { nullable: true }) lt?: string
  @Field(() => DateScalar, { nullable: true }) lte?: string
  @Field(() => Boolean, { nullable: true, description: 'Whether there is no value.' }) isNull?: boolean
}

@InputType({ description: 'All of the given comparisons must hold. A missing value differs from every number.' })
export class NumberFilter {
  @Field(() => Number, { nullable: true }) eq?: number
  @Field(() => Number, { nullable: true }) ne?: number
  @Field(() => Number, { nullable: true }) gt?: number
  @Field(() => Number, { nullable: true }) gte?: number
  @Field(() => Number, { nullable: true }) lt?: number
  @Field(() => Number, { nullable: true }) lte?: number
}

/** The filter of a dimension's type. */
export function filterOf(type: DimensionType): new () => object {
  switch (type) {
    case 'integer':
      return IntFilter
    case 'boolean':
      return BooleanFilter
    case 'date':
      return DateFilter
    default:
      return StringFilter
  }
}
