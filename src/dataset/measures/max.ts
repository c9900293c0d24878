import type { MeasureSpec, SourceExpression, WhereOption } from '../declaration'
import { extremeMeasure } from './extreme'

/** Takes the largest value of a column or an expression, of the column's own type; null when there is none. */
export function max(of: SourceExpression, options: WhereOption = {}): MeasureSpec {
  return { ...options, kind: 'max', of }
}

export const maxMeasure = extremeMeasure('max')
