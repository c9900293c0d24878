import { join } from 'node:path'
import { pino } from 'pino'
import { readConfig } from '../src/config'
import type { Declaration } from '../src/dataset/declaration'
import { loadDatasets } from '../src/dataset/load-datasets'
import * as surface from '../src/index'
import { createServer } from '../src/server'
import { createStatementLog, type StatementLog } from '../test/support/statement-log'
import { DASHBOARD, type Dashboard, type DashboardRange } from './dashboard'

export interface RunningServer {
  readonly statements: StatementLog
  /** Asks for the dashboard over HTTP, as a browser would. */
  ask(range: DashboardRange): Promise<Dashboard>
  stop(): Promise<void>
}

/** Loads the dataset that ships: the flights. */
export function loadFlightsDataset(): readonly Declaration[] {
  return loadDatasets(join(__dirname, '../src/catalog'), surface).filter(({ className }) => className === 'Flights')
}

/** Starts a server without Redis, whose cache is hence empty, and waits until its rollups are built. */
export async function startServer(databaseUrl: string, declarations: readonly Declaration[]): Promise<RunningServer> {
  const statements = createStatementLog()
  const server = createServer({
    config: readConfig({ PORT: '0', DRAIN_SECONDS: '0', LOG_LEVEL: 'silent' }),
    databaseUrl,
    declarations,
    logger: pino({ level: 'silent' }),
    sqlLogger: statements,
  })
  const url = await server.listen()
  await server.ready()
  return {
    statements,
    ask: async ({ from, to, monthFrom, monthTo }) => {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
        body: JSON.stringify({ query: DASHBOARD, variables: { from, to, monthFrom, monthTo } }),
      })
      const { data, errors } = (await response.json()) as { data?: Dashboard; errors?: unknown }
      if (data === undefined || errors !== undefined) throw new Error(`Refused: ${JSON.stringify(errors)}`)
      return data
    },
    stop: () => server.stop(),
  }
}
