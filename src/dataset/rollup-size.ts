/** A rollup that keeps this share of its source's rows, or more, saves little. */
const LARGEST_SHARE = 0.8

/**
 * Says of every rollup that is barely smaller than its source what would make it smaller: sentences without a subject.
 * `sourceRows` is null or 0 where nothing is built, of which there is nothing to say.
 */
export function adviseOnSize({
  sourceRows,
  rollups,
}: {
  readonly sourceRows: number | null
  readonly rollups: readonly { readonly name: string; readonly rows: number }[]
}): string[] {
  if (sourceRows === null || sourceRows <= 0) return []
  return rollups
    .filter(({ rows }) => rows >= sourceRows * LARGEST_SHARE)
    .map(({ name, rows }) => {
      const share = Math.round((rows / sourceRows) * 100)
      return `the rollup ${name} keeps ${share} % of the source's rows: give it fewer dimensions or a coarser granularity.`
    })
}
