import {
  type ASTNode,
  type ASTVisitFn,
  type ASTVisitor,
  BREAK,
  type DocumentNode,
  type GraphQLSchema,
  getEnterLeaveForKind,
  TypeInfo,
  ValidationContext,
  type ValidationRule,
  visit,
  visitWithTypeInfo,
} from 'graphql'

/** What a visitor does at nodes of one kind, with its place among all. */
interface Step {
  readonly place: number
  readonly visitor: ASTVisitor
  readonly call: ASTVisitFn<ASTNode>
}

interface Steps {
  readonly enter: readonly Step[]
  readonly leave: readonly Step[]
}

function listSteps(visitors: readonly ASTVisitor[], kind: ASTNode['kind']): Steps {
  const enter: Step[] = []
  const leave: Step[] = []
  for (const [place, visitor] of visitors.entries()) {
    const own = getEnterLeaveForKind(visitor, kind)
    if (own.enter) enter.push({ place, visitor, call: own.enter })
    if (own.leave) leave.push({ place, visitor, call: own.leave })
  }
  return { enter, leave }
}

/**
 * Joins visitors that only look, as graphql-js' `visitInParallel` does, but asks each what it does at a kind of node when
 * the first of that kind comes: a document has some ten of some fifty kinds, and asking about all of them, for every rule
 * anew, is half of what `validate` does.
 */
function joinVisitors(visitors: readonly ASTVisitor[]): ASTVisitor {
  const known = new Map<ASTNode['kind'], Steps>()
  /** The node below which a visitor does not want to look, or BREAK. */
  const skipped: unknown[] = new Array(visitors.length).fill(null)

  function stepsOf(kind: ASTNode['kind']): Steps {
    const steps = known.get(kind) ?? listSteps(visitors, kind)
    known.set(kind, steps)
    return steps
  }

  return {
    enter(node, key, parent, path, ancestors) {
      for (const { place, visitor, call } of stepsOf(node.kind).enter) {
        if (skipped[place] !== null) continue
        const wish: unknown = call.call(visitor, node, key, parent, path, ancestors)
        if (wish === false) skipped[place] = node
        else if (wish === BREAK) skipped[place] = BREAK
      }
    },
    leave(node, key, parent, path, ancestors) {
      for (const { place, visitor, call } of stepsOf(node.kind).leave) {
        if (skipped[place] !== null) continue
        if (call.call(visitor, node, key, parent, path, ancestors) === BREAK) skipped[place] = BREAK
      }
      for (const { place } of stepsOf(node.kind).enter) if (skipped[place] === node) skipped[place] = null
    },
  }
}

/** Ends a validation at the first error. */
const INVALID = new Error('The document is not valid')

/** Tells whether a document is valid, in half the time that `validate` takes to say why not. */
export function isValidDocument(
  schema: GraphQLSchema,
  document: DocumentNode,
  rules: readonly ValidationRule[],
): boolean {
  const types = new TypeInfo(schema)
  const context = new ValidationContext(schema, document, types, () => {
    throw INVALID
  })
  try {
    visit(document, visitWithTypeInfo(types, joinVisitors(rules.map((rule) => rule(context)))))
    return true
  } catch (error) {
    if (error === INVALID) return false
    throw error
  }
}
