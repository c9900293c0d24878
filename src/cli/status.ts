import type { Command } from 'commander'
import type { RefreshOptions } from '../dataset/declaration'
import type { Definition } from '../dataset/definition'
import { loadDeclarations } from '../services'
import { type LayoutReport, readLayoutReports } from '../storage/layout-reports'
import { readDefinitions } from '../storage/read-definitions'
import { layoutId } from '../storage/rollup-table'
import { addSettings, DATABASE_SETTINGS, readSettings } from './setting-options'
import type { Shell } from './shell'
import { withDatabase } from './with-database'
import { createCommandLogger, withServices } from './with-services'

/** How the changes of a source are found. */
function modeOf(refresh: RefreshOptions): string {
  if (refresh === 'manual') return refresh
  if (refresh.capture !== undefined) return refresh.capture
  return refresh.updatedAt !== undefined ? 'updatedAt' : 'lookback'
}

/** What a layout is built of: all, from some day on, or nothing. */
function stateOf(report: LayoutReport | undefined): string {
  if (report === undefined) return 'not built'
  if (report.isReady) return report.isBehind ? 'behind' : 'built'
  const { builtFrom } = report
  if (builtFrom === null || !Number.isFinite(builtFrom)) return 'being built'
  return `being built, from ${new Date(builtFrom).toISOString().slice(0, 10)} on`
}

/** One layout, as `--json` prints it; of a dataset that was never built, all but its name and mode is empty. */
function describeLayout(dataset: string, id: string, refresh: RefreshOptions | null, report?: LayoutReport) {
  const { builtFrom = null } = report ?? {}
  return {
    dataset,
    layout: id.slice(dataset.length + 1),
    state: stateOf(report),
    served: report?.isServed ?? false,
    version: report?.version ?? null,
    sourceRows: report?.sourceRows ?? null,
    dataAsOf: report?.dataAsOf ?? null,
    lagSeconds: report?.lagSeconds ?? null,
    mode: refresh === null ? null : modeOf(refresh),
    exact: report?.isExact ?? false,
    waitingMarks: report?.waitingMarks ?? 0,
    frozenMarks: report?.frozenMarks ?? 0,
    builtFrom: builtFrom === null || !Number.isFinite(builtFrom) ? null : new Date(builtFrom).toISOString(),
    lastError: report?.lastError ?? null,
    lastErrorAt: report?.lastErrorAt ?? null,
    rollups: report?.rollups ?? [],
  }
}

type LayoutStatus = ReturnType<typeof describeLayout>

/** A dataset's own layout, and those of other definitions of it that are kept beside. */
type Status = LayoutStatus & { readonly others: readonly LayoutStatus[] }

function describeStatus(definition: Definition, reports: ReadonlyMap<string, LayoutReport>): Status {
  const { name, refresh } = definition
  const own = layoutId(definition)
  const others = [...reports.values()].filter(({ id, dataset }) => dataset === name && id !== own)
  return {
    ...describeLayout(name, own, refresh, reports.get(own)),
    others: others.map((report) => describeLayout(name, report.id, report.refresh, report)),
  }
}

const HEADINGS = [
  ...['DATASET', 'STATE', 'VERSION', 'SOURCE ROWS', 'ROLLUP ROWS', 'MB', 'DATA AS OF'],
  ...['LAG', 'MODE', 'EXACT', 'WAITING', 'FROZEN'],
]

function cellsOf(layout: LayoutStatus, waiting: string): string[] {
  const { version, sourceRows, rollups, dataAsOf, lagSeconds, mode, exact, frozenMarks } = layout
  const total = (key: 'rows' | 'bytes') => rollups.reduce((sum, rollup) => sum + rollup[key], 0)
  const seq = version?.split('.')[0] ?? '-'
  return [
    ...[seq, String(sourceRows ?? '-'), String(total('rows')), (total('bytes') / 1e6).toFixed(1), dataAsOf ?? '-'],
    ...[lagSeconds === null ? '-' : `${lagSeconds} s`, mode ?? '-', exact ? 'yes' : 'no'],
    ...[waiting, String(frozenMarks)],
  ]
}

/** A dataset's own layout, then the others below it, each by the beginning of its digest. */
function rowsOf({ others, ...own }: Status): string[][] {
  return [
    [own.dataset, own.state, ...cellsOf(own, String(own.waitingMarks))],
    ...others.map((other) => [
      `  ${other.layout.slice(0, 8)}`,
      `${other.state}, ${other.served ? 'served by others' : 'served by nobody'}`,
      // The marks are the dataset's, and stand above.
      ...cellsOf(other, '-'),
    ]),
  ]
}

function errorOf({ dataset, layout, lastError }: LayoutStatus, isOwn: boolean): string[] {
  const which = isOwn ? dataset : `${dataset}, layout ${layout.slice(0, 8)},`
  return lastError === null ? [] : [`The last refresh of ${which} failed: ${lastError}`]
}

function formatTable(statuses: readonly Status[]): string {
  const table = [HEADINGS, ...statuses.flatMap(rowsOf)]
  const widths = HEADINGS.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  const lines = table.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
  const errors = statuses.flatMap((status) => [
    ...errorOf(status, true),
    ...status.others.flatMap((other) => errorOf(other, false)),
  ])
  return `${[...lines.map((line) => line.trimEnd()), ...errors].join('\n')}\n`
}

export function addStatusCommand(program: Command, shell: Shell): void {
  const command = program
    .command('status')
    .summary('show what is built, and how old it is')
    .description(
      'Shows of every dataset how far its rollups are built, their version, rows and size, when the data was read from ' +
        'the source and how long ago, how changes are found and whether none can be missed, how many marks of changes wait ' +
        'for a refresh or were discarded because their buckets are frozen, and the error of the last refresh, if it ' +
        'failed. Below a dataset: layouts of other definitions of it, which other processes serve or nobody any more.',
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
        const statuses = definitions.map((definition) => describeStatus(definition, reports))
        shell.stdout.write(json === true ? `${JSON.stringify(statuses, null, 2)}\n` : formatTable(statuses))
      }),
    )
  })
}
