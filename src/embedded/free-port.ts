import { once } from 'node:events'
import { createServer } from 'node:net'

/** Finds a port of 127.0.0.1 that was free a moment ago: whoever binds it must be ready to try another. */
export async function findFreePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('A TCP server has no port.')
  return address.port
}
