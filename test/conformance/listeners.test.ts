import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { DEFAULT_HTTP_LIMITS } from '../../src/http/http-app'
import { createListening } from '../../src/http/listen'
import { type CachedApp, get, post, startCachedApp } from '../support/cached-app'
import { createTestHttpApp, startTestApp } from '../support/http-app'
import { startTestServer } from '../support/server'

const QUESTION = { query: '{ count }' }
const HIT = 'aggregraph; hit; detail=response'
const hasIPv6 = Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === '::1'))
const ADDRESSES = hasIPv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1']

/** What one address of an app says, until it ends the connection. */
async function send(port: number, address: string, bytes: string): Promise<string> {
  const chunks: Buffer[] = []
  const socket = connect(port, address, () => socket.write(bytes))
  await new Promise<void>((resolve, reject) => {
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => resolve())
  })
  return Buffer.concat(chunks).toString('utf8')
}

/** A connection that has been answered and waits for its next request. */
async function openIdle(port: number, address: string): Promise<Socket> {
  const socket = connect(port, address, () => socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'))
  await once(socket, 'data')
  return socket
}

function isRefused(port: number, address: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, address, () => {
      socket.destroy()
      resolve(false)
    })
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNREFUSED' ? resolve(true) : reject(error),
    )
  })
}

describe('a server at localhost', () => {
  let app: CachedApp
  const atAddress = (address: string) => ({
    ...app,
    url: `http://${address.includes(':') ? `[${address}]` : address}:${app.port}`,
  })
  const start = async (http?: Parameters<typeof startCachedApp>[0]) => {
    app = await startCachedApp(http, { host: 'localhost' })
  }
  afterEach(() => app.stop())

  it('answers at both loopback addresses from what it keeps', async () => {
    await start()
    const { etag = '' } = (await get(app, QUESTION)).headers
    await post(app, QUESTION)
    for (const address of ADDRESSES) {
      const there = atAddress(address)
      const [asked, posted] = [await get(there, QUESTION), await post(there, QUESTION)]
      expect([asked.status, asked.headers['cache-status'], asked.headers.etag]).toEqual([200, HIT, etag])
      expect([posted.status, posted.headers['cache-status']]).toEqual([200, HIT])
      expect((await get(there, QUESTION, { 'if-none-match': etag })).status).toBe(304)
    }
    // One for each way to ask.
    expect(app.world.executions).toBe(2)
  })

  it.each(ADDRESSES)('says at %s what it says everywhere of what never becomes a request', async (address) => {
    await start()
    expect(await send(app.port, address, 'nonsense\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 400 .*"This is not an HTTP request\."/s,
    )
    const expecting = 'GET /graphql HTTP/1.1\r\nHost: localhost\r\nExpect: tea\r\n\r\n'
    expect(await send(app.port, address, expecting)).toMatch(/^HTTP\/1\.1 417 .*"errors"/s)
  })

  it.each(ADDRESSES)('takes no more connections at %s than it may have', async (address) => {
    await start({ limits: { ...DEFAULT_HTTP_LIMITS, connections: 1 } })
    const first = await openIdle(app.port, address)
    await once(connect(app.port, address).resume(), 'close')
    first.destroy()
    await once(first, 'close')
  })

  it.each(ADDRESSES)('ends idle connections at %s when it closes, and answers what was asked', async (address) => {
    await start()
    await post(app, QUESTION)
    const isIdleOver = once((await openIdle(app.port, address)).resume(), 'close')
    let confirm = (_: boolean) => {}
    const isAsked = new Promise<void>((heard) => {
      app.world.confirms = () =>
        new Promise((resolve) => {
          confirm = resolve
          heard()
        })
    })
    const answer = post(atAddress(address), QUESTION)
    await isAsked
    let isStopped = false
    const stopped = app.stop().then(() => {
      isStopped = true
    })
    await isIdleOver
    const refusals = await Promise.all(ADDRESSES.map((each) => isRefused(app.port, each)))
    const wasStopped = isStopped
    confirm(true)
    const { status, headers } = await answer
    expect([status, headers.connection]).toEqual([200, 'close'])
    expect([wasStopped, ...refusals]).toEqual([false, ...ADDRESSES.map(() => true)])
    await stopped
  })
})

it('a whole server under HOST=localhost is reached at both', async () => {
  const options = { databaseUrl: 'postgres://127.0.0.1:1/none', datasets: [], waits: false }
  const server = await startTestServer({ ...options, env: { HOST: 'localhost' } })
  const { port } = new URL(server.url)
  for (const name of ['127.0.0.1', ...(hasIPv6 ? ['[::1]'] : [])]) {
    expect((await fetch(`http://${name}:${port}/healthz`)).status).toBe(200)
  }
  await server.stop()
})

it('listens nowhere but where it is told to', async () => {
  const app = await startTestApp({ host: '127.0.0.1' })
  expect(await isRefused(app.port, '127.0.0.1')).toBe(false)
  if (hasIPv6) expect(await isRefused(app.port, '::1')).toBe(true)
  await app.stop()
})

it('does not start, and leaves no address open, where one of them is taken', async () => {
  // Without ::1 there is one address alone.
  const other = createServer().listen(0, hasIPv6 ? '::1' : '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const app = createTestHttpApp({ graphql: () => null, createContext: async () => ({}) })
  await expect(createListening(app).listen({ host: 'localhost', port })).rejects.toThrow('EADDRINUSE')
  if (hasIPv6) expect(await isRefused(port, '127.0.0.1')).toBe(true)
  other.close()
  await once(other, 'close')
})
