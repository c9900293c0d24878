import type { DatasetOptions, Declaration, MeasureOptions, MeasureSpec } from '../../../src/dataset/declaration'

/** What a test says of a declaration. Values are unknown because declarations written in JavaScript may hold anything. */
export interface Written {
  readonly className?: string
  readonly options?: unknown
  readonly dimensions?: Readonly<Record<string, unknown>>
  /** Each measure with its spec, and options when they matter. */
  readonly measures?: Readonly<Record<string, readonly [spec: unknown, options?: unknown]>>
}

/** Returns a right declaration of flights, with what the test says put over it. */
export function aDeclaration(written: Written = {}): Declaration {
  const options = { source: 'flights', time: 'departed_at', ...Object(written.options ?? {}) }
  const dimensions = written.dimensions ?? { origin: {} }
  const measures = written.measures ?? { flights: [{ kind: 'count' }] }
  return {
    className: written.className ?? 'Flights',
    options: options as DatasetOptions,
    dimensions: Object.entries(dimensions).map(([name, given]) => ({ name, options: Object(given) })),
    measures: Object.entries(measures).map(([name, [spec, given]]) => ({
      name,
      spec: spec as MeasureSpec,
      options: (given ?? {}) as MeasureOptions,
    })),
  }
}
