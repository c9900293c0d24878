import { readConfig } from '../../src/config'
import { type RefreshOutcome, refreshDataset } from '../../src/refresh/refresher'
import { createServices } from '../../src/services'
import { readDefinitions } from '../../src/storage/read-definitions'
import { declarationsOf } from './server'

/** Refreshes the datasets as a process of its own would: with connections of its own, to Redis if it is told of one. */
export async function refreshFromOutside(
  databaseUrl: string,
  datasets: readonly object[],
  redisUrl?: string,
): Promise<readonly RefreshOutcome[]> {
  const config = readConfig({ ...(redisUrl !== undefined && { REDIS_URL: redisUrl }) })
  const services = createServices({ config, databaseUrl, onCacheEvent: () => undefined })
  const { dataSource, register } = services
  try {
    await dataSource.initialize()
    const outcomes: RefreshOutcome[] = []
    for (const definition of await readDefinitions(dataSource, declarationsOf(datasets))) {
      outcomes.push(await refreshDataset(definition, { dataSource, register }))
    }
    return outcomes
  } finally {
    await services.close()
  }
}
