import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

export interface GuardedProcessOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly uid?: number
  readonly gid?: number
  /** Sent to the command when this process is gone: `INT`, `TERM`, `KILL`. */
  readonly orphanSignal: 'INT' | 'TERM' | 'KILL'
  /** Called with every line of both outputs. */
  readonly onLine: (line: string) => void
}

export interface GuardedProcess {
  /** Process id of the command itself. */
  readonly pid: number
  /** Resolves when the command has ended, with its exit code (128 + signal when a signal ended it). */
  readonly exited: Promise<number>
  signal(name: NodeJS.Signals): void
}

/**
 * The shell stays between the two: it tells the command's process id on descriptor 3, and a reader on that same
 * descriptor sees the end of file when this process dies, however it dies.
 */
const GUARD = `
orphan_signal=$1; shift
"$@" 3>&- </dev/null &
command=$!
echo "$command" >&3
{ read -r _ <&3; kill -CONT "$command"; kill -s "$orphan_signal" "$command"; } &
guard=$!
wait "$command"
code=$?
kill "$guard" 2>/dev/null
wait "$guard" 2>/dev/null
exit "$code"
`

/**
 * Starts a command that does not outlive this process: also after a kill -9 it gets its signal. Ctrl-C in a terminal
 * does not reach it, so that whoever started it can stop it in the right order.
 */
export async function spawnGuarded(options: GuardedProcessOptions): Promise<GuardedProcess> {
  const shell = spawn('/bin/sh', ['-c', GUARD, 'sh', options.orphanSignal, options.command, ...options.args], {
    cwd: options.cwd,
    env: { ...options.env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  })
  const exited = exitCode(shell)
  const channel = shell.stdio[3] as unknown as Readable
  channel.on('error', () => {})
  forwardLines(shell.stdout, options.onLine)
  forwardLines(shell.stderr, options.onLine)
  await once(shell, 'spawn')
  const [told] = await once(channel, 'data')
  const pid = Number.parseInt(String(told), 10)
  let hasExited = false
  void exited.then(() => {
    hasExited = true
    channel.destroy()
  })
  return {
    pid,
    exited,
    signal(name) {
      // The shell has not reaped the command before it exits, so until then the id is not anybody else's.
      if (!hasExited) process.kill(pid, name)
    },
  }
}

function exitCode(shell: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    shell.once('exit', (code, signal) => resolve(code ?? (signal === null ? 1 : 137)))
    shell.once('error', () => resolve(127))
  })
}

function forwardLines(stream: Readable | null, onLine: (line: string) => void): void {
  if (stream !== null) createInterface({ input: stream }).on('line', onLine)
}
