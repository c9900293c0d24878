import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { EMBEDDED_USER } from './embedded-postgres'
import { openPostgresHome } from './postgres-home'

/** Whether something accepts connections at a port of 127.0.0.1. */
function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 1000 })
    const settle = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => settle(true))
    socket.once('error', () => settle(false))
    socket.once('timeout', () => settle(false))
  })
}

/** The URL of the embedded PostgreSQL that another process runs on this directory; null when none does. */
export async function findRunningPostgres(directory: string): Promise<string | null> {
  const home = await openPostgresHome(directory, EMBEDDED_USER, () => undefined)
  // PostgreSQL writes its port on the fourth line.
  const lines = await readFile(join(home.data, 'postmaster.pid'), 'utf8').catch(() => '')
  const port = Number(lines.split('\n')[3])
  if (!Number.isInteger(port) || port < 1 || !(await isListening(port))) return null
  return `postgres://${EMBEDDED_USER}:${home.password}@127.0.0.1:${port}/postgres`
}
