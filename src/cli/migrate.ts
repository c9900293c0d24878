import type { Command } from 'commander'
import { migrate } from '../storage/migrate'
import { printPendingMigrations } from '../storage/print-migrations'
import { addSettings, readSettings } from './setting-options'
import type { Shell } from './shell'
import { withDatabase } from './with-database'
import { createCommandLogger, withServices } from './with-services'

export function addMigrateCommand(program: Command, shell: Shell): void {
  const command = program
    .command('migrate')
    .summary('create or upgrade the schema of the rollups')
    .description(
      'Creates the Postgres schema AGGREGRAPH_SCHEMA and its system tables, or upgrades them. Servers do so when they ' +
        'start, unless MIGRATE=check tells them only to check.',
    )
    .option('--sql', 'change nothing: print the SQL that a database administrator would run instead')
  addSettings(command, ['databaseUrl', 'schema', 'data', 'logLevel']).action(
    async ({ sql }: { readonly sql?: boolean }) => {
      const config = readSettings(command, shell.env)
      const logger = createCommandLogger(config)
      await withDatabase(config, logger, (url) =>
        withServices({ ...config, redisUrl: null }, url, logger, async ({ dataSource }) => {
          if (sql === true) shell.stdout.write(await printPendingMigrations(dataSource))
          else {
            await migrate(dataSource)
            shell.stdout.write(`The schema "${config.schema}" is up to date.\n`)
          }
        }),
      )
    },
  )
}
