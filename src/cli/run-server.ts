import { type Logger, pino } from 'pino'
import type { Config } from '../config'
import type { Declaration } from '../dataset/declaration'
import { createServer } from '../server'
import { explainPostgresFailure } from './failure'
import type { Shell } from './shell'
import { whenAborted } from './signals'

export interface RunServerOptions {
  readonly config: Config
  readonly databaseUrl: string
  readonly declarations: readonly Declaration[]
  readonly logger: Logger
  /** Ends the server. */
  readonly stopped: AbortSignal
  /** Called when every dataset is served, with the origin. */
  readonly onReady: (url: string) => void
}

/** The log of a server: lines of JSON on the standard output. Whatever nobody catches is its last line. */
export function createServerLogger(config: Config, shell: Shell): Logger {
  const logger = pino({ level: config.logLevel })
  shell.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'Nobody caught this error; the process ends')
    shell.exit(1)
  })
  for (const warning of config.warnings) logger.warn(warning)
  return logger
}

/** Serves until the signal is aborted. Rejects with what keeps the server from starting. */
export async function runServer(options: RunServerOptions): Promise<void> {
  const { logger, stopped, databaseUrl } = options
  const server = createServer(options)
  const url = await server.listen()
  logger.info({ url }, 'Listening')
  try {
    const ready = server.ready().then(() => {
      logger.info({ url }, 'Ready')
      options.onReady(url)
    })
    await Promise.race([ready, whenAborted(stopped)])
    await whenAborted(stopped)
    logger.info('Stopping')
  } catch (error) {
    throw explainPostgresFailure(error, databaseUrl)
  } finally {
    await server.stop()
  }
}
