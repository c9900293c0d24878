import type { ApolloServerPlugin } from '@apollo/server'
import { getVariableValues } from 'graphql'
import type { Definition } from '../dataset/definition'
import { AggregraphError, NotAQueryError, TooComplexError } from '../errors'
import { countPoints } from '../report/count-points'
import type { GraphQLContext } from './context'
import { readDocument, readReportRequest, selectRoot } from './read-request'

/** Most points that one operation may answer with. */
export const MOST_POINTS = 10_000

/** Creates the plugin that refuses, before anything is read, an operation that would answer with too many points. */
export function createPointsLimit(definitions: readonly Definition[]): ApolloServerPlugin<GraphQLContext> {
  return {
    requestDidStart: async () => ({
      didResolveOperation: async ({ schema, document, operation, request, contextValue: { session } }) => {
        if (operation?.operation !== 'query') throw new NotAQueryError()
        const { coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], request.variables ?? {})
        // Variables that do not coerce are refused by the executor, which names them.
        if (coerced === undefined) return
        const reading = readDocument(schema, document, coerced)
        let points = 0
        for (const field of selectRoot(reading, operation)) {
          const definition = definitions.find(({ name }) => name === field.name)
          if (definition === undefined) continue
          const asked = readReportRequest(reading, definition, field)
          if (asked.series.length + asked.breakdowns.length + asked.compares.length === 0) continue
          const state = await session.state(definition).catch((error: unknown) => {
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
