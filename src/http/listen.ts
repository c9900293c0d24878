import { type AddressInfo, createServer, type Server } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** What `localhost` means, whatever the machine's resolver says (RFC 6761, section 6.3). */
const LOOPBACK = ['127.0.0.1', '::1'] as const
/** A machine without IPv6 has no `::1`. */
const NO_SUCH_ADDRESS: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT'])

/** Lets an HTTP server listen, and stop listening. */
export interface Listening {
  /**
   * Listens at the host, `localhost` being 127.0.0.1 and, where the machine has it, ::1; resolves with the origin of
   * the first. Port 0 is a free one. Rejects, and closes the server, when an address is taken.
   */
  listen(address: { readonly host: string; readonly port: number }): Promise<string>
}

/**
 * Makes an HTTP server listen at more than one address. All connections are those of the one server, so that whatever stands
 * ahead of its routes, and whatever limits and ends its connections, is the same wherever they come in; the framework would
 * make a bare server for each further address. Call it before the server is ready.
 */
export function createListening(app: FastifyInstance): Listening {
  const doors: { readonly server: Server; readonly closed: Promise<void> }[] = []
  app.addHook('preClose', async () => {
    for (const { server } of doors) server.close()
  })
  // By now the HTTP server has ended what is idle; its own connections are not the only ones that may still be answered.
  app.addHook('onClose', async () => {
    await Promise.all(doors.map(({ closed }) => closed))
  })

  async function openDoor(host: string, port: number): Promise<void> {
    // As an HTTP server sets up its own.
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      app.server.emit('connection', socket)
    })
    server.maxConnections = app.server.maxConnections
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port }, () => {
        server.off('error', reject)
        resolve()
      })
    })
    server.on('error', (error) => app.server.emit('error', error))
    const closed = new Promise<void>((resolve) => {
      server.once('close', resolve)
    })
    doors.push({ server, closed })
  }

  return {
    listen: async ({ host, port }) => {
      const [first = host, ...others] = host === 'localhost' ? LOOPBACK : [host]
      await app.listen({ host: first, port })
      const { address, family, port: taken } = app.server.address() as AddressInfo
      try {
        for (const other of others) await openDoor(other, taken)
      } catch (error) {
        const isAbsent = error instanceof Error && 'code' in error && NO_SUCH_ADDRESS.has(String(error.code))
        if (!isAbsent) {
          await app.close()
          throw error
        }
      }
      return `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`
    },
  }
}
