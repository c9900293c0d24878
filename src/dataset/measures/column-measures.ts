import type { MeasureSpec } from '../declaration'
import { avgMeasure } from './avg'
import { countDistinctMeasure } from './count-distinct'
import type { ColumnMeasure } from './draft'
import { lastMeasure } from './last'
import { maxMeasure } from './max'
import { minMeasure } from './min'
import { quantileMeasure } from './quantile'
import { sumMeasure } from './sum'

export type ColumnMeasureKind = Extract<MeasureSpec, { of: unknown }>['kind']

/** Every sort of measure over one column, in the order in which people are told of them. A new one is its own file and a line here. */
export const COLUMN_MEASURES: Readonly<Record<Exclude<ColumnMeasureKind, 'quantile'>, ColumnMeasure>> & {
  readonly quantile: (q: number) => ColumnMeasure
} = {
  sum: sumMeasure,
  avg: avgMeasure,
  min: minMeasure,
  max: maxMeasure,
  countDistinct: countDistinctMeasure,
  quantile: quantileMeasure,
  last: lastMeasure,
}

/** Whether the word names a measure over one column. */
export function isColumnMeasure(kind: string): kind is ColumnMeasureKind {
  return Object.hasOwn(COLUMN_MEASURES, kind)
}
