import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Config } from '../config'
import { startEmbeddedPostgres } from '../embedded/embedded-postgres'
import { findRunningPostgres } from '../embedded/running-postgres'

/** Where the embedded Postgres keeps its data. */
export function embeddedDirectory(config: Pick<Config, 'data'>): string {
  return join(config.data, 'postgres')
}

/**
 * Works on the database of DATABASE_URL; without it on the embedded one that `npm start` has made, running or not.
 * Throws where there is none.
 */
export async function withDatabase<T>(config: Config, logger: Logger, work: (url: string) => Promise<T>): Promise<T> {
  if (config.databaseUrl !== null) return work(config.databaseUrl)
  const directory = embeddedDirectory(config)
  if (!existsSync(directory)) {
    throw new Error(
      `There is no database: set DATABASE_URL, or run "aggregraph start", which makes an embedded one in ${directory}.`,
    )
  }
  const running = await findRunningPostgres(directory)
  if (running !== null) return work(running)
  const embedded = await startEmbeddedPostgres({ directory, onLog: (line) => logger.debug(line) })
  try {
    return await work(embedded.url)
  } finally {
    await embedded.stop()
  }
}
