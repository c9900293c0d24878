import { asyncBufferFromFile, type ColumnData, parquetMetadataAsync, parquetRead } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'

export interface Flight {
  /** The clock time at the airport of departure. The file names no zone; it is read as UTC. */
  readonly departedAt: Date
  /** Minutes; negative: early. */
  readonly delay: number
  /** Miles. */
  readonly distance: number
  readonly origin: string
  readonly destination: string
}

/** The values of one row group by column name. */
type Columns = Map<string, ArrayLike<unknown>>

/** How many flights the file has. */
export async function countFlights(file: string): Promise<number> {
  return Number((await parquetMetadataAsync(await asyncBufferFromFile(file))).num_rows)
}

/**
 * Reads `rows` flights of the file, evenly spaced and in its order, the same ones every time. Yields them by row group,
 * so that about a tenth of the file is in memory at once.
 */
export async function* readFlights(file: string, rows: number): AsyncGenerator<readonly Flight[]> {
  const buffer = await asyncBufferFromFile(file)
  const metadata = await parquetMetadataAsync(buffer)
  const total = Number(metadata.num_rows)
  let rowStart = 0
  let taken = 0
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows)
    const wanted: number[] = []
    for (; taken < rows && rowOf(taken, rows, total) < rowEnd; taken++) wanted.push(rowOf(taken, rows, total))
    if (wanted.length > 0) {
      const columns: Columns = new Map()
      const onChunk = ({ columnName, columnData }: ColumnData) => columns.set(columnName, columnData)
      await parquetRead({ file: buffer, metadata, compressors, rowStart, rowEnd, onChunk })
      const first = rowStart
      yield wanted.map((row) => flightAt(columns, row - first))
    }
    rowStart = rowEnd
  }
}

/** The row of the file that is number `index` of `rows` evenly spaced ones. */
function rowOf(index: number, rows: number, total: number): number {
  return Math.floor((index * total) / rows)
}

function flightAt(columns: Columns, row: number): Flight {
  const value = (column: string) => columns.get(column)?.[row]
  return {
    departedAt: new Date(Number(value('date'))),
    delay: Number(value('delay')),
    distance: Number(value('distance')),
    origin: String(value('origin')),
    destination: String(value('destination')),
  }
}
