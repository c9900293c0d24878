import type { Command } from 'commander'
import type { Config } from '../config'
import { ConfigurationError } from '../errors'
import { loadDeclarations } from '../services'
import { createServerLogger, runServer } from './run-server'
import { ALL_SETTINGS, addSettings, readSettings } from './setting-options'
import type { Shell } from './shell'
import { watchSignals } from './signals'

/** Serves the database of DATABASE_URL until a signal comes. */
export async function serve(config: Config, shell: Shell): Promise<void> {
  const { databaseUrl } = config
  if (databaseUrl === null) {
    const sentence =
      'is not set, so there is nothing to serve. Set it to the URL of a Postgres, or try Aggregraph on real flights with "aggregraph start".'
    throw new ConfigurationError([{ subject: 'DATABASE_URL', sentence }])
  }
  const stopped = watchSignals(shell)
  const declarations = loadDeclarations(config)
  const logger = createServerLogger(config, shell)
  await runServer({ config, databaseUrl, declarations, logger, stopped, onReady: () => undefined })
}

export function addServeCommand(program: Command, shell: Shell): void {
  const command = program
    .command('serve')
    .summary('serve the datasets over GraphQL')
    .description(
      'Serves the datasets of the folder AGGREGRAPH_DATASETS from the Postgres at DATABASE_URL, over GraphQL. ' +
        'Creates the rollups that do not exist yet, and refreshes them as the datasets ask. Logs lines of JSON. ' +
        'Each flag stands for the variable named beside it, and wins over it. SIGTERM and SIGINT end the server in order.',
    )
  addSettings(command, ALL_SETTINGS).action(() => serve(readSettings(command, shell.env), shell))
}
