import { Writable } from 'node:stream'
import { runProgram } from '../../src/cli/program'
import type { CliResult } from './cli'

function createSink() {
  const written: string[] = []
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      written.push(String(chunk))
      done()
    },
  })
  return { stream, text: () => written.join('') }
}

function refuseToExit(): never {
  throw new Error('A command ended the process of the tests.')
}

/** Runs a command in this process: for those that neither wait for signals nor end the process. */
export async function runHere(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliResult> {
  const [stdout, stderr] = [createSink(), createSink()]
  const code = await runProgram(
    args,
    { env, stdout: stdout.stream, stderr: stderr.stream, on: () => undefined, exit: refuseToExit },
    '1.2.3',
  )
  return { code, stdout: stdout.text(), stderr: stderr.text() }
}
