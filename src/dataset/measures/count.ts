import type { MeasureSpec, WhereOption } from '../declaration'
import { type DraftAlgebra, filterSql } from './draft'

/** Counts rows; with `where`, only those for which the condition is true. Exact, 0 when there are none. */
export function count(options: WhereOption = {}): MeasureSpec {
  return { ...options, kind: 'count' }
}

/** The algebra of `count`: a number of rows, added up. */
export function countAlgebra(where: string | null): DraftAlgebra {
  return {
    states: [
      {
        suffix: 'count',
        sqlType: 'bigint',
        build: `count(*)${filterSql([where])}`,
        merge: (column) => `sum(${column})`,
      },
    ],
    inputs: [],
    finalise: ([rows]) => `coalesce(${rows}, 0)`,
    type: 'SafeInt',
    nullable: false,
  }
}
