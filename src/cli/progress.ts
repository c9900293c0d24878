import { SingleBar } from 'cli-progress'
import type { Output, Shell } from './shell'

/** One step of something that takes a while: `done` of `total`. */
export interface Step {
  /** What takes a while: the dataset's name. */
  readonly task: string
  /** What is under way. */
  readonly label: string
  readonly done: number
  readonly total: number
  /** An estimate, where there is one. */
  readonly secondsLeft?: number | null
}

export interface Progress {
  show(step: Step): void
  /** Leaves the last bar as it is; another may follow. */
  stop(): void
}

/** Shows a bar a task on a terminal; elsewhere, in logs and pipes, a line a step. Writes to the standard error output. */
export function createProgress({ stderr }: Shell): Progress {
  return stderr.isTTY ? createBars(stderr) : createLines(stderr)
}

function labelOf({ label, secondsLeft }: Step): string {
  return secondsLeft == null ? label : `${label}, about ${secondsLeft} s left`
}

function createBars(stream: Output): Progress {
  let bar: SingleBar | null = null
  let task: string | null = null
  const stop = () => {
    bar?.stop()
    bar = null
    task = null
  }
  return {
    show: (step) => {
      if (task !== step.task) {
        stop()
        task = step.task
        bar = new SingleBar({
          stream,
          format: '{task} [{bar}] {percentage} %  {label}',
          barsize: 30,
          hideCursor: true,
          // Signals are answered in one place.
          gracefulExit: false,
        })
        bar.start(step.total, step.done, { ...step, label: labelOf(step) })
      } else bar?.update(step.done, { ...step, label: labelOf(step) })
    },
    stop,
  }
}

function createLines(stream: Output): Progress {
  let last = ''
  return {
    show: (step) => {
      const line = `${step.task}: ${labelOf(step)}\n`
      if (line !== last) stream.write(line)
      last = line
    },
    stop: () => undefined,
  }
}
