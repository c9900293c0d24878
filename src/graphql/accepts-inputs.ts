import {
  type ConstValueNode,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isTypeSubTypeOf,
  Kind,
  type NameNode,
  type ObjectValueNode,
  type ValueNode,
} from 'graphql'

/** A variable as its operation declares it. */
export interface Declaration {
  readonly type: GraphQLInputType
  readonly defaultValue: ConstValueNode | undefined
}

/** What values are read against. */
export interface Inputs {
  readonly schema: GraphQLSchema
  /** Those of the operation being read. */
  readonly variables: Map<string, Declaration>
  /** Names of the variables met in the operation. */
  readonly used: Set<string>
  /** How much more may be read before the document is one for graphql-js. */
  budget: number
}

/** Where a value may stand: an argument, a field of an input object, an item of a list, the default of a variable. */
export interface Place {
  readonly type: GraphQLInputType
  readonly defaultValue?: unknown
}

interface NamedPlace extends Place {
  readonly name: string
}

interface NamedValue {
  readonly name: NameNode
  readonly value: ValueNode
}

/**
 * Tells whether each value has a place of its name, no two the same, and no place that needs a value is left empty.
 */
export function acceptsAll(inputs: Inputs, places: readonly NamedPlace[], values: readonly NamedValue[]): boolean {
  if (values.length > places.length) return false
  let filled = 0
  for (const place of places) {
    const own = values.find(({ name }) => name.value === place.name)
    if (own === undefined) {
      if (isNonNullType(place.type) && place.defaultValue === undefined) return false
      continue
    }
    if (!acceptsValue(inputs, place, own.value)) return false
    filled += 1
  }
  // The second of a name, and one that no place has, fill none.
  return filled === values.length
}

/** Tells whether a value, or the values that a variable may have, are of the type of a place. */
export function acceptsValue(inputs: Inputs, place: Place, value: ValueNode): boolean {
  inputs.budget -= 1
  if (inputs.budget < 0) return false
  switch (value.kind) {
    case Kind.VARIABLE:
      return acceptsVariable(inputs, place, value.name.value)
    case Kind.NULL:
      return !isNonNullType(place.type)
    case Kind.LIST: {
      const type = getNullableType(place.type)
      return isListType(type) && value.values.every((item) => acceptsValue(inputs, { type: type.ofType }, item))
    }
    case Kind.OBJECT:
      return acceptsObject(inputs, place, value)
    default:
      return acceptsLeaf(place, value)
  }
}

/** As IsVariableUsageAllowed of the specification has it, section 5.8.5. */
function acceptsVariable({ schema, variables, used }: Inputs, place: Place, name: string): boolean {
  const variable = variables.get(name)
  if (variable === undefined) return false
  used.add(name)
  if (!isNonNullType(place.type) || isNonNullType(variable.type)) {
    return isTypeSubTypeOf(schema, variable.type, place.type)
  }
  const hasDefault = variable.defaultValue !== undefined && variable.defaultValue.kind !== Kind.NULL
  if (!hasDefault && place.defaultValue === undefined) return false
  return isTypeSubTypeOf(schema, variable.type, place.type.ofType)
}

/** An object may stand for a list of one, and for a list of a list of one. */
function acceptsObject(inputs: Inputs, place: Place, { fields }: ObjectValueNode): boolean {
  const type = getNamedType(place.type)
  if (!isInputObjectType(type)) return false
  // Counted twice: a level of objects takes more of the stack than one of fields.
  inputs.budget -= 1
  if (type.isOneOf) {
    const [only] = fields
    if (only === undefined || fields.length > 1 || only.value.kind === Kind.NULL) return false
    if (only.value.kind === Kind.VARIABLE && !isNonNullType(inputs.variables.get(only.value.name.value)?.type)) {
      return false
    }
  }
  return acceptsAll(inputs, Object.values(type.getFields()), fields)
}

/** A leaf may stand for a list of one as well. Scalars throw at what they do not take. */
function acceptsLeaf(place: Place, value: ValueNode): boolean {
  const type = getNamedType(place.type)
  try {
    return isLeafType(type) && type.parseLiteral(value, undefined) !== undefined
  } catch {
    return false
  }
}
