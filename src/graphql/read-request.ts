import {
  type DocumentNode,
  type FieldNode,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
} from 'graphql'
import { collectFields, collectSubfields } from 'graphql/execution/collectFields'
import type { Definition } from '../dataset/definition'
import type {
  BreakdownArguments,
  BreakdownRequest,
  CompareRequest,
  OrderArgument,
  ReportRequest,
  SeriesRequest,
} from '../report/request'

/** The parts of an operation that a selection is read with. */
export type Document = Pick<GraphQLResolveInfo, 'schema' | 'fragments' | 'variableValues'>

/** A field of a selection, once per response key, with its arguments coerced. */
interface SelectedField {
  readonly name: string
  readonly nodes: readonly FieldNode[]
  readonly arguments_: Readonly<Record<string, unknown>>
  readonly type: GraphQLObjectType | null
}

function readFields(
  document: Document,
  parent: GraphQLObjectType,
  selection: ReadonlyMap<string, readonly FieldNode[]>,
): SelectedField[] {
  return [...selection.values()].flatMap((nodes) => {
    const [node] = nodes
    const field = node === undefined ? undefined : parent.getFields()[node.name.value]
    if (node === undefined || field === undefined) return [] // __typename
    const type = getNamedType(field.type)
    const arguments_ = getArgumentValues(field, node, document.variableValues)
    return [{ name: field.name, nodes, arguments_, type: isObjectType(type) ? type : null }]
  })
}

function select(document: Document, { type, nodes }: Pick<SelectedField, 'type' | 'nodes'>): SelectedField[] {
  if (type === null) return []
  const { schema, fragments, variableValues } = document
  return readFields(document, type, collectSubfields(schema, fragments, variableValues, type, nodes))
}

/** Prepares a document for reading, with its variables coerced. */
export function readDocument(
  schema: GraphQLSchema,
  document: DocumentNode,
  variableValues: Document['variableValues'],
): Document {
  const fragments = document.definitions.flatMap((part) =>
    part.kind === Kind.FRAGMENT_DEFINITION ? [[part.name.value, part]] : [],
  )
  return { schema, fragments: Object.fromEntries(fragments), variableValues }
}

/** The fields of an operation's root, with their nodes. */
export function selectRoot(document: Document, { selectionSet }: OperationDefinitionNode): SelectedField[] {
  const { schema, fragments, variableValues } = document
  const root = schema.getQueryType()
  return root ? readFields(document, root, collectFields(schema, fragments, variableValues, root, selectionSet)) : []
}

function named(fields: readonly SelectedField[], name: string): SelectedField[] {
  return fields.filter((field) => field.name === name)
}

/** Reads selections of one dataset's report. Measures are in the order of the declaration, each once. */
class SelectionReader {
  constructor(
    private readonly document: Document,
    private readonly definition: Definition,
  ) {}

  fields(parents: readonly SelectedField[]): SelectedField[] {
    return parents.flatMap((parent) => select(this.document, parent))
  }

  /** Whether the moment of the data is selected in a `meta` among the fields. */
  showsMoment(fields: readonly SelectedField[]): boolean {
    return named(this.fields(named(fields, 'meta')), 'dataAsOf').length > 0
  }

  /** Measures selected under fields that return the measures themselves. */
  measures(fields: readonly SelectedField[]): string[] {
    const chosen = new Set(this.fields(fields).map((field) => field.name))
    return this.definition.measures.map((measure) => measure.name).filter((name) => chosen.has(name))
  }

  /** Series with the same arguments are one, whatever they are called. */
  series(fields: readonly SelectedField[]): SeriesRequest[] {
    return this.merge(named(fields, 'series')).map((same) => ({
      // GraphQL has coerced the arguments to the types that the schema gives them.
      ...(same[0]?.arguments_ as Pick<SeriesRequest, 'granularity' | 'fill'>),
      measures: this.measures(named(this.fields(same), 'measures')),
      occurrences: same.length,
    }))
  }

