import { execFile, spawn } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const ROOT = join(__dirname, '../..')
const MAIN = join(ROOT, 'dist/main.js')
/** Longer than any command may take here. */
const DEADLINE_MS = 45_000

export interface CliResult {
  /** Null when a signal ended it. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunningCli {
  readonly pid: number
  /** Resolves with everything written so far once the text is in it; rejects when the command ends without it. */
  waitFor(text: string): Promise<string>
  signal(name: NodeJS.Signals): void
  readonly exited: Promise<CliResult>
}

/** Compiles the command, or finds that it is up to date. */
export async function buildCli(): Promise<void> {
  await promisify(execFile)(process.execPath, [join(ROOT, 'scripts/build.mjs')])
}

const running = new Set<RunningCli>()

/** Ends every command that a failed test has left. */
export async function endCommands(): Promise<void> {
  for (const cli of running) cli.signal('SIGKILL')
  await Promise.all([...running].map(({ exited }) => exited))
}

/** Starts the compiled command in a process of its own, with these environment variables and hardly any others. */
export function startCli(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningCli {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, [MAIN, ...args], { env: { PATH, HOME, ...env }, timeout: DEADLINE_MS })
  const output = { stdout: '', stderr: '' }
  const waiting = new Set<() => void>()
  let hasEnded = false
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
      for (const look of waiting) look()
    })
  }
  const exited = new Promise<CliResult>((resolve) => {
    child.once('close', (code) => {
      hasEnded = true
      running.delete(cli)
      for (const look of waiting) look()
      resolve({ code, ...output })
    })
  })
  const cli: RunningCli = {
    pid: child.pid ?? 0,
    exited,
    signal: (name) => void child.kill(name),
    waitFor: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const all = `${output.stdout}${output.stderr}`
          if (all.includes(text)) resolve(all)
          else if (hasEnded) reject(new Error(`The command ended without "${text}":\n${all}`))
          else return
          waiting.delete(look)
        }
        waiting.add(look)
        look()
      }),
  }
  running.add(cli)
  return cli
}

/** Runs the compiled command to its end. */
export function runCli(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliResult> {
  return startCli(args, env).exited
}
