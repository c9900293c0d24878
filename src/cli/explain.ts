import { type Command, InvalidArgumentError, Option } from 'commander'
import { type GraphQLError, type GraphQLSchema, getOperationAST, getVariableValues, parse, validate } from 'graphql'
import type { Definition } from '../dataset/definition'
import { readDocument, readReportRequest, selectRoot } from '../graphql/read-request'
import { createSchema } from '../graphql/schema'
import type { ReportRequest } from '../report/request'
import { loadDeclarations } from '../services'
import { countSlice } from '../storage/count-slice'
import { readLayoutStates } from '../storage/layouts'
import { listPendingMigrations } from '../storage/migrate'
import { withConnection } from '../storage/query'
import { readDefinitions } from '../storage/read-definitions'
import { layoutId } from '../storage/rollup-table'
import { schemaOf } from '../storage/schema'
import { explainReport } from './explain-report'
import { addSettings, DATABASE_SETTINGS, readSettings } from './setting-options'
import type { Shell } from './shell'
import { withDatabase } from './with-database'
import { createCommandLogger, withServices } from './with-services'

type Variables = Readonly<Record<string, unknown>>

function readVariables(text: string): Variables {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  } catch {
    // Said below.
  }
  throw new InvalidArgumentError('It must be a JSON object.')
}

function refuse(errors: readonly GraphQLError[]): void {
  if (errors.length > 0) throw new Error(errors.map((error) => error.toString()).join('\n\n'))
}

/** The reports that a query asks for, with their datasets. Throws what GraphQL has against the query. */
function readReports(schema: GraphQLSchema, definitions: readonly Definition[], query: string, variables: Variables) {
  const document = parse(query)
  refuse(validate(schema, document))
  const operation = getOperationAST(document)
  if (operation == null) throw new Error('Give one operation: there is none, or more than one.')
  const { coerced, errors } = getVariableValues(schema, operation.variableDefinitions ?? [], variables)
  refuse(errors ?? [])
  const reading = readDocument(schema, document, coerced ?? {})
  return selectRoot(reading, operation).flatMap((field): [Definition, ReportRequest][] => {
    const definition = definitions.find(({ name }) => name === field.name)
    return definition === undefined ? [] : [[definition, readReportRequest(reading, definition, field)]]
  })
}

export function addExplainCommand(program: Command, shell: Shell): void {
  const command = program
    .command('explain')
    .summary('say which rollups answer a query, and why')
    .description(
      'Says of each part of a GraphQL query (totals, a series, a breakdown) which rollup it is answered from, how many ' +
        'of its rows are read, and why each other rollup does not do. Needs rollups that are built. Counts those rows, ' +
        'for no longer than an answer may take, and computes nothing from them.',
    )
    .argument('<query>', 'the GraphQL query, in quotation marks')
    .addOption(new Option('--variables <json>', 'its variables, as a JSON object').argParser(readVariables))
  addSettings(command, [...DATABASE_SETTINGS, 'statementTimeoutSeconds']).action(
    async (text: string, { variables }: { variables?: Variables }) => {
      const config = readSettings(command, shell.env)
      const logger = createCommandLogger(config)
      const declarations = loadDeclarations(config)
      await withDatabase(config, logger, (url) =>
        withServices({ ...config, redisUrl: null }, url, logger, async ({ dataSource }) => {
          const definitions = await readDefinitions(dataSource, declarations)
          const reports = readReports(createSchema(definitions), definitions, text, variables ?? {})
          const isEmpty = (await listPendingMigrations(dataSource)).length > 0
          const states = await withConnection(dataSource, async (query) =>
            isEmpty ? new Map() : readLayoutStates(query, schemaOf(dataSource), definitions.map(layoutId)),
          )
          for (const [definition, request] of reports) {
            const state = states.get(layoutId(definition))
            if (state?.data.isReady !== true) {
              throw new Error(`"${definition.name}" is not built: run "aggregraph refresh ${definition.name}" first.`)
            }
            const lines = await explainReport(definition, request, state, Date.now(), (slice) =>
              countSlice(dataSource, slice, config.statementTimeoutSeconds),
            )
            shell.stdout.write(`${lines.join('\n')}\n`)
          }
        }),
      )
    },
  )
}
