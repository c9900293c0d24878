import type { MeasureSpec } from '../declaration'
import type { DraftAlgebra } from './draft'

/**
 * Divides one measure by another, both named as fields of the class. The result is a fraction, never multiplied by 100;
 * null when the denominator is 0 or either is null.
 */
export function ratio(numerator: string, denominator: string): MeasureSpec {
  return { kind: 'ratio', numerator, denominator }
}

/** The algebra of `ratio`: no state, a division of two finished values. */
export function ratioAlgebra(numerator: string, denominator: string): DraftAlgebra {
  return {
    states: [],
    inputs: [numerator, denominator],
    finalise: ([dividend, divisor]) => `(${dividend})::float8 / nullif((${divisor})::float8, 0)`,
    type: 'Float',
    nullable: true,
  }
}
