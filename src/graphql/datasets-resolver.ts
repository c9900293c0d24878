import { Ctx, Field, ObjectType, Query, Resolver, registerEnumType } from 'type-graphql'
import { formatVersion } from '../cache/version'
import { type Definition, servedGranularities } from '../dataset/definition'
import { IMPLIED_DIMENSIONS } from '../dataset/implied-dimension'
import { humanise } from '../dataset/names'
import { DatasetNotReadyError } from '../errors'
import { scopeOf } from '../report/filter'
import { formatInstant } from '../time/time-zone'
import type { GraphQLContext } from './context'
import { enumOf } from './names'
import { DateTimeScalar, TimeZoneScalar } from './scalars'
import type { TimeTypes } from './shared-types'

const MeasureFormatEnum = enumOf(['number', 'percent', 'currency', 'duration'] as const)
registerEnumType(MeasureFormatEnum, { name: 'MeasureFormat', description: 'How to show the values of a measure.' })

const DimensionTypeEnum = enumOf(['text', 'uuid', 'enum', 'integer', 'boolean', 'date'] as const)
registerEnumType(DimensionTypeEnum, { name: 'DimensionType', description: 'What the values of a dimension are.' })

@ObjectType({ simpleResolvers: true })
class DimensionInfo {
  @Field(() => String, { description: 'Name of the field.' }) name!: string
  @Field(() => String) label!: string
  @Field(() => String, { nullable: true }) description!: string | null
  @Field(() => DimensionTypeEnum) type!: string
}

@ObjectType({ simpleResolvers: true })
class MeasureInfo {
  @Field(() => String, { description: 'Name of the field.' }) name!: string
  @Field(() => String) label!: string
  @Field(() => String, { nullable: true }) description!: string | null
  @Field(() => String, { description: 'GraphQL type of the values.' }) type!: string
  @Field(() => MeasureFormatEnum) format!: string
  @Field(() => String, { nullable: true, description: 'Unit of Intl.NumberFormat, or an ISO 4217 currency.' })
  unit!: string | null
}

@ObjectType({ simpleResolvers: true, description: 'How the rollups of a dataset follow its source.' })
class RefreshInfo {
  @Field(() => Boolean, { description: 'Whether every change of the source is captured as it is committed.' })
  exact!: boolean
  @Field(() => String, {
    nullable: true,
    description: 'How often changes are looked for, such as 10s; null: when told.',
  })
  every!: string | null
  @Field(() => String, {
    nullable: true,
    description: 'Why the last refresh failed, until one succeeds; null when it did not.',
  })
  lastError!: () => Promise<string | null>
}

function describeDimensions(definition: Definition): DimensionInfo[] {
  const implied = Object.entries(IMPLIED_DIMENSIONS).map(([name, { description }]) => ({
    name,
    label: humanise(name),
    description,
    type: 'integer',
  }))
  return [
    ...definition.dimensions.map(({ name, label, description, type }) => ({ name, label, description, type })),
    ...implied,
  ]
}

function describeMeasures(definition: Definition): MeasureInfo[] {
  return definition.measures.map(({ name, label, description, format, unit, algebra }) => ({
    name,
    label,
    description,
    type: algebra.type,
    format,
    unit,
  }))
}

async function describeDataset(
  definition: Definition,
  { session }: GraphQLContext,
  lastError: () => Promise<string | null>,
): Promise<object> {
  const state = await session.state(definition).catch((error: unknown) => {
    if (error instanceof DatasetNotReadyError) return null
    throw error
  })
  const zone = definition.timeType === 'date' ? 'UTC' : definition.timezone
  const show = (instant: number | null | undefined) =>
    typeof instant === 'number' ? formatInstant(instant, zone) : null
  return {
    name: definition.name,
    label: definition.label,
    description: definition.description,
    dimensions: describeDimensions(definition),
    measures: describeMeasures(definition),
    granularities: servedGranularities(definition),
    timezone: definition.timezone,
    from: show(state?.data.dataFrom),
    to: show(state?.data.dataTo),
    dataAsOf: show(state?.data.dataAsOf),
    ready: state !== null,
    version: state === null ? null : formatVersion(state.version),
    refresh: {
      exact: state?.data.isExact ?? false,
      every: definition.refresh === 'manual' ? null : (definition.refresh.every ?? null),
      lastError,
    },
  }
}

/** Creates the resolver of `datasets`: what can be asked, for explorers and generated dashboards. */
export function createDatasetsResolver(definitions: readonly Definition[], time: TimeTypes) {
  @ObjectType({ simpleResolvers: true, description: 'A dataset: what can be asked of it, and how fresh it is.' })
  class DatasetInfo {
    @Field(() => String, { description: 'Name of the query.' }) name!: string
    @Field(() => String) label!: string
    @Field(() => String, { nullable: true }) description!: string | null
    @Field(() => [DimensionInfo]) dimensions!: DimensionInfo[]
    @Field(() => [MeasureInfo]) measures!: MeasureInfo[]
    @Field(() => [time.Granularity]) granularities!: string[]
    @Field(() => TimeZoneScalar) timezone!: string
    @Field(() => DateTimeScalar, { nullable: true, description: 'Start of the first bucket that has data.' }) from!:
      | string
      | null
    @Field(() => DateTimeScalar, { nullable: true, description: 'End of the last bucket that has data.' }) to!:
      | string
      | null
    @Field(() => DateTimeScalar, { nullable: true, description: 'When the data was read from its source.' })
    dataAsOf!: string | null
    @Field(() => Boolean, { description: 'Whether the first build is complete.' }) ready!: boolean
    @Field(() => String, { nullable: true }) version!: string | null
    @Field(() => RefreshInfo) refresh!: RefreshInfo
  }

  @Resolver()
  class DatasetsResolver {
    @Query(() => [DatasetInfo], { description: 'The datasets that you may ask.' })
    datasets(@Ctx() context: GraphQLContext): Promise<object[]> {
      const { claims } = context.session.asking
      const visible = definitions.filter((definition) => !scopeOf(definition, claims).isEmpty)
      let reading: Promise<readonly (string | null)[]> | null = null
      // Read for all of them at once, and only when a selection asks for it.
      const lastError = async (index: number) => {
        reading ??= context.session.lastErrors(visible)
        return (await reading)[index] ?? null
      }
      return Promise.all(
        visible.map((definition, index) => describeDataset(definition, context, () => lastError(index))),
      )
    }
  }
  return DatasetsResolver
}
