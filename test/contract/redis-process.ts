import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'

export interface RedisProcess {
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Stops answering while connections stay open. */
  pause(): void
  resume(): void
  /** Ends the server in order. */
  stop(): Promise<void>
  /** Ends the server at once, as a crash does. */
  kill(): Promise<void>
}

/** Starts an empty Redis of its own on a free loopback port, or on `port`, that keeps nothing on disk. */
export async function startRedis(port?: number): Promise<RedisProcess> {
  const chosen = port ?? (await findFreePort())
  const options = ['--save', '', '--appendonly', 'no', '--port', String(chosen), '--bind', '127.0.0.1']
  const child = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child, 'spawn')
  const { pid } = child
  if (pid === undefined) throw new Error('redis-server did not start')
  const exit = once(child, 'exit')
  await Promise.race([
    untilReady(child.stdout),
    exit.then(() => Promise.reject(new Error(`redis-server ended before it was ready on port ${chosen}`))),
  ])

  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGCONT')
    child.kill(signal)
    await exit
  }
  return {
    url: `redis://127.0.0.1:${chosen}`,
    port: chosen,
    pid,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  }
}

async function untilReady(stdout: NodeJS.ReadableStream): Promise<void> {
  const lines = createInterface({ input: stdout })
  await new Promise<void>((resolve) => {
    // Reading goes on after that: a full pipe would stop the server.
    lines.on('line', (line) => line.includes('Ready to accept connections') && resolve())
  })
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}
