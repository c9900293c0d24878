import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { findFreePort } from '../src/embedded/free-port'
import { spawnGuarded } from '../src/embedded/guarded-process'
import { onProcessor, SERVER_PROCESSOR } from './processors'
import type { Shape } from './question'

const ROOT = join(__dirname, '../../..')
const PEERS = join(ROOT, 'bench/peers')
const READY_MS = 30_000
/** Linux counts processor time in ticks of a hundredth of a second. */
const TICKS = 100

/** What is measured, and how it is started. */
export interface ContestantPlan {
  readonly name: string
  readonly shape: Shape
  /** A program of bench/peers with its arguments; null: Aggregraph itself. */
  readonly peer: readonly string[] | null
  readonly env?: Readonly<Record<string, string>>
}

/** One server in a process of its own, which ends with this one. */
export interface Contestant {
  readonly name: string
  readonly shape: Shape
  readonly port: number
  /** Processor seconds used so far; null where the system does not tell. */
  cpuSeconds(): number | null
  stop(): Promise<void>
}

function readCpuSeconds(pid: number): number | null {
  const file = `/proc/${pid}/stat`
  if (!existsSync(file)) return null
  // After the name, which may hold spaces: state, ppid, … and as 12th and 13th the ticks of user and system.
  const fields = readFileSync(file, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

/** Waits until Aggregraph has everything that it serves at hand. */
async function waitUntilReady(port: number): Promise<number> {
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null)
    if (response?.status === 200) return port
    await wait(50)
  }
}

/**
 * Starts a contestant on the servers' processor, and resolves when it answers. Aggregraph is what `npm run build` made,
 * with its log thrown away.
 */
export async function startContestant(
  { name, shape, peer, env = {} }: ContestantPlan,
  shared: Readonly<Record<string, string>>,
): Promise<Contestant> {
  const port = await findFreePort()
  const program =
    peer === null
      ? ['/bin/sh', '-c', 'exec "$@" >/dev/null', 'sh', process.execPath, join(ROOT, 'dist/main.js'), 'serve']
      : [process.execPath, join(PEERS, peer[0] ?? ''), ...peer.slice(1)]
  const [command = '', ...args] = onProcessor(SERVER_PROCESSOR, program)
  const said: string[] = []
  let hear = (_port: number) => {}
  const announced = new Promise<number>((resolve) => {
    hear = resolve
  })
  const child = await spawnGuarded({
    command,
    args,
    cwd: ROOT,
    env: { ...process.env, ...shared, NODE_ENV: 'production', GRAPHILE_ENV: 'production', PORT: String(port), ...env },
    orphanSignal: 'KILL',
    onLine: (line) => {
      const url = /^listening (.+)$/.exec(line)?.[1]
      if (url !== undefined) hear(Number(new URL(url).port))
      else if (said.length < 50) said.push(line)
    },
  })
  const late = wait(READY_MS, null, { ref: false })
  const started = peer === null ? waitUntilReady(port) : announced
  const ready = await Promise.race([started, late, child.exited.then(() => null)])
  if (ready === null) {
    child.signal('SIGKILL')
    throw new Error(`${name} did not start:\n${said.join('\n')}`)
  }
  return {
    name,
    shape,
    port: ready,
    cpuSeconds: () => readCpuSeconds(child.pid),
    stop: async () => {
      child.signal('SIGKILL')
      await child.exited
    },
  }
}