  compares(fields: readonly SelectedField[]): CompareRequest[] {
    return this.merge(named(fields, 'compare')).map((same) => {
      const below = this.fields(same)
      const totals = named(below, 'totals')
      return {
        ...(same[0]?.arguments_ as Pick<CompareRequest, 'to'>),
        totals: totals.length === 0 ? null : this.measures(totals),
        series: this.series(below),
      }
    })
  }

  breakdowns(fields: readonly SelectedField[]): BreakdownRequest[] {
    return this.merge(named(fields, 'breakdown'), readBreakdownArguments).map((same) => {
      const page = this.fields(same)
      const groups = this.fields([...named(page, 'nodes'), ...named(this.fields(named(page, 'edges')), 'node')])
      const other = named(page, 'other')
      const below = this.fields(other)
      return {
        ...readBreakdownArguments(same[0]?.arguments_ ?? {}),
        measures: this.measures(named(groups, 'measures')),
        series: this.series(groups),
        compares: this.merge(named(groups, 'compare')).map((compare) => ({
          ...(compare[0]?.arguments_ as Pick<CompareRequest, 'to'>),
          measures: this.measures(compare),
        })),
        other:
          other.length === 0 ? null : { measures: this.measures(named(below, 'measures')), series: this.series(below) },
      }
    })
  }

  /**
   * Joins the fields whose arguments are the same once `normalise` has filled in what they leave out. GraphQL gives them in
   * the order of the schema, so their texts can be compared.
   */
  private merge(
    fields: readonly SelectedField[],
    normalise: (arguments_: SelectedField['arguments_']) => object = (arguments_) => arguments_,
  ): SelectedField[][] {
    const groups = new Map<string, SelectedField[]>()
    for (const field of fields) {
      const key = JSON.stringify(normalise(field.arguments_))
      const same = groups.get(key)
      if (same === undefined) groups.set(key, [field])
      else same.push(field)
    }
    return [...groups.values()]
  }
}

/** Fills in what the arguments of a breakdown leave out. */
export function readBreakdownArguments(arguments_: Readonly<Record<string, unknown>>): BreakdownArguments {
  const { by, orderBy, having, first, after } = arguments_ as Partial<BreakdownArguments>
  return {
    by: by ?? [],
    orderBy: (orderBy ?? []).map(({ field, direction }: OrderArgument) => ({ field, direction })),
    having: having ?? {},
    first: first ?? 10,
    after: after ?? null,
  }
}

/** Reads everything that a dataset's field of the root asks for, so that only that is read from the rollups. */
export function readReportRequest(
  document: Document,
  definition: Definition,
  field: Pick<SelectedField, 'nodes' | 'arguments_' | 'type'>,
): ReportRequest {
  const { range, where, timezone } = field.arguments_ as Partial<ReportRequest>
  const reader = new SelectionReader(document, definition)
  const fields = select(document, field)
  const totals = named(fields, 'totals')
  return {
    range: range ?? null,
    where: where ?? {},
    timezone: timezone ?? 'UTC',
    totals: totals.length === 0 ? null : reader.measures(totals),
    series: reader.series(fields),
    breakdowns: reader.breakdowns(fields),
    compares: reader.compares(fields),
    showsMoment: reader.showsMoment([...fields, ...reader.fields(named(fields, 'compare'))]),
  }
}

/** The arguments of the field that is being resolved, as GraphQL coerced them: plain data, not type-graphql's classes. */
export function readResolvedArguments(info: GraphQLResolveInfo): Readonly<Record<string, unknown>> {
  const [node] = info.fieldNodes
  const field = info.parentType.getFields()[info.fieldName]
  if (node === undefined || field === undefined) throw new Error(`There is no field ${info.fieldName}`)
  return getArgumentValues(field, node, info.variableValues)
}

/** Reads the request of the field that is being resolved. */
export function readResolvedRequest(info: GraphQLResolveInfo, definition: Definition): ReportRequest {
  const type = getNamedType(info.returnType)
  return readReportRequest(info, definition, {
    nodes: info.fieldNodes,
    arguments_: readResolvedArguments(info),
    type: isObjectType(type) ? type : null,
  })
}
