/** Levenshtein's distance, one row at a time. */
function distance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (const [i, character] of [...left].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...right].entries()) {
      const replaced = (row[j] ?? 0) + (character === other ? 0 : 1)
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}

/** Returns the candidate that was probably meant, or null when none is close. Letter case and underscores weigh nothing. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  const plain = (text: string) => text.toLowerCase().replaceAll('_', '')
  let best: string | null = null
  let least = Math.max(1, Math.ceil(word.length / 3)) + 1
  for (const candidate of candidates) {
    const steps = distance(plain(word), plain(candidate))
    if (steps < least) {
      best = candidate
      least = steps
    }
  }
  return best
}

/** More candidates than this would drown the sentence. */
const MOST_LISTED = 12

/** Returns ` Did you mean "x"?`, or else the list of what there is. */
export function suggestion(word: string, candidates: readonly string[]): string {
  const found = nearest(word, candidates)
  if (found !== null) return ` Did you mean "${found}"?`
  if (candidates.length === 0) return ''
  const listed = candidates.slice(0, MOST_LISTED).map((name) => `"${name}"`)
  const rest = candidates.length - listed.length
  return ` There is ${listed.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}.`
}
