import type { ApolloServerPlugin, BaseContext } from '@apollo/server'
import { type DocumentNode, GraphQLError, type ValidationRule } from 'graphql'
import { TooComplexError } from '../errors'
import { type InputSize, measureJson, measureLiteral } from './input-size'
import { listLiterals, measureOperations } from './operation-size'

/** What one operation may be, checked before it is executed. Each is the largest number allowed. */
export interface OperationLimits {
  /** Lexical tokens of the document. */
  readonly tokens: number
  /** Fields inside one another. */
  readonly depth: number
  readonly aliases: number
  /** Fields, fragments written out. */
  readonly selections: number
  /** Input objects inside one another, in the value of one variable or argument. */
  readonly inputLevels: number
  /** Input objects in the value of one variable or argument. */
  readonly inputNodes: number
  /** Items of one list. */
  readonly inputItems: number
}

/** GraphiQL's own question for the schema is 14 deep. */
export const DEFAULT_LIMITS: OperationLimits = {
  tokens: 2_000,
  depth: 15,
  aliases: 100,
  selections: 2_000,
  inputLevels: 8,
  inputNodes: 200,
  inputItems: 1_000,
}

function findExcess(
  measures: readonly (readonly [what: string, limit: number, actual: number])[],
): TooComplexError | null {
  const excess = measures.find(([, limit, actual]) => actual > limit)
  if (excess === undefined) return null
  const [what, limit, actual] = excess
  return new TooComplexError(what, limit, Math.min(actual, Number.MAX_SAFE_INTEGER))
}

function checkInput({ levels, nodes, items }: InputSize, limits: OperationLimits): TooComplexError | null {
  return findExcess([
    ['levels of input objects', limits.inputLevels, levels],
    ['input objects in one value', limits.inputNodes, nodes],
    ['items in one list', limits.inputItems, items],
  ])
}

/** Finds what makes a document too large, if anything; the document need not be valid. */
export function checkDocument(document: DocumentNode, limits: OperationLimits): TooComplexError | null {
  const { depth, aliases, selections } = measureOperations(document)
  const excess = findExcess([
    ['levels of fields', limits.depth, depth],
    ['aliases', limits.aliases, aliases],
    ['fields', limits.selections, selections],
  ])
  if (excess !== null) return excess
  for (const literal of listLiterals(document)) {
    const tooLarge = checkInput(measureLiteral(literal), limits)
    if (tooLarge !== null) return tooLarge
  }
  return null
}

/** Finds the first variable that is too large, if any. */
export function checkVariables(
  variables: Readonly<Record<string, unknown>>,
  limits: OperationLimits,
): TooComplexError | null {
  for (const value of Object.values(variables)) {
    const excess = checkInput(measureJson(value), limits)
    if (excess !== null) return excess
  }
  return null
}

/**
 * Creates the rule that refuses documents which are too large. It is a validation rule and not a hook because its
 * verdict is of the document alone, so Apollo Server's store of validated documents remembers it.
 */
export function createLimitsRule(limits: OperationLimits): ValidationRule {
  return (context) => ({
    Document: {
      enter: (document) => {
        const excess = checkDocument(document, limits)
        if (excess !== null) context.reportError(new GraphQLError(excess.message, { originalError: excess }))
      },
    },
  })
}

/** Creates the plugin that refuses variables which are too large, before GraphQL, which recurses, coerces them. */
export function createVariableLimits(limits: OperationLimits): ApolloServerPlugin<BaseContext> {
  return {
    requestDidStart: async () => ({
      didResolveOperation: async ({ request }) => {
        const excess = checkVariables(request.variables ?? {}, limits)
        if (excess !== null) throw excess
      },
    }),
  }
}
