import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { ShopOrder } from './shop-process'

/** A server of the shop in a process of its own, which ends with this one. */
export interface ServerProcess {
  readonly url: string
  /** Statements on the rollups since the last `clear`. */
  partReads(): Promise<number>
  clear(): Promise<void>
  /** Refreshes the shop with connections of its own. */
  refresh(): Promise<void>
  stop(): Promise<void>
}

export async function startServerProcess(databaseUrl: string, redisUrl: string): Promise<ServerProcess> {
  const child = fork(join(__dirname, 'shop-process.ts'), {
    execArgv: ['--require', join(__dirname, '../../scripts/register-typescript.cjs')],
    env: { ...process.env, SHOP_DATABASE_URL: databaseUrl, SHOP_REDIS_URL: redisUrl },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit')
  const [{ url }] = (await Promise.race([
    once(child, 'message'),
    ended.then(([code]) => Promise.reject(new Error(`The server process ended with ${code}`))),
  ])) as [{ url: string }]
  let last = 0
  const order = (what: ShopOrder['what']): Promise<number> => {
    last += 1
    const id = last
    return new Promise((resolve) => {
      const hear = (message: { readonly id: number; readonly partReads: number }) => {
        if (message.id !== id) return
        child.off('message', hear)
        resolve(message.partReads)
      }
      child.on('message', hear)
      child.send({ id, what } satisfies ShopOrder)
    })
  }
  return {
    url,
    partReads: () => order('partReads'),
    clear: async () => void (await order('clear')),
    refresh: async () => void (await order('refresh')),
    stop: async () => {
      child.disconnect()
      await ended
    },
  }
}
