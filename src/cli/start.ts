import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Logger } from 'pino'
import type { Config } from '../config'
import type { Declaration } from '../dataset/declaration'
import type { Definition } from '../dataset/definition'
import { DEFAULT_FLIGHTS, type LoadedFlights, loadFlights } from '../demo/load-flights'
import { startEmbeddedPostgres } from '../embedded/embedded-postgres'
import { createExampleQueries } from '../graphql/example-queries'
import { loadDeclarations } from '../services'
import { readLayoutReports } from '../storage/layout-reports'
import { prepareDatabase } from '../storage/prepare-database'
import { layoutId } from '../storage/rollup-table'
import { createProgress, type Progress } from './progress'
import { refreshDatasets } from './refresh-datasets'
import { createServerLogger, runServer } from './run-server'
import { serve } from './serve'
import { ALL_SETTINGS, addSettings, readSettings } from './setting-options'
import type { Shell } from './shell'
import { watchSignals, whenAborted } from './signals'
import { embeddedDirectory } from './with-database'
import { withServices } from './with-services'

type Rows = number | 'all'

function readRows(text: string): Rows {
  if (text === 'all') return text
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number of at least 1, or "all".')
}

interface DemoOptions {
  readonly config: Config
  readonly url: string
  readonly declarations: readonly Declaration[]
  readonly logger: Logger
}

/** Builds what has not been built from the flights that are loaded now. */
async function buildRollups(
  { config, url, declarations, logger }: DemoOptions,
  flights: LoadedFlights,
  progress: Progress,
): Promise<readonly Definition[]> {
  return withServices(config, url, logger, async (services) => {
    const definitions = await prepareDatabase(services.dataSource, config, declarations)
    const reports = await readLayoutReports(services.dataSource)
    const isCurrent = (definition: Definition) => {
      const report = reports.get(layoutId(definition))
      if (report?.isReady !== true || flights.isNew) return false
      // A start that was ended between loading and building has left the rollups of other flights.
      return config.datasets !== null || report.sourceRows === flights.rows
    }
    const missing = definitions.filter((definition) => !isCurrent(definition))
    await refreshDatasets(services, missing, progress)
    return definitions
  })
}

async function prepareDemo(options: DemoOptions, rows: Rows, stopped: AbortSignal, progress: Progress) {
  const flights = await loadFlights({
    url: options.url,
    rows,
    signal: stopped,
    onProgress: ({ done, total }) =>
      progress.show({ task: 'flights', label: `loading ${total.toLocaleString('en')} flights`, done, total }),
  })
  progress.stop()
  return buildRollups(options, flights, progress)
}

function greet(url: string, definitions: readonly Definition[]): string {
  const queries = createExampleQueries(definitions).slice(0, 3)
  return `
Aggregraph is ready. Stop it with Ctrl-C.

  GraphiQL  ${url}/graphiql
  GraphQL   ${url}/graphql
  Schema    ${url}/schema.graphql

Three questions to paste into GraphiQL:

${queries.map(({ query }) => query).join('\n')}`
}

async function startDemo(config: Config, rows: Rows, shell: Shell): Promise<void> {
  const stopped = watchSignals(shell)
  const declarations = loadDeclarations(config)
  const logger = createServerLogger(config, shell)
  const progress = createProgress(shell)
  const postgres = await startEmbeddedPostgres({
    directory: embeddedDirectory(config),
    onLog: (line) => logger.debug(line),
  })
  void postgres.exited.then(() => {
    if (stopped.aborted) return
    logger.fatal('The embedded PostgreSQL has ended by itself; its log is shown with LOG_LEVEL=debug')
    shell.exit(1)
  })
  try {
    const demo: DemoOptions = { config, url: postgres.url, declarations, logger }
    // Stopping Postgres ends whatever is loaded or built, and leaves nothing half-made.
    const definitions = await Promise.race([prepareDemo(demo, rows, stopped, progress), whenAborted(stopped)])
    if (definitions === undefined || stopped.aborted) return
    const onReady = (url: string) => shell.stdout.write(greet(url, definitions))
    await runServer({ config, databaseUrl: postgres.url, declarations, logger, stopped, onReady })
  } catch (error) {
    // A load that a signal has ended is not a failure.
    if (!stopped.aborted) throw error
  } finally {
    await postgres.stop()
  }
}

export function addStartCommand(program: Command, shell: Shell): void {
  const command = program
    .command('start')
    .summary('try Aggregraph on real flights, or serve DATABASE_URL')
    .description(
      'Without DATABASE_URL: starts the Postgres that npm installed, loads real flights into it, builds their rollups ' +
        'and serves them. The data stays in AGGREGRAPH_DATA, so that later starts only serve. ' +
        'With DATABASE_URL: does what "aggregraph serve" does.',
    )
    .addOption(
      new Option('--rows <number|all>', `How many of 3,000,000 flights to load (default ${DEFAULT_FLIGHTS})`).argParser(
        readRows,
      ),
    )
  addSettings(command, ALL_SETTINGS).action(async ({ rows }: { readonly rows?: Rows }) => {
    const config = readSettings(command, shell.env)
    if (config.databaseUrl === null) {
      // The screen is for a person: progress, and where to go.
      const env = { ...shell.env, LOG_LEVEL: shell.env.LOG_LEVEL || 'warn' }
      return startDemo(readSettings(command, env), rows ?? DEFAULT_FLIGHTS, shell)
    }
    if (rows !== undefined) {
      command.error('error: --rows is for the demo, which loads flights only where DATABASE_URL is not set', {
        exitCode: 2,
      })
    }
    return serve(config, shell)
  })
}
