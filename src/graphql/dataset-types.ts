import { Field, Float, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql'
import type { Definition, DimensionType, MeasureDefinition, ValueType } from '../dataset/definition'
import { IMPLIED_DIMENSIONS } from '../dataset/implied-dimension'
import { filterOf, NumberFilter } from './filter-types'
import { enumOf } from './names'
import { DateScalar, DateTimeScalar, SafeIntScalar } from './scalars'
import { DirectionEnum, PageInfo, ReportMeta } from './shared-types'

type Class = new () => object
type TypeOf = () => Class | object

/** The GraphQL types of one dataset: classes that type-graphql builds them from. */
export interface DatasetTypes {
  readonly Report: Class
  readonly Measures: Class
  readonly Point: Class
  readonly Comparison: Class
  readonly GroupConnection: Class
  readonly Group: Class
  readonly Other: Class
  readonly Where: Class
  readonly Having: Class
  readonly Order: Class
  readonly Dimension: object
}

const VALUE_TYPES: Readonly<Record<ValueType, object>> = {
  SafeInt: SafeIntScalar,
  Float,
  String,
  Date: DateScalar,
  DateTime: DateTimeScalar,
}

function dimensionScalar(type: DimensionType): object {
  if (type === 'integer') return Int
  if (type === 'boolean') return Boolean
  return type === 'date' ? DateScalar : String
}

/** Says what a measure is, and in which unit, where explorers and generated code show it. */
function describe(measure: MeasureDefinition): string {
  const text = measure.description ?? measure.label
  return measure.unit === null ? text : `${text}. Unit: ${measure.unit}`
}

/** Declared and implied dimensions, with their types and descriptions. */
function dimensionFields(definition: Definition): { name: string; type: DimensionType; description: string }[] {
  return [
    ...definition.dimensions.map(({ name, type, description, label }) => ({
      name,
      type,
      description: description ?? label,
    })),
    ...Object.entries(IMPLIED_DIMENSIONS).map(([name, { description }]) => ({
      name,
      type: 'integer' as const,
      description,
    })),
  ]
}

/** Creates an object type, named after the dataset, whose fields are added with `addField`. */
function createType(name: string, description: string): Class {
  const type = class {}
  ObjectType(name, { description, simpleResolvers: true })(type)
  return type
}

function createInput(name: string, description: string): Class {
  const type = class {}
  InputType(name, { description })(type)
  return type
}

function addField(
  type: Class,
  name: string,
  typeOf: TypeOf,
  options: { nullable?: boolean; description?: string } = {},
): void {
  // type-graphql takes classes, scalars and enums alike here, but its own type for them is not exported.
  Field(typeOf as () => typeof String, options)(type.prototype, name)
}

function createOutputs(definition: Definition) {
  const { className: prefix, measures } = definition
  const Measures = createType(`${prefix}Measures`, 'Values of the measures.')
  for (const measure of measures) {
    const { type, nullable } = measure.algebra
    addField(Measures, measure.name, () => VALUE_TYPES[type], { nullable, description: describe(measure) })
  }

  const Point = createType(`${prefix}Point`, 'One bucket of a series.')
  addField(Point, 'start', () => DateTimeScalar, { description: 'Start of the whole bucket.' })
  addField(Point, 'end', () => DateTimeScalar, { description: 'End of the whole bucket, not part of it.' })
  addField(Point, 'date', () => DateScalar, {
    nullable: true,
    description: 'Local date of a bucket of a day or longer.',
  })
  addField(Point, 'partial', () => Boolean, {
    description: 'Whether the bucket lies only partly inside the range, or is not over yet.',
  })
  addField(Point, 'measures', () => Measures)

  const Comparison = createType(`${prefix}Comparison`, 'The same question over an earlier range.')
  addField(Comparison, 'meta', () => ReportMeta)
  addField(Comparison, 'totals', () => Measures, { nullable: true })

  const Group = createType(`${prefix}Group`, 'The rows that share a value of every dimension asked for.')
  addField(Group, 'key', () => String, { description: 'Identifies the group within its breakdown.' })
  for (const { name, type, description } of dimensionFields(definition)) {
    addField(Group, name, () => dimensionScalar(type), { nullable: true, description })
  }
  addField(Group, 'measures', () => Measures)

  const GroupEdge = createType(`${prefix}GroupEdge`, 'A group and its place.')
  addField(GroupEdge, 'cursor', () => String)
  addField(GroupEdge, 'node', () => Group)

  const Other = createType(`${prefix}Other`, 'Everything that is on neither this page nor an earlier one.')
  addField(Other, 'measures', () => Measures)

  const GroupConnection = createType(`${prefix}GroupConnection`, 'A page of groups.')
  addField(GroupConnection, 'nodes', () => [Group])
  addField(GroupConnection, 'edges', () => [GroupEdge])
  addField(GroupConnection, 'pageInfo', () => PageInfo)
  addField(GroupConnection, 'totalCount', () => Int, { description: 'Number of groups on all pages.' })
  addField(GroupConnection, 'other', () => Other, { nullable: true, description: 'Null when nothing is left.' })

  const Report = createType(`${prefix}Report`, definition.description ?? definition.label)
  addField(Report, 'id', () => ID, { description: 'Identifies question, range, scope and version, for client caches.' })
  addField(Report, 'meta', () => ReportMeta)
  addField(Report, 'totals', () => Measures, { nullable: true })
  return { Report, Measures, Point, Comparison, GroupConnection, Group, Other }
}

function createInputs(definition: Definition) {
  const { className: prefix } = definition
  const dimensions = dimensionFields(definition)
  const Where = createInput(`${prefix}Where`, 'All of the given conditions must hold.')
  for (const { name, type, description } of dimensions) {
    addField(Where, name, () => filterOf(type), { nullable: true, description })
  }
  addField(Where, 'and', () => [Where], { nullable: true, description: 'All must hold; an empty list holds.' })
  addField(Where, 'or', () => [Where], {
    nullable: true,
    description: 'At least one must hold; an empty list never does.',
  })
  addField(Where, 'not', () => Where, { nullable: true, description: 'The exact complement.' })

  const Having = createInput(`${prefix}Having`, 'Keeps the groups whose measures compare as given.')
  for (const measure of definition.measures) {
    const isNumber = measure.algebra.type === 'SafeInt' || measure.algebra.type === 'Float'
    if (isNumber) addField(Having, measure.name, () => NumberFilter, { nullable: true, description: describe(measure) })
  }

  const names = dimensions.map((dimension) => dimension.name)
  const Dimension = enumOf(names)
  registerEnumType(Dimension, {
    name: `${prefix}Dimension`,
    valuesConfig: Object.fromEntries(
      dimensions.map(({ name, description }) => [Object.keys(enumOf([name]))[0] ?? name, { description }]),
    ),
  })
  const OrderField = enumOf([...definition.measures.map((measure) => measure.name), ...names])
  registerEnumType(OrderField, { name: `${prefix}OrderField` })
  const Order = createInput(`${prefix}Order`, 'Remaining ties are broken by the dimensions, ascending.')
  addField(Order, 'field', () => OrderField)
  Field(() => DirectionEnum, { defaultValue: 'desc' })(Order.prototype, 'direction')
  return { Where, Having, Dimension, Order }
}

/** Creates the types of a dataset. Fields with arguments are added by its resolvers. */
export function createDatasetTypes(definition: Definition): DatasetTypes {
  return { ...createOutputs(definition), ...createInputs(definition) }
}
