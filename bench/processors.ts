import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

/** The processor that contestants run on, one at a time. */
export const SERVER_PROCESSOR = 0
/** The processor that sends requests, and that Postgres and Redis run on. */
export const LOAD_PROCESSOR = 1

/** Whether processes can be kept to a processor here: on Linux, with `taskset` and more than one. */
export const canPin =
  availableParallelism() > 1 && spawnSync('taskset', ['-c', String(SERVER_PROCESSOR), 'true']).status === 0

/** Keeps all threads of this process, and whatever it starts from now on, to the processor of the load. */
export function pinLoad(): void {
  if (canPin) spawnSync('taskset', ['-acp', String(LOAD_PROCESSOR), String(process.pid)])
}

/** The command that runs a program on a processor, where that can be chosen. */
export function onProcessor(processor: number, program: readonly string[]): readonly string[] {
  return canPin ? ['taskset', '-c', String(processor), ...program] : program
}
