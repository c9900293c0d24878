import fc from 'fast-check'
import {
  type ASTNode,
  type DocumentNode,
  type GraphQLSchema,
  Kind,
  OperationTypeNode,
  parse,
  print,
  printSchema,
  visit,
} from 'graphql'

/** What no valid document holds, or ours do not. */
const ODDITIES = parse(`
  query Odd($one: Int, $two: [Unit!]! = [DAY], $three: Point, $four: String! = null) @note {
    a: tick(at: [1, null, [2], 99999999999], id: $one) @include(if: $one) @skip(if: true) @include(if: null)
    __schema { __typename }
    __typename
    x: point(a: {}, b: { c: $two, a: null }, d: 1.5, e: "2001-03-01", f: -1, g: YEAR) { ... on Named { name @note(text: "x") } ...One }
  }
  fragment One on Point @note { x: name ...One }
  type Odd { odd: Int }
`)

/** Chooses one of a list that is not empty. */
type Choose = <Item>(list: readonly Item[]) => Item

function listNodes(document: ASTNode): ASTNode[] {
  const nodes: ASTNode[] = []
  visit(document, { enter: (node) => void nodes.push(node) })
  return nodes
}

const isValue = ({ kind }: ASTNode) => kind.endsWith('Value') || kind === Kind.VARIABLE
const isSelection = ({ kind }: ASTNode) => kind === Kind.FIELD || kind.includes('Fragment')

/** Puts one more node at the end of a list of a node. What is not of the list's kind, `parse` refuses afterwards. */
function append(node: ASTNode, key: string, more: ASTNode): ASTNode {
  const list: unknown = Object.entries(node).find(([name]) => name === key)?.[1]
  return { ...node, [key]: [...(Array.isArray(list) ? list : []), more] } as ASTNode
}

/** Changes a node a little, so that it mostly remains one that may stand there. Null takes it away. */
function change(node: ASTNode, choose: Choose, donors: readonly ASTNode[], names: readonly string[]): ASTNode | null {
  const one = (...kinds: readonly string[]) => choose(donors.filter(({ kind }) => kinds.includes(kind)))
  if (choose([true, false, false]) && node.kind !== Kind.NAME) {
    const same = donors.filter((donor) => donor.kind === node.kind || (isValue(donor) && isValue(node)))
    return choose([null, choose(same)])
  }
  switch (node.kind) {
    case Kind.NAME:
      return { ...node, value: choose(names) }
    case Kind.DOCUMENT:
      return append(
        node,
        'definitions',
        choose([...donors.filter(({ kind }) => kind.endsWith('Definition')), ...node.definitions]),
      )
    case Kind.OPERATION_DEFINITION:
      return choose([
        append(node, 'variableDefinitions', one(Kind.VARIABLE_DEFINITION)),
        append(node, 'directives', one(Kind.DIRECTIVE)),
        { ...node, operation: choose(Object.values(OperationTypeNode)) },
        { ...node, name: undefined },
      ])
    case Kind.SELECTION_SET:
      return append(
        node,
        'selections',
        choose([
          choose(donors.filter(isSelection)),
          ...node.selections,
          { kind: Kind.INLINE_FRAGMENT, selectionSet: node },
        ]),
      )
    case Kind.FIELD:
      return choose([
        append(node, 'arguments', choose([one(Kind.ARGUMENT), ...(node.arguments ?? [])])),
        append(node, 'directives', choose([one(Kind.DIRECTIVE), ...(node.directives ?? [])])),
        { ...node, alias: choose([undefined, { kind: Kind.NAME, value: choose(names) } as const]) },
        { ...node, selectionSet: undefined },
      ])
    case Kind.INLINE_FRAGMENT:
    case Kind.FRAGMENT_SPREAD:
    case Kind.FRAGMENT_DEFINITION:
      return append(node, 'directives', one(Kind.DIRECTIVE))
    case Kind.VARIABLE_DEFINITION:
      return choose([
        { ...node, defaultValue: undefined },
        // Variables among them, `parse` refuses afterwards.
        { ...node, defaultValue: choose(donors.filter(isValue)) } as ASTNode,
        append(node, 'directives', one(Kind.DIRECTIVE)),
      ])
    case Kind.NAMED_TYPE:
      return choose([
        { kind: Kind.NON_NULL_TYPE, type: node },
        { kind: Kind.LIST_TYPE, type: node },
      ] as const)
    case Kind.NON_NULL_TYPE:
    case Kind.LIST_TYPE:
      return node.type
    case Kind.OBJECT:
      return append(node, 'fields', choose([one(Kind.OBJECT_FIELD), ...node.fields]))
    default:
      return isValue(node) ? ({ kind: Kind.LIST, values: [node] } as ASTNode) : node
  }
}

/** Changes one node of a document, wherever; the same document where that is none that can be written. */
function mutate(
  document: DocumentNode,
  choose: Choose,
  donors: readonly ASTNode[],
  names: readonly string[],
): DocumentNode {
  const nodes = listNodes(document)
  const own = nodes.flatMap((node) => (node.kind === Kind.NAME ? [node.value] : []))
  const changed = choose(nodes)
  // On the way out, lest what takes the node's place be changed again.
  const leave = (node: ASTNode) => (node === changed ? change(node, choose, donors, choose([own, names])) : undefined)
  try {
    return parse(print(visit(document, { leave })))
  } catch {
    return document
  }
}

/** Documents that differ from some of the given, valid ones in one to four nodes. */
export function mutantsOf(texts: readonly string[], schema: GraphQLSchema): fc.Arbitrary<string> {
  const documents = texts.map((text) => parse(text))
  const donors = [...documents, ODDITIES].flatMap(listNodes)
  const names = listNodes(parse(printSchema(schema))).flatMap((node) => (node.kind === Kind.NAME ? [node.value] : []))
  return fc.gen().map((g) => {
    const choose: Choose = (list) => list[g(fc.nat, { max: list.length - 1 })] as (typeof list)[number]
    let document = choose(documents)
    for (let left = choose([1, 1, 2, 3, 4]); left > 0; left -= 1) document = mutate(document, choose, donors, names)
    return print(document)
  })
}
