import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Declaration } from '../dataset/declaration'
import { queryName } from '../dataset/names'
import { adviseOnSize } from '../dataset/rollup-size'
import type { RefreshOutcome } from '../refresh/refresher'
import { loadDeclarations } from '../services'
import { prepareDatabase } from '../storage/prepare-database'
import { parseDateOrDateTime, startOfDate } from '../time/date-or-time'
import { ALWAYS, type Stretch } from '../time/stretch'
import { createUpkeep } from '../upkeep'
import { createProgress } from './progress'
import { refreshDatasets } from './refresh-datasets'
import { createServerLogger } from './run-server'
import { addSettings, DATABASE_SETTINGS, readSettings } from './setting-options'
import type { Shell } from './shell'
import { watchSignals, whenAborted } from './signals'
import { withDatabase } from './with-database'
import { createCommandLogger, withServices } from './with-services'

interface Flags {
  readonly full?: boolean
  readonly watch?: boolean
  readonly from?: number
  readonly to?: number
}

function readInstant(text: string): number {
  const read = parseDateOrDateTime(text)
  if (read === null)
    throw new InvalidArgumentError('Write a date, 2026-03-01, or an RFC 3339 time, 2026-03-01T12:00:00Z.')
  return read.kind === 'instant' ? read.instant : startOfDate(read.date, 'UTC')
}

/** The range to compute anew; undefined when none was given. */
function readRange(command: Command, { from, to, full, watch }: Flags): Stretch | undefined {
  if (full === true && watch === true) command.error('error: --full does not go with --watch', { exitCode: 2 })
  if (from === undefined && to === undefined) return undefined
  if (full === true || watch === true) {
    command.error('error: --from and --to go with neither --full nor --watch', { exitCode: 2 })
  }
  const range = { from: from ?? ALWAYS.from, to: to ?? ALWAYS.to }
  if (range.from >= range.to) command.error('error: --from must lie before --to', { exitCode: 2 })
  return range
}

/** The datasets that were named; all when none was. */
function selectNamed(command: Command, declarations: readonly Declaration[], names: readonly string[]) {
  const nameOf = ({ className }: Declaration) => queryName(className)
  const known = new Set(declarations.map(nameOf))
  const unknown = names.filter((name) => !known.has(name))
  if (unknown.length > 0) {
    const list = unknown.map((name) => `"${name}"`).join(', ')
    command.error(`error: there is no dataset ${list}; the datasets are ${[...known].sort().join(', ')}`, {
      exitCode: 2,
    })
  }
  return declarations.filter((declaration) => names.length === 0 || names.includes(nameOf(declaration)))
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
        'REDIS_URL is set. Computes what has changed; a dataset whose refresh is "manual" whole. Waits while another ' +
        'process refreshes the same dataset. A dataset that was never built is built, slice by slice; a build that was ' +
        'interrupted goes on where it was.',
    )
    .argument('[dataset...]', 'datasets by the names of their queries; none means all')
    .option('--full', 'compute every bucket anew, whatever has changed')
    .option('--watch', 'go on refreshing on the intervals of the datasets, until stopped')
    .addOption(new Option('--from <time>', 'compute the buckets from this time on anew').argParser(readInstant))
    .addOption(new Option('--to <time>', 'compute the buckets before this time anew').argParser(readInstant))
  addSettings(command, [...DATABASE_SETTINGS, 'redisUrl', 'migrate']).action(
    async (names: readonly string[], flags: Flags) => {
      const config = readSettings(command, shell.env)
      const range = readRange(command, flags)
      const declarations = selectNamed(command, loadDeclarations(config), names)
      const logger = flags.watch === true ? createServerLogger(config, shell) : createCommandLogger(config)
      await withDatabase(config, logger, (url) =>
        withServices(config, url, logger, async (services) => {
          if (flags.watch === true) {
            const stopped = watchSignals(shell)
            const upkeep = createUpkeep({ config, services, declarations, logger })
            const running = upkeep.prepare().then(() => upkeep.run())
            try {
              await Promise.race([running, whenAborted(stopped)])
              await whenAborted(stopped)
            } finally {
              upkeep.stop()
              await running.catch(() => undefined)
            }
            return
          }
          const definitions = await prepareDatabase(services.dataSource, config, declarations)
          const options = { ...(flags.full === true && { full: true }), ...(range !== undefined && { range }) }
          const outcomes = await refreshDatasets(services, definitions, createProgress(shell), options)
          for (const outcome of outcomes) {
            shell.stdout.write(describeOutcome(outcome))
            for (const sentence of adviseOnSize(outcome)) shell.stderr.write(`${outcome.dataset}: ${sentence}\n`)
          }
        }),
      )
    },
  )
}
