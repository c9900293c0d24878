import { type Logger, pino } from 'pino'
import type { Config } from '../config'
import { logCacheEvents } from '../log-cache-events'
import { createServices, type Services } from '../services'
import { explainPostgresFailure } from './failure'

/** Logs what a command must not keep to itself on the standard error output: the standard output is the command's answer. */
export function createCommandLogger(config: Config): Logger {
  const isChatty = config.logLevel === 'debug' || config.logLevel === 'trace'
  return pino({ level: isChatty ? config.logLevel : 'warn' }, pino.destination({ dest: 2, sync: true }))
}

/** Connects to the database, does a piece of work, and closes every connection, however it ends. */
export async function withServices<T>(
  config: Config,
  databaseUrl: string,
  logger: Logger,
  work: (services: Services) => Promise<T>,
): Promise<T> {
  const onCacheEvent = logCacheEvents(logger, config.redisUrl)
  const services = createServices({ config, databaseUrl, onCacheEvent })
  try {
    await services.dataSource.initialize()
    // Begins to connect; a Redis that is away is reported when something has to be told to it.
    await services.redis?.connect()
    return await work(services)
  } catch (error) {
    throw explainPostgresFailure(error, databaseUrl)
  } finally {
    await services.close()
  }
}
