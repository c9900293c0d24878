import type { GraphQLResolveInfo } from 'graphql'
import { Arg, Ctx, FieldResolver, Info, Int, Query, Resolver, Root } from 'type-graphql'
import type { Definition } from '../dataset/definition'
import { faultOfAll, type Measures, type Point, type ReportAnswer, unwrap } from '../report/answer'
import type { Comparison } from '../time/comparison'
import type { Granularity } from '../time/granularity'
import type { GraphQLContext } from './context'
import type { DatasetTypes } from './dataset-types'
import { readBreakdownArguments, readResolvedArguments, readResolvedRequest } from './read-request'
import {
  ANSWERED,
  type ComparisonView,
  type GroupView,
  type OtherView,
  pickAnswer,
  type ReportView,
  viewBreakdown,
  viewComparison,
  viewReport,
} from './report-view'
import { TimeZoneScalar } from './scalars'
import { ComparisonEnum, type TimeTypes } from './shared-types'

const FILL = 'Whether buckets without rows are answered too, with 0 or null; none that starts after now.'

function requireTotals(totals: ReportAnswer['totals']): Measures {
  if (totals === null) throw new Error('Totals were resolved that the request did not ask for')
  return unwrap(totals)
}

/**
 * Creates the resolvers of a dataset: its query, and the fields that take arguments. They only hand out what one use
 * case answered; what the operation needs was read from its selection beforehand.
 */
export function createDatasetResolvers(definition: Definition, types: DatasetTypes, time: TimeTypes) {
  const { Report, Comparison: ComparisonType, Point: PointType, Group, Other, GroupConnection } = types
  const { Granularity: GranularityEnum, RangeInput } = time

  @Resolver(() => Report)
  class ReportResolver {
    @Query(() => Report, {
      name: definition.name,
      nullable: true,
      description: definition.description ?? definition.label,
    })
    async report(
      @Arg('range', () => RangeInput, { nullable: true, description: 'Default: all data.' }) _range: unknown,
      @Arg('where', () => types.Where, { nullable: true }) _where: unknown,
      @Arg('timezone', () => TimeZoneScalar, { defaultValue: 'UTC', description: 'Zone of dates, days and hours.' })
      _timezone: string,
      @Ctx() { session, requests }: GraphQLContext,
      @Info() info: GraphQLResolveInfo,
    ): Promise<ReportView> {
      const [node] = info.fieldNodes
      const request = (node && requests?.get(node)) ?? readResolvedRequest(info, definition)
      const answer = await session.answer(definition, request)
      const fault = faultOfAll(answer)
      if (fault !== null) throw fault
      return viewReport(request, answer)
    }

    @FieldResolver(() => types.Measures, { nullable: true, description: 'The measures over the whole range.' })
    totals(@Root() view: ReportView): Measures {
      return requireTotals(view.answer.totals)
    }

    @FieldResolver(() => [PointType], { nullable: true, description: 'The measures bucket by bucket.' })
    series(
      @Arg('granularity', () => GranularityEnum) granularity: Granularity,
      @Arg('fill', () => Boolean, { defaultValue: true, description: FILL }) fill: boolean,
      @Root() view: ReportView,
    ): readonly Point[] {
      return pickAnswer(view.request.series, view.answer.series, { granularity, fill }).answer
    }

    @FieldResolver(() => GroupConnection, {
      nullable: true,
      description: 'The measures group by group, a page at a time.',
    })
    breakdown(
      @Arg('by', () => [types.Dimension], { description: 'From 1 to 4 dimensions.' }) _by: unknown,
      @Arg('orderBy', () => [types.Order], {
        nullable: true,
        description: 'Default: the first measure, largest first. Ties are broken by the dimensions, ascending.',
      })
      _orderBy: unknown,
      @Arg('having', () => types.Having, {
        nullable: true,
        description: 'Which groups to keep; the rest go to `other`.',
      })
      _having: unknown,
      @Arg('first', () => Int, { defaultValue: 10, description: 'Groups on a page, from 1 to 1000.' }) _first: unknown,
      @Arg('after', () => String, { nullable: true, description: 'endCursor of the page before.' }) _after: unknown,
      @Root() view: ReportView,
      @Info() info: GraphQLResolveInfo,
    ): object {
      const arguments_ = readBreakdownArguments(readResolvedArguments(info))
      const { request, answer } = pickAnswer(view.request.breakdowns, view.answer.breakdowns, arguments_)
      return viewBreakdown(definition, request, answer)
    }

    @FieldResolver(() => ComparisonType, { nullable: true, description: 'The same question over an earlier range.' })
    compare(@Arg('to', () => ComparisonEnum) to: Comparison, @Root() view: ReportView): ComparisonView {
      const { request, answer } = pickAnswer(view.request.compares, view.answer.compares, { to })
      return viewComparison(request, answer)
    }
  }

  @Resolver(() => ComparisonType)
  class ComparisonResolver {
    @FieldResolver(() => types.Measures, { nullable: true })
    totals(@Root() view: ComparisonView): Measures {
      return requireTotals(view.answer.totals)
    }

    @FieldResolver(() => [PointType], { nullable: true, description: 'Pairs by position with the series compared.' })
    series(
      @Arg('granularity', () => GranularityEnum) granularity: Granularity,
      @Arg('fill', () => Boolean, { defaultValue: true, description: FILL }) fill: boolean,
      @Root() view: ComparisonView,
    ): readonly Point[] {
      return pickAnswer(view.request.series, view.answer.series, { granularity, fill }).answer
    }
  }

  @Resolver(() => Group)
  class GroupResolver {
    @FieldResolver(() => [PointType], { nullable: true, description: 'The group’s measures bucket by bucket.' })
    series(
      @Arg('granularity', () => GranularityEnum) granularity: Granularity,
      @Arg('fill', () => Boolean, { defaultValue: true, description: FILL }) fill: boolean,
      @Root() { [ANSWERED]: { request, answer } }: GroupView,
    ): readonly Point[] {
      return pickAnswer(request.series, answer.series, { granularity, fill }).answer
    }

    @FieldResolver(() => types.Measures, { nullable: true, description: 'The same group in the earlier range.' })
    compare(
      @Arg('to', () => ComparisonEnum) to: Comparison,
      @Root() { [ANSWERED]: { request, answer } }: GroupView,
    ): Measures {
      return pickAnswer(request.compares, answer.compares, { to }).answer
    }
  }

  @Resolver(() => Other)
  class OtherResolver {
    @FieldResolver(() => [PointType], { nullable: true, description: 'The measures of the rest bucket by bucket.' })
    series(
      @Arg('granularity', () => GranularityEnum) granularity: Granularity,
      @Arg('fill', () => Boolean, { defaultValue: true, description: FILL }) fill: boolean,
      @Root() other: OtherView,
    ): readonly Point[] {
      return pickAnswer(other.requests, other.series, { granularity, fill }).answer
    }
  }
  return [ReportResolver, ComparisonResolver, GroupResolver, OtherResolver]
}
