import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLIncludeDirective,
  type GraphQLObjectType,
  type GraphQLSchema,
  GraphQLSkipDirective,
  getNamedType,
  isInputType,
  isLeafType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  print,
  type SelectionSetNode,
  TypeNameMetaFieldDef,
  typeFromAST,
  type VariableDefinitionNode,
} from 'graphql'
import { acceptsAll, acceptsValue, type Inputs } from './accepts-inputs'

/** Selections and values that are read of one document, fragments written out. */
const BUDGET = 2_000
/** What a field costs that was asked for before: graphql-js compares each with each. */
const PRICE_OF_REPETITION = 20

/** What is known of the document while it is read. */
interface Reading extends Inputs {
  readonly fragments: Map<string, FragmentDefinitionNode>
  /** Names of the fragments met in any operation. */
  readonly spread: Set<string>
}

/** What an object of the answer holds, by the names it has there. */
type Answered = Map<string, Answer>

interface Answer {
  /** The first that asks for it. */
  readonly node: FieldNode
  readonly inside: Answered
}

/**
 * Tells whether a document is one of the plain sort that clients send, and valid: graphql-js' `validate` finds no error
 * of the specified rules in it. A document that is not accepted may be valid all the same. Never accepted are mutations
 * and subscriptions, introspection beyond `__typename`, interfaces and unions, other directives than `@include` and
 * `@skip`, and what would take long.
 *
 * It reads each operation once, fragments written out, so that all is settled on the way: which variables are used, and
 * whether fields that stand under one name in the answer are one. Fragments have the very type of where they stand, so
 * such fields are of one type whenever they have one name.
 */
export function isPlainlyValid(schema: GraphQLSchema, document: DocumentNode): boolean {
  const operations: OperationDefinitionNode[] = []
  const names = new Set<string | undefined>()
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const definition of document.definitions) {
    if (definition.kind === Kind.OPERATION_DEFINITION) {
      operations.push(definition)
      names.add(definition.name?.value)
    } else if (definition.kind === Kind.FRAGMENT_DEFINITION && !fragments.has(definition.name.value)) {
      fragments.set(definition.name.value, definition)
    } else {
      return false
    }
  }
  if (names.size < operations.length || (names.has(undefined) && operations.length > 1)) return false
  const spread = new Set<string>()
  const reading: Reading = { schema, fragments, spread, variables: new Map(), used: new Set(), budget: BUDGET }
  return operations.every((operation) => acceptsOperation(reading, operation)) && spread.size === fragments.size
}

function acceptsOperation(reading: Reading, operation: OperationDefinitionNode): boolean {
  const { schema, variables, used } = reading
  const root = schema.getQueryType()
  if (operation.operation !== OperationTypeNode.QUERY || !root || operation.directives?.length) return false
  variables.clear()
  used.clear()
  return (
    (operation.variableDefinitions ?? []).every((definition) => declares(reading, definition)) &&
    acceptsSelections(reading, root, operation.selectionSet, new Map()) &&
    used.size === variables.size
  )
}

/** Notes a variable, if it is one that can be. */
function declares(reading: Reading, { variable, type: written, defaultValue, directives }: VariableDefinitionNode) {
  const { schema, variables } = reading
  const type = typeFromAST(schema, written)
  if (!isInputType(type) || directives?.length || variables.has(variable.name.value)) return false
  if (defaultValue !== undefined && !acceptsValue(reading, { type }, defaultValue)) return false
  variables.set(variable.name.value, { type, defaultValue })
  return true
}

/** Reads what is selected of one object; of its fields, those that stand beside one another make one answer. */
function acceptsSelections(
  reading: Reading,
  parent: GraphQLObjectType,
  { selections }: SelectionSetNode,
  answered: Answered,
): boolean {
  for (const selection of selections) {
    reading.budget -= 1
    if (reading.budget < 0 || !acceptsDirectives(reading, selection.directives)) return false
    switch (selection.kind) {
      case Kind.FIELD:
        if (!acceptsField(reading, parent, selection, answered)) return false
        break
      case Kind.FRAGMENT_SPREAD:
        if (!acceptsSpread(reading, parent, selection.name.value, answered)) return false
        break
      case Kind.INLINE_FRAGMENT: {
        const { typeCondition, selectionSet } = selection
        if (typeCondition !== undefined && typeCondition.name.value !== parent.name) return false
        if (!acceptsSelections(reading, parent, selectionSet, answered)) return false
        break
      }
      default:
        return false
    }
  }
  return true
}

function acceptsField(reading: Reading, parent: GraphQLObjectType, node: FieldNode, answered: Answered): boolean {
  const name = node.name.value
  const field = name === TypeNameMetaFieldDef.name ? TypeNameMetaFieldDef : parent.getFields()[name]
  if (field === undefined || !acceptsAll(reading, field.args, node.arguments ?? [])) return false
  const answer = findAnswer(reading, node, answered)
  if (answer === null) return false
  const type = getNamedType(field.type)
  if (node.selectionSet === undefined) return isLeafType(type)
  return isObjectType(type) && acceptsSelections(reading, type, node.selectionSet, answer.inside)
}

/** Finds where in the answer a field stands; null where another stands. */
function findAnswer(reading: Reading, node: FieldNode, answered: Answered): Answer | null {
  const name = node.alias?.value ?? node.name.value
  const first = answered.get(name)
  if (first === undefined) {
    const answer = { node, inside: new Map() }
    answered.set(name, answer)
    return answer
  }
  reading.budget -= PRICE_OF_REPETITION
  return first.node === node || writeCall(first.node) === writeCall(node) ? first : null
}

function writeCall({ name, arguments: values = [] }: FieldNode): string {
  return [name.value, ...values.map(print)].join()
}

/** Reads a fragment where it is spread. One within itself goes on until the budget is spent. */
function acceptsSpread(reading: Reading, parent: GraphQLObjectType, name: string, answered: Answered): boolean {
  const { fragments, spread } = reading
  const fragment = fragments.get(name)
  if (fragment === undefined || fragment.typeCondition.name.value !== parent.name) return false
  if (fragment.directives?.length || fragment.variableDefinitions?.length) return false
  spread.add(name)
  // graphql-js compares each with each.
  reading.budget -= fragments.size
  return acceptsSelections(reading, parent, fragment.selectionSet, answered)
}

function acceptsDirectives(reading: Reading, directives: readonly DirectiveNode[] = []): boolean {
  const [first, second] = directives
  if (first === undefined) return true
  if (directives.length > 2 || first.name.value === second?.name.value) return false
  return directives.every(({ name, arguments: values = [] }) => {
    const directive = reading.schema.getDirective(name.value)
    if (directive !== GraphQLIncludeDirective && directive !== GraphQLSkipDirective) return false
    return acceptsAll(reading, directive.args, values)
  })
}
