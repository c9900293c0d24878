import type { DimensionOptions } from '../declaration'
import { assertCalled, assertField, recordMember } from '../recorded'

/**
 * Declares a field as a dimension: something to filter and group by. Its type comes from the database: text, uuid, enum,
 * integer, boolean or date; null is a value. By default it is the column of the field's name, or of that name in snake_case.
 */
export function Dimension(options: DimensionOptions = {}): PropertyDecorator {
  assertCalled('Dimension', options)
  return (target, key) => {
    assertField('Dimension', target, key)
    recordMember(target, { kind: 'dimension', member: { name: String(key), options } })
  }
}
