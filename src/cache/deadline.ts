/**
 * The promise's outcome, or a rejection with `late()` after `milliseconds`; what the promise does later is ignored.
 * When the process itself was busy past the deadline, replies that have already arrived are heard first.
 */
export async function withDeadline<T>(promise: Promise<T>, milliseconds: number, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    // Timers run before sockets are read; immediates run after.
    timer = setTimeout(() => setImmediate(() => reject(late())), milliseconds)
  })
  try {
    return await Promise.race([promise, deadline])
  } finally {
    clearTimeout(timer)
  }
}
