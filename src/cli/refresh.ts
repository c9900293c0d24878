import type { Command } from 'commander'
import type { Definition } from '../dataset/definition'
import type { RefreshOutcome } from '../refresh/refresher'
import { loadDeclarations } from '../services'
import { prepareDatabase } from '../storage/prepare-database'
import { createProgress } from './progress'
import { refreshDatasets } from './refresh-datasets'
import { addSettings, DATABASE_SETTINGS, readSettings } from './setting-options'
import type { Shell } from './shell'
import { withDatabase } from './with-database'
import { createCommandLogger, withServices } from './with-services'

/** The definitions of the datasets that were named; all when none was. */
function selectNamed(command: Command, definitions: readonly Definition[], names: readonly string[]) {
  const known = new Set(definitions.map(({ name }) => name))
  const unknown = names.filter((name) => !known.has(name))
  if (unknown.length > 0) {
    const list = unknown.map((name) => `"${name}"`).join(', ')
    command.error(`error: there is no dataset ${list}; the datasets are ${[...known].sort().join(', ')}`, {
      exitCode: 2,
    })
  }
  return definitions.filter(({ name }) => names.length === 0 || names.includes(name))
}

function describeOutcome({ dataset, hasChanged, version, sourceRows, rowsWithoutTime, rollups }: RefreshOutcome) {
  const change = hasChanged ? `version ${version.seq} is new` : `nothing has changed since version ${version.seq}`
  const left = rowsWithoutTime > 0 ? `; ${rowsWithoutTime} rows without a usable time are in no bucket` : ''
  const rows = rollups.reduce((sum, rollup) => sum + rollup.rows, 0)
  return `${dataset}: ${change}; ${sourceRows} source rows in ${rows} rows of ${rollups.length} rollup(s)${left}\n`
}

export function addRefreshCommand(program: Command, shell: Shell): void {
  const command = program
    .command('refresh')
    .summary('bring rollups up to date with their sources')
    .description(
      'Brings the rollups of the datasets up to date with their sources, and tells every server through Redis, where ' +
        'REDIS_URL is set. Waits while another process refreshes the same dataset. A dataset that was never built is built.',
    )
    .argument('[dataset...]', 'datasets by the names of their queries; none means all')
    .option('--full', 'recompute every bucket from the source, as every refresh of this release does')
  addSettings(command, [...DATABASE_SETTINGS, 'redisUrl', 'migrate']).action(async (names: readonly string[]) => {
    const config = readSettings(command, shell.env)
    const logger = createCommandLogger(config)
    const declarations = loadDeclarations(config)
    await withDatabase(config, logger, (url) =>
      withServices(config, url, logger, async (services) => {
        const definitions = await prepareDatabase(services.dataSource, config, declarations)
        const chosen = selectNamed(command, definitions, names)
        const outcomes = await refreshDatasets(services, chosen, createProgress(shell))
        for (const outcome of outcomes) shell.stdout.write(describeOutcome(outcome))
      }),
    )
  })
}
