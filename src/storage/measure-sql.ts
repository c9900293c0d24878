import type { Definition, MeasureDefinition, ValueType } from '../dataset/definition'

function measureOf(definition: Definition, name: string): MeasureDefinition {
  const measure = definition.measures.find((candidate) => candidate.name === name)
  if (measure === undefined) throw new Error(`${definition.className} has no measure ${name}`)
  return measure
}

/** Columns of the states that the given measures are finalised from, without repetition. */
export function stateColumnsOf(definition: Definition, measures: readonly string[]): string[] {
  const columns = measures.flatMap((name) => {
    const { algebra } = measureOf(definition, name)
    return [...algebra.states.map((state) => state.column), ...stateColumnsOf(definition, algebra.inputs)]
  })
  return [...new Set(columns)]
}

/** The aggregate expression that merges one state, over rows that hold it under the given SQL name. */
export function mergeSql(definition: Definition, column: string, name: string): string {
  const state = definition.states.find((candidate) => candidate.column === column)
  if (state === undefined) throw new Error(`${definition.className} has no state ${column}`)
  return state.merge(name)
}

/** The scalar expression of a measure's value; `stateSql` gives the SQL of a merged state. */
export function valueSql(definition: Definition, name: string, stateSql: (column: string) => string): string {
  const { algebra } = measureOf(definition, name)
  const inputs = algebra.inputs.map((input) => `(${valueSql(definition, input, stateSql)})`)
  return algebra.finalise([...algebra.states.map((state) => stateSql(state.column)), ...inputs])
}

/** The SQL type in which values of a measure are compared and sorted. */
export function comparedAs(definition: Definition, name: string): string {
  const types: Record<ValueType, string> = {
    SafeInt: 'numeric',
    Float: 'double precision',
    String: 'text COLLATE "C"',
    Date: 'date',
    DateTime: 'timestamptz',
  }
  return types[measureOf(definition, name).algebra.type]
}

/** Writes a value as the driver shall return it: integers as digits, instants as epoch milliseconds. */
export function outputSql(definition: Definition, name: string, sql: string): string {
  switch (measureOf(definition, name).algebra.type) {
    case 'SafeInt':
    case 'String':
      return `(${sql})::text`
    case 'Float':
      return `(${sql})::double precision`
    case 'Date':
      return `to_char((${sql}), 'YYYY-MM-DD')`
    case 'DateTime':
      return `(extract(epoch from (${sql})) * 1000)::double precision`
  }
}
