import type { ApolloServerPlugin } from '@apollo/server'
import { type FieldNode, getVariableValues } from 'graphql'
import type { Definition } from '../dataset/definition'
import { AggregraphError, NotAQueryError, TooComplexError } from '../errors'
import { countPoints } from '../report/count-points'
import type { ReportRequest } from '../report/request'
import type { GraphQLContext } from './context'
import { readDocument, readReportRequest, selectRoot } from './read-request'

/** Most points that one operation may answer with. */
export const MOST_POINTS = 10_000

/**
 * Creates the plugin that refuses, before anything is read, an operation that would answer with too many points. What it
 * has read of the operation it leaves to the resolvers.
 */
export function createPointsLimit(definitions: readonly Definition[]): ApolloServerPlugin<GraphQLContext> {
  return {
    requestDidStart: async () => ({
      didResolveOperation: async ({ schema, document, operation, request, contextValue }) => {
        if (operation?.operation !== 'query') throw new NotAQueryError()
        const { coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], request.variables ?? {})
        // Variables that do not coerce are refused by the executor, which names them.
        if (coerced === undefined) return
        const { session } = contextValue
        const reading = readDocument(schema, document, coerced)
        const requests = new Map<FieldNode, ReportRequest>()
        contextValue.requests = requests
        let points = 0
        for (const field of selectRoot(reading, operation)) {
          const definition = definitions.find(({ name }) => name === field.name)
          if (definition === undefined) continue
          const asked = readReportRequest(reading, definition, field)
          const [node] = field.nodes
          if (node !== undefined) requests.set(node, asked)
          if (asked.series.length + asked.breakdowns.length + asked.compares.length === 0) continue
          const state = await session.estimate(definition).catch((error: unknown) => {
            // A dataset that cannot be asked now says so where it is resolved.
            if (error instanceof AggregraphError) return null
            throw error
          })
          if (state !== null) points += countPoints(definition, asked, state, session.asking)
        }
        if (points > MOST_POINTS) throw new TooComplexError('points', MOST_POINTS, points)
      },
    }),
  }
}
