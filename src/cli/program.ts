import { Command, CommanderError } from 'commander'
import { addDoctorCommand } from './doctor'
import { addExplainCommand } from './explain'
import { describeFailure } from './failure'
import { addMigrateCommand } from './migrate'
import { addPruneCommand } from './prune'
import { addRefreshCommand } from './refresh'
import { addSchemaCommand } from './schema'
import { addServeCommand } from './serve'
import type { Shell } from './shell'
import { addStartCommand } from './start'
import { addStatusCommand } from './status'

/** A command was used wrongly: its name, its flags or its arguments. */
const USAGE = 2

function createProgram(shell: Shell, version: string): Command {
  const program = new Command('aggregraph')
    .description('Keeps declared analytics aggregates precomputed in your Postgres, and serves them as typed GraphQL.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .showHelpAfterError('Run with --help to see what is possible.')
    .configureOutput({
      writeOut: (text) => shell.stdout.write(text),
      writeErr: (text) => shell.stderr.write(text),
    })
    .exitOverride()
  const add = [
    addStartCommand,
    addServeCommand,
    addRefreshCommand,
    addMigrateCommand,
    addPruneCommand,
    addStatusCommand,
    addExplainCommand,
    addDoctorCommand,
    addSchemaCommand,
  ]
  for (const addCommand of add) addCommand(program, shell)
  return program
}

/** Runs the command that the arguments name, and resolves with the exit code. Never rejects, and never prints a stack
 * unless LOG_LEVEL asks for `debug` or finer. */
export async function runProgram(argv: readonly string[], shell: Shell, version: string): Promise<number> {
  let level = shell.env.LOG_LEVEL
  const program = createProgram(shell, version).hook('preAction', (_, command) => {
    level = command.opts<{ readonly logLevel?: string }>().logLevel ?? level
  })
  try {
    await program.parseAsync(argv, { from: 'user' })
    return 0
  } catch (error) {
    // Commander has printed its own.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE
    shell.stderr.write(`${describeFailure(error, level === 'debug' || level === 'trace')}\n`)
    return 1
  }
}
