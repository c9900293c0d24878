import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import type { Logger } from 'pino'
import type { Config } from '../config'
import { createEmptyFlights } from '../demo/empty-flights'
import { startEmbeddedPostgres } from '../embedded/embedded-postgres'
import { createSchema, printSortedSchema } from '../graphql/schema'
import { loadDeclarations } from '../services'
import { readDefinitions } from '../storage/read-definitions'
import { addSettings, readSettings } from './setting-options'
import type { Shell } from './shell'
import { createCommandLogger, withServices } from './with-services'

interface SchemaFlags {
  readonly out?: string
  readonly check?: boolean
}

/** Prints the schema of the datasets. Reads the types of their columns, and writes nothing to the database. */
async function printSchema(config: Config, logger: Logger, databaseUrl: string): Promise<string> {
  const declarations = loadDeclarations(config)
  return withServices({ ...config, redisUrl: null }, databaseUrl, logger, async ({ dataSource }) =>
    printSortedSchema(createSchema(await readDefinitions(dataSource, declarations))),
  )
}

/** The same without a database: in one of its own, which has the tables of the demo without rows. */
async function printSchemaOfDemo(config: Config, logger: Logger): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'aggregraph-schema-'))
  try {
    const postgres = await startEmbeddedPostgres({ directory, onLog: (line) => logger.debug(line) })
    try {
      await createEmptyFlights(postgres.url)
      return await printSchema(config, logger, postgres.url)
    } finally {
      await postgres.stop()
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

export function addSchemaCommand(program: Command, shell: Shell): void {
  const command = program
    .command('schema')
    .summary('print the GraphQL schema of the datasets')
    .description(
      'Prints the GraphQL schema of the datasets as SDL, sorted. The types of the columns come from the database at ' +
        'DATABASE_URL; without it from the empty tables of the demo, in an embedded Postgres that is removed again.',
    )
    .option('--out <file>', 'write the schema to this file instead')
    .option('--check', 'write nothing: fail when the file of --out holds anything else')
  addSettings(command, ['databaseUrl', 'datasets', 'logLevel']).action(async ({ out, check }: SchemaFlags) => {
    if (check === true && out === undefined) {
      command.error('error: --check needs --out, the file to compare with', { exitCode: 2 })
    }
    const config = readSettings(command, shell.env)
    const logger = createCommandLogger(config)
    const { databaseUrl } = config
    const text = await (databaseUrl === null
      ? printSchemaOfDemo(config, logger)
      : printSchema(config, logger, databaseUrl))
    if (out === undefined) shell.stdout.write(text)
    else if (check !== true) await writeFile(out, text)
    else if ((await readFile(out, 'utf8').catch(() => null)) !== text) {
      throw new Error(`${out} is not the schema of the datasets: write it again with "aggregraph schema --out ${out}".`)
    }
  })
}
