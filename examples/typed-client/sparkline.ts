const BARS = '▁▂▃▄▅▆▇█'

/** Draws values as a line of bars, at most `width` of them, from 0 to the largest; each shows the mean of its share. */
export function sparkline(values: readonly number[], width: number): string {
  const columns = Math.min(width, values.length)
  const means = Array.from({ length: columns }, (_, column) => {
    const share = values.slice(
      Math.floor((column * values.length) / columns),
      Math.floor(((column + 1) * values.length) / columns),
    )
    return share.reduce((sum, value) => sum + value, 0) / share.length
  })
  const largest = Math.max(...means, Number.MIN_VALUE)
  return means.map((mean) => BARS[Math.round((mean / largest) * (BARS.length - 1))]).join('')
}
