import type { MeasureFormat } from './declaration'

export const MEASURE_FORMATS: readonly MeasureFormat[] = ['number', 'percent', 'currency', 'duration']

const DURATIONS = [
  'nanosecond',
  'microsecond',
  'millisecond',
  'second',
  'minute',
  'hour',
  'day',
  'week',
  'month',
  'year',
]

/** Whether the unit is a currency of ISO 4217, in capitals as the standard has it. */
export function isCurrency(unit: string): boolean {
  return Intl.supportedValuesOf('currency').includes(unit)
}

/** Whether Intl.NumberFormat can print the unit; `mile-per-hour` and its like are made of two. */
function isIntlUnit(unit: string): boolean {
  try {
    new Intl.NumberFormat('en', { style: 'unit', unit })
    return true
  } catch {
    return false
  }
}

/** Returns the format of a measure that names none. */
export function defaultFormat(unit: string | null): MeasureFormat {
  return unit !== null && isCurrency(unit) ? 'currency' : 'number'
}

/** Says what is wrong with a measure's unit and format, and what would be right; null when nothing is. */
export function faultOfUnit(unit: string | null, format: MeasureFormat | null): string | null {
  if (unit !== null && !isCurrency(unit) && !isIntlUnit(unit)) {
    return isCurrency(unit.toUpperCase())
      ? `The unit "${unit}" is not known; the currency is written "${unit.toUpperCase()}".`
      : `The unit "${unit}" is not known; take one of Intl.NumberFormat (mile, kilometer-per-hour, byte) or a currency of ISO 4217 (EUR).`
  }
  if (format === 'currency' && (unit === null || !isCurrency(unit))) {
    return 'The format "currency" needs a currency of ISO 4217 as its unit, for example unit: "EUR".'
  }
  if (format === 'duration' && (unit === null || !DURATIONS.includes(unit))) {
    return `The format "duration" needs a unit of time: ${DURATIONS.join(', ')}.`
  }
  if (format === 'percent' && unit !== null && unit !== 'percent') {
    return `The format "percent" is of a fraction, which has no unit; leave out unit: "${unit}".`
  }
  return null
}
