import type { Granularity } from '../time/granularity'

/** Dimensions that every dataset has: parts of a bucket's start on the wall clock of the report's zone. */
export const IMPLIED_DIMENSIONS = {
  hourOfDay: { needs: 'hour', field: 'hour', description: 'Hour of the day in the zone of the report, 0 to 23' },
  dayOfWeek: {
    needs: 'day',
    field: 'isodow',
    description: 'ISO day of the week in the zone of the report, 1 is Monday',
  },
  monthOfYear: { needs: 'month', field: 'month', description: 'Month of the year in the zone of the report, 1 to 12' },
} as const satisfies Record<string, { needs: Granularity; field: string; description: string }>

export type ImpliedDimension = keyof typeof IMPLIED_DIMENSIONS

export function isImplied(name: string): name is ImpliedDimension {
  return Object.hasOwn(IMPLIED_DIMENSIONS, name)
}
