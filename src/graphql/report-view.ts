import type { Definition } from '../dataset/definition'
import { IMPLIED_DIMENSIONS } from '../dataset/implied-dimension'
import {
  type Breakdown,
  type ComparisonAnswer,
  type Group,
  type Point,
  type ReportAnswer,
  type Settled,
  unwrap,
} from '../report/answer'
import type { BreakdownRequest, CompareRequest, ReportRequest, SeriesRequest } from '../report/request'

/** Something answered beside the request that asked for it: what the resolvers of the fields below look into. */
interface Answered<Request, Answer> {
  readonly request: Request
  readonly answer: Answer
}

/** Finds what was answered to a field by the arguments that were asked with. Throws the part's error if it failed. */
export function pickAnswer<Request extends object, Answer>(
  requests: readonly Request[],
  answers: readonly Settled<Answer>[],
  arguments_: object,
): Answered<Request, Answer> {
  // Texts, not canonical ones: an argument that will be refused, such as an infinite number, has none.
  const wanted = JSON.stringify(arguments_)
  const index = requests.findIndex((request) => {
    const asked = Object.fromEntries(Object.keys(arguments_).map((name) => [name, Reflect.get(request, name)]))
    return JSON.stringify(asked) === wanted
  })
  const request = requests[index]
  const answer = answers[index]
  if (request === undefined || answer === undefined) {
    throw new Error('A field was resolved that the request did not ask for')
  }
  return { request, answer: unwrap(answer) }
}

export interface ReportView extends Answered<ReportRequest, ReportAnswer> {
  readonly id: string
  readonly meta: ReportAnswer['meta']
}

export function viewReport(request: ReportRequest, answer: ReportAnswer): ReportView {
  return {
    get id() {
      return answer.identify()
    },
    meta: answer.meta,
    request,
    answer,
  }
}

export interface ComparisonView extends Answered<CompareRequest, ComparisonAnswer> {
  readonly meta: ComparisonAnswer['meta']
}

export function viewComparison(request: CompareRequest, answer: ComparisonAnswer): ComparisonView {
  return { meta: answer.meta, request, answer }
}

/** Where a group keeps what its fields look into: a symbol, since its other members have the names of dimensions. */
export const ANSWERED = Symbol('answered')

export interface GroupView {
  readonly [ANSWERED]: Answered<BreakdownRequest, Group>
}

export interface OtherView {
  readonly measures: Group['measures']
  readonly requests: readonly SeriesRequest[]
  readonly series: readonly Settled<readonly Point[]>[]
}

function viewGroup(definition: Definition, request: BreakdownRequest, group: Group): GroupView {
  const absent = [...definition.dimensions.map(({ name }) => name), ...Object.keys(IMPLIED_DIMENSIONS)]
  return {
    ...Object.fromEntries(absent.map((name) => [name, null])),
    ...group.dimensions,
    ...{ key: group.key, measures: group.measures },
    [ANSWERED]: { request, answer: group },
  }
}

/** A page of groups in the shape of a connection. */
export function viewBreakdown(definition: Definition, request: BreakdownRequest, answer: Breakdown): object {
  const nodes = answer.groups.map((group) => viewGroup(definition, request, group))
  const cursors = answer.groups.map((group) => group.cursor)
  const other: OtherView | null = answer.other && {
    measures: answer.other.measures,
    requests: request.other?.series ?? [],
    series: answer.other.series,
  }
  return {
    nodes,
    edges: nodes.map((node, index) => ({ node, cursor: cursors[index] })),
    pageInfo: {
      hasNextPage: answer.hasNext,
      hasPreviousPage: answer.hasPrevious,
      startCursor: cursors[0] ?? null,
      endCursor: cursors.at(-1) ?? null,
    },
    totalCount: answer.totalCount,
    other,
  }
}
