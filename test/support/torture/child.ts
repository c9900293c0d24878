import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const REGISTER = join(__dirname, '../../../scripts/register-typescript.cjs')

/** A program of this folder in a process of its own, which ends with this one. */
export interface Child<Message extends { readonly id: number }> {
  readonly pid: number
  /** Sends a message and resolves with the answer to it. Rejects when the process ends before. */
  order(message: DistributiveOmit<Message, 'id'>): Promise<Readonly<Record<string, unknown>>>
  signal(name: NodeJS.Signals): void
  /** Resolves, when it has ended, with what ended it: a code, or a signal. */
  readonly exited: Promise<number | NodeJS.Signals>
  /** Lets it end in order. */
  stop(): Promise<void>
}

type DistributiveOmit<T, K extends keyof T> = T extends unknown ? Omit<T, K> : never

/** Starts a program and resolves when it says that it is ready, with what it said; `hear` gets what it tells unasked. */
export async function startChild<Message extends { readonly id: number }>(
  program: string,
  env: Readonly<Record<string, string>>,
  hear: (message: Readonly<Record<string, unknown>>) => void = () => undefined,
): Promise<Child<Message> & { readonly greeting: Readonly<Record<string, unknown>> }> {
  const child = fork(join(__dirname, program), {
    execArgv: ['--require', REGISTER],
    env: { ...process.env, ...env },
    // Logs of many thousand reads come as they are, not as JSON.
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const exited = once(child, 'exit').then(([code, signal]: unknown[]) => (code ?? signal) as number | NodeJS.Signals)
  const waiting = new Map<number, (answer: Readonly<Record<string, unknown>>) => void>()
  const greeting = await new Promise<Readonly<Record<string, unknown>>>((resolve, reject) => {
    void exited.then(() => reject(new Error(`${program} ended before it was ready`)))
    child.on('message', (message: Readonly<Record<string, unknown>>) => {
      if (message.isReady === true) resolve(message)
      else if (typeof message.id === 'number') {
        waiting.get(message.id)?.(message)
        waiting.delete(message.id)
      } else hear(message)
    })
  })
  return { ...control<Message>(child, exited, waiting), greeting }
}

function control<Message extends { readonly id: number }>(
  child: ChildProcess,
  exited: Child<Message>['exited'],
  waiting: Map<number, (answer: Readonly<Record<string, unknown>>) => void>,
): Child<Message> {
  let last = 0
  return {
    pid: child.pid ?? 0,
    exited,
    order: (message) => {
      last += 1
      const id = last
      return new Promise((resolve, reject) => {
        waiting.set(id, resolve)
        void exited.then(() => reject(new Error('The process ended before it answered')))
        if (child.connected) child.send({ ...message, id }, () => undefined)
      })
    },
    signal: (name) => void child.kill(name),
    stop: async () => {
      child.kill('SIGCONT')
      if (child.connected) child.disconnect()
      await exited
    },
  }
}
