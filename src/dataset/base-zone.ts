import { isCalendar } from '../time/granularity'
import type { LayoutDefinition } from './definition'

/** The zone on whose clocks the dataset's own buckets begin: UTC for buckets shorter than a day and for dates. */
export function baseZone({
  granularity,
  timeType,
  timezone,
}: Pick<LayoutDefinition, 'granularity' | 'timeType' | 'timezone'>): string {
  return isCalendar(granularity) && timeType !== 'date' ? timezone : 'UTC'
}
