import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import { spawnGuarded } from '../../src/embedded/guarded-process'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), `aggregraph-test-${process.pid}-`))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

/** A process that starts `cat` on a pipe of ours: the pipe's end is the end of `cat`. */
async function starter(): Promise<{ readonly process: ChildProcess; readonly ended: Promise<unknown> }> {
  const bundle = join(directory, 'guarded-process.js')
  const entry = join(__dirname, '../../src/embedded/guarded-process.ts')
  buildSync({ entryPoints: [entry], bundle: true, platform: 'node', outfile: bundle })
  const script = `
    require(${JSON.stringify(bundle)}).spawnGuarded({
      command: '/bin/sh', args: ['-c', 'exec sleep 1000'], cwd: '/', orphanSignal: 'TERM', onLine() {},
    }).then(({ pid, exited }) => { console.log(pid); exited.then(() => process.exit()) })`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  return { process: child, ended: once(child, 'exit') }
}

async function goneWithin(pid: number, ms: number): Promise<boolean> {
  const deadline = performance.now() + ms
  while (performance.now() < deadline) {
    try {
      process.kill(pid, 0)
    } catch {
      return true
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  return false
}

it('ends the command when its starter is killed', async () => {
  const child = await starter()
  if (child.process.stdout === null) throw new Error('The starter has no output.')
  const [line] = await once(child.process.stdout, 'data')
  child.process.kill('SIGKILL')
  await child.ended
  expect(await goneWithin(Number(line), 10_000)).toBe(true)
})

it('ends a command that is stopped (SIGSTOP), too', async () => {
  const child = await starter()
  if (child.process.stdout === null) throw new Error('The starter has no output.')
  const [line] = await once(child.process.stdout, 'data')
  process.kill(Number(line), 'SIGSTOP')
  child.process.kill('SIGKILL')
  await child.ended
  expect(await goneWithin(Number(line), 10_000)).toBe(true)
})

it.each([
  ['its exit code', 'exit 3', 3],
  ['128 + the number of the signal that ended it', 'kill -9 $$', 137],
])('tells %s', async (_what, script, code) => {
  const command = { command: '/bin/sh', args: ['-c', script], cwd: '/', orphanSignal: 'KILL', onLine() {} } as const
  expect(await (await spawnGuarded(command)).exited).toBe(code)
})

it('passes on every line of both outputs', async () => {
  const lines: string[] = []
  const script = 'echo one; echo two >&2'
  const guarded = await spawnGuarded({
    command: '/bin/sh',
    args: ['-c', script],
    cwd: '/',
    orphanSignal: 'KILL',
    onLine: (line) => lines.push(line),
  })
  await guarded.exited
  expect(lines.sort()).toEqual(['one', 'two'])
})

it('ends with 127 when there is no such command', async () => {
  const guarded = await spawnGuarded({ command: '/nowhere', args: [], cwd: '/', orphanSignal: 'KILL', onLine() {} })
  expect(await guarded.exited).toBe(127)
})
