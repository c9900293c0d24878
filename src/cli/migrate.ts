import type { Command } from 'commander'
import { loadDeclarations } from '../services'
import { migrate } from '../storage/migrate'
import { printMigrations } from '../storage/print-migrations'
import { addSettings, DATABASE_SETTINGS, readSettings } from './setting-options'
import type { Shell } from './shell'
import { withDatabase } from './with-database'
import { createCommandLogger, withServices } from './with-services'

interface Flags {
  readonly sql?: boolean
  readonly serverRole?: string
}

export function addMigrateCommand(program: Command, shell: Shell): void {
  const command = program
    .command('migrate')
    .summary('create or upgrade the schema of the rollups')
    .description(
      'Creates the Postgres schema AGGREGRAPH_SCHEMA and its system tables, or upgrades them. Servers do so when they ' +
        'start, unless MIGRATE=check tells them only to check.',
    )
    .option(
      '--sql',
      'change nothing: print the SQL that a database administrator would run instead, with the rights that the user of ' +
        'DATABASE_URL needs on it and on the sources of the datasets',
    )
    .option(
      '--server-role <role>',
      'with --sql: print also the rights of a role whose servers only read, never refresh',
    )
  addSettings(command, DATABASE_SETTINGS).action(async ({ sql, serverRole }: Flags) => {
    if (serverRole !== undefined && sql !== true) {
      command.error('error: --server-role goes with --sql', { exitCode: 2 })
    }
    const config = readSettings(command, shell.env)
    const logger = createCommandLogger(config)
    await withDatabase(config, logger, (url) =>
      withServices({ ...config, redisUrl: null }, url, logger, async ({ dataSource }) => {
        if (sql === true) {
          const declarations = loadDeclarations(config)
          shell.stdout.write(await printMigrations(dataSource, { server: serverRole ?? null, declarations }))
        } else {
          await migrate(dataSource)
          shell.stdout.write(`The schema "${config.schema}" is up to date.\n`)
        }
      }),
    )
  })
}
