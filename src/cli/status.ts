import type { Command } from 'commander'
import type { Definition } from '../dataset/definition'
import { loadDeclarations } from '../services'
import { type LayoutReport, readLayoutReports } from '../storage/layout-reports'
import { readDefinitions } from '../storage/read-definitions'
import { layoutId } from '../storage/rollup-table'
import { addSettings, DATABASE_SETTINGS, readSettings } from './setting-options'
import type { Shell } from './shell'
import { withDatabase } from './with-database'
import { createCommandLogger, withServices } from './with-services'

/** The status of a dataset, as `--json` prints it. */
function describeStatus(definition: Definition, report: LayoutReport | undefined) {
  return {
    dataset: definition.name,
    state: report === undefined ? 'not built' : report.isReady ? 'built' : 'being built',
    version: report?.version ?? null,
    sourceRows: report?.sourceRows ?? null,
    dataAsOf: report?.dataAsOf ?? null,
    lastError: report?.lastError ?? null,
    rollups: report?.rollups ?? [],
  }
}

type Status = ReturnType<typeof describeStatus>

const HEADINGS = ['DATASET', 'STATE', 'VERSION', 'SOURCE ROWS', 'ROLLUP ROWS', 'MB', 'DATA AS OF']

function rowOf({ dataset, state, version, sourceRows, rollups, dataAsOf }: Status): string[] {
  const total = (key: 'rows' | 'bytes') => rollups.reduce((sum, rollup) => sum + rollup[key], 0)
  const seq = version?.split('.')[0] ?? '-'
  const megabytes = (total('bytes') / 1e6).toFixed(1)
  return [dataset, state, seq, String(sourceRows ?? '-'), String(total('rows')), megabytes, dataAsOf ?? '-']
}

function formatTable(statuses: readonly Status[]): string {
  const table = [HEADINGS, ...statuses.map(rowOf)]
  const widths = HEADINGS.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  const lines = table.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
  const errors = statuses.flatMap(({ dataset, lastError }) =>
    lastError === null ? [] : [`The last refresh of ${dataset} failed: ${lastError}`],
  )
  return `${[...lines.map((line) => line.trimEnd()), ...errors].join('\n')}\n`
}

export function addStatusCommand(program: Command, shell: Shell): void {
  const command = program
    .command('status')
    .summary('show what is built, and how old it is')
    .description(
      'Shows of every dataset whether its rollups are built, their version, rows and size, when the data was read from ' +
        'the source, and the error of the last refresh, if it failed.',
    )
    .option('--json', 'print JSON, every rollup included')
  addSettings(command, DATABASE_SETTINGS).action(async ({ json }: { readonly json?: boolean }) => {
    const config = readSettings(command, shell.env)
    const logger = createCommandLogger(config)
    const declarations = loadDeclarations(config)
    await withDatabase(config, logger, (url) =>
      withServices({ ...config, redisUrl: null }, url, logger, async ({ dataSource }) => {
        const definitions = await readDefinitions(dataSource, declarations)
        const reports = await readLayoutReports(dataSource)
        const statuses = definitions.map((definition) => describeStatus(definition, reports.get(layoutId(definition))))
        shell.stdout.write(json === true ? `${JSON.stringify(statuses, null, 2)}\n` : formatTable(statuses))
      }),
    )
  })
}
