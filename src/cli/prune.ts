import type { Command } from 'commander'
import { loadDeclarations } from '../services'
import { prepareDatabase } from '../storage/prepare-database'
import { listUnserved, pruneLayout } from '../storage/prune'
import { addSettings, DATABASE_SETTINGS, readSettings } from './setting-options'
import type { Shell } from './shell'
import { withDatabase } from './with-database'
import { createCommandLogger, withServices } from './with-services'

export function addPruneCommand(program: Command, shell: Shell): void {
  const command = program
    .command('prune')
    .summary('remove rollups that nobody serves any more')
    .description(
      'Removes the rollups of definitions that no process has served for an hour and that are not among the datasets of ' +
        'this folder, with the triggers that only they needed. Servers do so by themselves for their own datasets; this ' +
        'does it for datasets that were removed as well.',
    )
    .option('--dry-run', 'only say what would be removed')
  addSettings(command, [...DATABASE_SETTINGS, 'migrate']).action(async ({ dryRun }: { readonly dryRun?: boolean }) => {
    const config = readSettings(command, shell.env)
    const logger = createCommandLogger(config)
    const declarations = loadDeclarations(config)
    await withDatabase(config, logger, (url) =>
      withServices({ ...config, redisUrl: null }, url, logger, async ({ dataSource }) => {
        const definitions = await prepareDatabase(dataSource, config, declarations)
        const unserved = await listUnserved(dataSource, definitions, true)
        for (const layout of unserved) {
          if (dryRun === true) shell.stdout.write(`${layout.dataset}: would remove the layout ${layout.id}\n`)
          else if (await pruneLayout(dataSource, layout)) {
            shell.stdout.write(`${layout.dataset}: removed the layout ${layout.id}\n`)
          }
        }
        if (unserved.length === 0) shell.stdout.write('Every layout is served.\n')
      }),
    )
  })
}
