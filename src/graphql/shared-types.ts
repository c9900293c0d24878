import { Field, InputType, Int, ObjectType, registerEnumType } from 'type-graphql'
import { type Definition, servedGranularities } from '../dataset/definition'
import { COMPARISONS } from '../time/comparison'
import { GRANULARITIES } from '../time/granularity'
import { PERIODS } from '../time/range'
import { enumOf } from './names'
import { DateOrDateTimeScalar, DateTimeScalar, TimeZoneScalar } from './scalars'

export const PeriodEnum = enumOf(PERIODS)
registerEnumType(PeriodEnum, {
  name: 'Period',
  description: 'A stretch of the calendar in the zone of the report, around now. Weeks begin on Monday.',
})

export const ComparisonEnum = enumOf(COMPARISONS)
registerEnumType(ComparisonEnum, {
  name: 'Comparison',
  description: 'Which earlier range to compare with. A range that reaches past now is compared up to the same moment.',
})

export const DirectionEnum = enumOf(['asc', 'desc'] as const)
registerEnumType(DirectionEnum, { name: 'Direction', description: 'Groups without a value come last either way.' })

@InputType({ description: 'Half-open: `from` belongs to it, `to` does not.' })
export class BetweenInput {
  @Field(() => DateOrDateTimeScalar) from!: string
  @Field(() => DateOrDateTimeScalar) to!: string
}

@ObjectType({ description: 'What an answer is about, and how fresh it is.', simpleResolvers: true })
export class ReportMeta {
  @Field(() => DateTimeScalar, { description: 'Start of the range.' }) from!: string
  @Field(() => DateTimeScalar, { description: 'End of the range as asked for, also where it lies ahead of now.' })
  to!: string
  @Field(() => TimeZoneScalar, { description: 'Zone of the report, by its canonical name.' }) timezone!: string
  @Field(() => String, {
    description: 'Version of the data: a number that grows with every change, a dot, and a UUID.',
  })
  version!: string
  @Field(() => DateTimeScalar, { nullable: true, description: 'When the data was read from its source.' })
  dataAsOf!: string | null
  @Field(() => Boolean, { description: 'Whether any part is older than it should be, because the database is away.' })
  stale!: boolean
}

@ObjectType({ description: 'Where a page lies among all groups.', simpleResolvers: true })
export class PageInfo {
  @Field(() => Boolean) hasNextPage!: boolean
  @Field(() => Boolean) hasPreviousPage!: boolean
  @Field(() => String, { nullable: true }) startCursor!: string | null
  @Field(() => String, { nullable: true, description: 'Give it as `after` to read the next page.' }) endCursor!:
    | string
    | null
}

/** The types that depend on what the served datasets keep: units of time finer than any of them are left out. */
export interface TimeTypes {
  readonly Granularity: Readonly<Record<string, string>>
  readonly RangeInput: new () => object
}

export function createTimeTypes(definitions: readonly Definition[]): TimeTypes {
  const served = GRANULARITIES.filter((unit) =>
    definitions.some((definition) => servedGranularities(definition).includes(unit)),
  )
  const Granularity = enumOf(served)
  registerEnumType(Granularity, {
    name: 'Granularity',
    description: 'Size of a bucket. A day or longer follows the calendar of the report’s zone; weeks begin on Monday.',
  })

  @InputType({
    description: 'The last so many units of the calendar in the zone of the report; the last one holds now.',
  })
  class LastInput {
    @Field(() => Int) count!: number
    @Field(() => Granularity) unit!: string
  }

  @InputType({ description: 'Exactly one of its fields must be given.' })
  class RangeInput {
    @Field(() => BetweenInput, { nullable: true }) between?: BetweenInput
    @Field(() => LastInput, { nullable: true }) last?: LastInput
    @Field(() => PeriodEnum, { nullable: true }) period?: string
  }
  return { Granularity, RangeInput }
}
