import type { Definition } from '../dataset/definition'
import { enumValueName } from '../dataset/names'

/** A question to begin with. */
export interface WorkedExample {
  readonly title: string
  readonly query: string
}

function exampleOf(definition: Definition): WorkedExample[] {
  const { name, label, className, measures, dimensions, rollups } = definition
  const fields = measures.slice(0, 3).map((measure) => measure.name)
  const [measure] = fields
  const grouped = rollups.flatMap((rollup) => rollup.by)[0] ?? dimensions[0]?.name
  const sized = rollups.some((rollup) => rollup.granularity !== 'month' && rollup.granularity !== 'year')
  const granularity = sized ? 'DAY' : 'YEAR'
  const totals: WorkedExample = {
    title: `${label}: totals`,
    query: `# ${label}: everything there is, in numbers
query ${className}Totals {
  ${name} {
    meta { from to dataAsOf }
    totals { ${fields.join(' ')} }
  }
}
`,
  }
  const series: WorkedExample = {
    title: `${label}: series`,
    query: `# ${label}: one point a ${granularity.toLowerCase()}
query ${className}Series {
  ${name} {
    series(granularity: ${granularity}) { date partial measures { ${measure} } }
  }
}
`,
  }
  if (grouped === undefined) return [totals, series]
  const breakdown: WorkedExample = {
    title: `${label}: top 5`,
    query: `# ${label}: the five largest, and the rest
query ${className}Top {
  ${name} {
    breakdown(by: [${enumValueName(grouped)}], first: 5) {
      totalCount
      nodes { ${grouped} measures { ${fields.join(' ')} } }
      other { measures { ${measure} } }
      pageInfo { endCursor hasNextPage }
    }
  }
}
`,
  }
  return [breakdown, series, totals]
}

/** Worked examples for the explorer: real questions to the datasets served, each of which some rollup covers. */
export function createExampleQueries(definitions: readonly Definition[]): WorkedExample[] {
  return definitions.flatMap(exampleOf)
}
