import type { MeasureSpec } from '../declaration'
import { avgMeasure } from './avg'
import type { ColumnMeasure } from './draft'
import { maxMeasure } from './max'
import { minMeasure } from './min'
import { sumMeasure } from './sum'

export type ColumnMeasureKind = Extract<MeasureSpec, { of: unknown }>['kind']

/** Every sort of measure over one column. A new one is its own file and a line here. */
export const COLUMN_MEASURES: Readonly<Record<ColumnMeasureKind, ColumnMeasure>> = {
  sum: sumMeasure,
  avg: avgMeasure,
  min: minMeasure,
  max: maxMeasure,
}

/** Whether the word names a measure over one column. */
export function isColumnMeasure(kind: string): kind is ColumnMeasureKind {
  return Object.hasOwn(COLUMN_MEASURES, kind)
}
