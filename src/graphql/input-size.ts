import { Kind, type ValueNode } from 'graphql'

/**
 * How large one input value is. A node is an object, save one that is the value of a field and holds no further object:
 * `{ origin: { eq: "JFK" } }` is one node, `{ not: { origin: { eq: "JFK" } } }` two. Items of a list are not nodes.
 */
export interface InputSize {
  /** Nodes and lists of lists inside one another. */
  readonly levels: number
  readonly nodes: number
  /** Items of the longest list. */
  readonly items: number
}

type Opened<Value> =
  | { readonly kind: 'leaf' }
  | { readonly kind: 'list' | 'object'; readonly children: readonly Value[] }

const LEAF: Opened<never> = { kind: 'leaf' }

/** Measures a raw JSON value, however deep: without recursion. */
export function measureJson(value: unknown): InputSize {
  return measure(value, (each) => {
    if (typeof each !== 'object' || each === null) return LEAF
    return Array.isArray(each) ? { kind: 'list', children: each } : { kind: 'object', children: Object.values(each) }
  })
}

/** Measures a literal of a document; a variable in it counts as a leaf. */
export function measureLiteral(value: ValueNode): InputSize {
  return measure(value, (each: ValueNode) => {
    if (each.kind === Kind.LIST) return { kind: 'list', children: each.values }
    return each.kind === Kind.OBJECT ? { kind: 'object', children: each.fields.map((field) => field.value) } : LEAF
  })
}

function measure<Value>(root: Value, open: (value: Value) => Opened<Value>): InputSize {
  const holdsObject = (value: Value): boolean => {
    const opened = open(value)
    return (
      opened.kind === 'object' || (opened.kind === 'list' && opened.children.some((item) => open(item).kind !== 'leaf'))
    )
  }
  const pending = [{ value: root, level: 0, inside: 'nothing' }]
  let levels = 0
  let nodes = 0
  let items = 0
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, level, inside } = next
    const opened = open(value)
    if (opened.kind === 'leaf') continue
    const isNode = opened.kind === 'object' && (inside !== 'object' || opened.children.some(holdsObject))
    const isDeeper = isNode || (opened.kind === 'list' && inside === 'list')
    const reached = isDeeper ? level + 1 : level
    levels = Math.max(levels, reached)
    if (isNode) nodes += 1
    if (opened.kind === 'list') items = Math.max(items, opened.children.length)
    for (const child of opened.children) pending.push({ value: child, level: reached, inside: opened.kind })
  }
  return { levels, nodes, items }
}
