import type { DataSource } from 'typeorm'
import { DeadlineError } from '../errors'
import { Parameters } from './parameters'
import type { Slice } from './part'
import { translatePostgresError } from './postgres-errors'
import { withDeadline } from './query'
import { schemaOf } from './schema'
import { renderSlice } from './slice-sql'

/** Counts the rows of a slice, which every part of it reads; null when that takes longer than so many seconds. */
export async function countSlice(dataSource: DataSource, slice: Slice, seconds: number): Promise<number | null> {
  const parameters = new Parameters()
  const { table, where } = renderSlice(slice, schemaOf(dataSource), parameters)
  try {
    const { rows } = await withDeadline(dataSource, seconds, (query) =>
      query(`SELECT count(*)::text AS rows FROM ${table} WHERE ${where}`, parameters.values),
    )
    return Number(rows[0]?.rows)
  } catch (error) {
    const translated = translatePostgresError(error)
    if (translated instanceof DeadlineError) return null
    throw translated
  }
}
