import type { MeasureOptions, MeasureSpec } from '../declaration'
import { assertCalled, assertField, recordMember } from '../recorded'

/**
 * Declares a field as a measure: what is computed over rows, for example `@Measure(avg('delay'), { unit: 'minute' })`.
 * Order matters in one place: a breakdown is sorted by the first measure unless the question says otherwise.
 */
export function Measure(spec: MeasureSpec, options: MeasureOptions = {}): PropertyDecorator {
  assertCalled('Measure', spec)
  return (target, key) => {
    assertField('Measure', target, key)
    recordMember(target, { kind: 'measure', member: { name: String(key), spec, options } })
  }
}
