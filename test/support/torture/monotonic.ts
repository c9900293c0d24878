/** The moment in microseconds by a clock that all processes of this machine share and that never goes back. */
export function now(): number {
  return Number(process.hrtime.bigint() / 1000n)
}
