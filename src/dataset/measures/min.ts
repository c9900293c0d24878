import type { MeasureSpec, SourceExpression, WhereOption } from '../declaration'
import { extremeMeasure } from './extreme'

/** Takes the smallest value of a column or an expression, of the column's own type; null when there is none. */
export function min(of: SourceExpression, options: WhereOption = {}): MeasureSpec {
  return { ...options, kind: 'min', of }
}

export const minMeasure = extremeMeasure('min')
