/** How long the rest takes if it goes on as it did, in whole seconds; null before anything is done. */
export function secondsLeft(elapsedMs: number, done: number, total: number): number | null {
  return done > 0 && done < total ? Math.max(1, Math.round(((elapsedMs / done) * (total - done)) / 1000)) : null
}
