import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql'

/** How large one operation is with its fragments written out. */
export interface OperationSize {
  /** Fields inside one another. */
  readonly depth: number
  /** Fields that are given another name, `__typename` among them. */
  readonly aliases: number
  readonly selections: number
}

const NOTHING: OperationSize = { depth: 0, aliases: 0, selections: 0 }

function add(a: OperationSize, b: OperationSize): OperationSize {
  return {
    depth: Math.max(a.depth, b.depth),
    aliases: a.aliases + b.aliases,
    selections: a.selections + b.selections,
  }
}

/**
 * Measures the largest operation of a document, before it is known to be valid. Each fragment is measured once, so the
 * cost is that of reading the document even where fragments double one another. A fragment inside itself counts as
 * nothing there: validation refuses it.
 */
export function measureOperations(document: DocumentNode): OperationSize {
  const fragments = new Map<string, FragmentDefinitionNode>()
  const operations: OperationDefinitionNode[] = []
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
    if (definition.kind === Kind.OPERATION_DEFINITION) operations.push(definition)
  }
  const measured = new Map<string, OperationSize>()

  function measureFragment(name: string): OperationSize {
    const known = measured.get(name)
    if (known !== undefined) return known
    measured.set(name, NOTHING)
    const fragment = fragments.get(name)
    const size = fragment === undefined ? NOTHING : measureSet(fragment.selectionSet)
    measured.set(name, size)
    return size
  }

  // Recursion is as deep as the parser's was, which the limit on tokens bounds.
  function measureSet(set: SelectionSetNode | undefined): OperationSize {
    let size = NOTHING
    for (const selection of set?.selections ?? []) {
      if (selection.kind === Kind.FIELD) {
        const inside = measureSet(selection.selectionSet)
        const own = { depth: inside.depth + 1, aliases: selection.alias === undefined ? 0 : 1, selections: 1 }
        size = add(size, { ...own, aliases: own.aliases + inside.aliases, selections: 1 + inside.selections })
      } else if (selection.kind === Kind.FRAGMENT_SPREAD) {
        size = add(size, measureFragment(selection.name.value))
      } else {
        size = add(size, measureSet(selection.selectionSet))
      }
    }
    return size
  }

  const sizes = operations.map((operation) => measureSet(operation.selectionSet))
  return {
    depth: Math.max(0, ...sizes.map((size) => size.depth)),
    aliases: Math.max(0, ...sizes.map((size) => size.aliases)),
    selections: Math.max(0, ...sizes.map((size) => size.selections)),
  }
}

/** Lists the literals of a document: the value of every argument, and the defaults of variables. */
export function listLiterals(document: DocumentNode): readonly ValueNode[] {
  const literals: ValueNode[] = []

  function addArguments({ arguments: given = [] }: DirectiveNode | FieldNode): void {
    for (const { value } of given) literals.push(value)
  }

  function addSelections({ selections }: SelectionSetNode): void {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) addArguments(selection)
      selection.directives?.forEach(addArguments)
      if (selection.kind !== Kind.FRAGMENT_SPREAD && selection.selectionSet) addSelections(selection.selectionSet)
    }
  }

  for (const definition of document.definitions) {
    // Definitions of types are refused whatever they hold.
    if (definition.kind !== Kind.OPERATION_DEFINITION && definition.kind !== Kind.FRAGMENT_DEFINITION) continue
    for (const { defaultValue, directives } of definition.variableDefinitions ?? []) {
      if (defaultValue !== undefined) literals.push(defaultValue)
      directives?.forEach(addArguments)
    }
    definition.directives?.forEach(addArguments)
    addSelections(definition.selectionSet)
  }
  return literals
}
