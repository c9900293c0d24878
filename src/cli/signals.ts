import type { Shell } from './shell'

/** The process must be gone 10 s after the first signal. */
const GRACE_MS = 9_500
/** npm passes on the Ctrl-C that the terminal has sent already: what comes this soon is the same signal. */
const ECHO_MS = 500

/** Exit codes of a process that a signal ended. */
const CODES = { SIGINT: 130, SIGTERM: 143 } as const

/** Aborts at the first SIGTERM or SIGINT. The process ends 10 s later at the latest, and at once at a second signal. */
export function watchSignals(shell: Shell): AbortSignal {
  const stopping = new AbortController()
  let since = 0
  const hear = (signal: keyof typeof CODES) => {
    if (stopping.signal.aborted) {
      if (performance.now() - since > ECHO_MS) shell.exit(CODES[signal])
      return
    }
    since = performance.now()
    setTimeout(() => shell.exit(0), GRACE_MS).unref()
    stopping.abort()
  }
  shell.on('SIGINT', () => hear('SIGINT'))
  shell.on('SIGTERM', () => hear('SIGTERM'))
  return stopping.signal
}

/** Resolves when the signal is aborted. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
