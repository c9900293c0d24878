import { refreshFromOutside } from './refresh'
import { startTestServer } from './server'
import { Orders } from './shop'

/** What the parent may ask this process for; the answer is sent back under the same `id`. */
export interface ShopOrder {
  readonly id: number
  readonly what: 'partReads' | 'clear' | 'refresh'
}

/** The program of a server process: serves the shop, and does what its parent says. */
async function main(): Promise<void> {
  const { SHOP_DATABASE_URL: databaseUrl = '', SHOP_REDIS_URL: redisUrl } = process.env
  const env: Record<string, string> = redisUrl === undefined ? {} : { REDIS_URL: redisUrl }
  const server = await startTestServer({ databaseUrl, datasets: [Orders], env })
  process.on('disconnect', () => void server.stop().finally(() => process.exit()))
  process.on('message', async ({ id, what }: ShopOrder) => {
    if (what === 'clear') server.statements.clear()
    if (what === 'refresh') await refreshFromOutside(databaseUrl, [Orders], redisUrl)
    process.send?.({ id, partReads: server.statements.partReads() })
  })
  process.send?.({ url: server.url })
}

void main()
