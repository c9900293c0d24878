import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

/**
 * What a link does with bytes: `pass`; `delay` each piece by a random time; `mute` swallows what comes back, so that commands
 * are carried out and nobody hears of it; `lose` swallows what is sent; `refuse` ends connections, and new ones at once.
 */
export type LinkState = 'pass' | 'delay' | 'mute' | 'lose' | 'refuse'

/** A TCP link to a server of this machine that can be made worse. */
export interface Link {
  readonly port: number
  /** Bytes that were never passed on. */
  readonly swallowed: number
  set(state: LinkState): void
  close(): Promise<void>
}

/** Shortest and longest delay of a piece, in milliseconds. */
const DELAY_MS = [30, 300] as const

/** Opens a link to a port. Pieces of a connection are never reordered, only late or lost. `random` gives [0, 1). */
export async function openLink(target: number, random: () => number): Promise<Link> {
  let state: LinkState = 'pass'
  let swallowed = 0
  const sockets = new Set<Socket>()
  /** Sockets whose pieces wait their turn: a later piece must not overtake them. */
  const pending = new Set<Socket>()
  /** Sockets that bytes were swallowed of. What follows a hole is never delivered: TCP would not, either. */
  const holed = new Set<Socket>()

  function forward(from: Socket, to: Socket, isReply: boolean): void {
    let last: Promise<unknown> = Promise.resolve()
    from.on('data', (chunk) => {
      if (state === (isReply ? 'mute' : 'lose')) {
        holed.add(from)
        swallowed += chunk.length
        return
      }
      const [shortest, longest] = DELAY_MS
      const delay = state === 'delay' ? wait(shortest + random() * (longest - shortest)) : null
      if (delay === null && !pending.has(from)) {
        if (!to.destroyed) to.write(chunk)
        return
      }
      pending.add(from)
      const turn = last.then(() => delay).then(() => void (to.destroyed || to.write(chunk)))
      last = turn
      void turn.then(() => {
        if (last === turn) pending.delete(from)
      })
    })
    from.on('close', () => {
      for (const set of [sockets, pending, holed]) set.delete(from)
      to.destroy()
    })
    from.on('error', () => undefined)
  }

  const server = createServer((client) => {
    if (state === 'refuse') {
      client.destroy()
      return
    }
    const upstream = connect({ port: target, host: '127.0.0.1', noDelay: true })
    client.setNoDelay(true)
    for (const socket of [client, upstream]) sockets.add(socket)
    forward(client, upstream, false)
    forward(upstream, client, true)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    get swallowed() {
      return swallowed
    },
    set: (next) => {
      state = next
      for (const socket of next === 'refuse' ? sockets : holed) socket.destroy()
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
