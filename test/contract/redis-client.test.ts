import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRedisClient, type RedisClient, type RedisClientOptions } from '../../src/cache/redis-client'
import { type Redis, startRedis } from '../support/redis'
import { createEventLog } from './event-log'

const log = createEventLog()
const clients: RedisClient[] = []
let server: Redis

beforeEach(async () => {
  server = await startRedis()
  log.take()
})

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
  await server.kill()
})

function createClient(options: RedisClientOptions & { url?: string } = {}): RedisClient {
  const client = createRedisClient(options.url ?? server.url, log.listen, options)
  clients.push(client)
  return client
}

const ping = (client: RedisClient) => client.run('ping', (redis) => redis.ping())

it('connects when first used, and says a command sent before is a miss', async () => {
  const client = createClient()
  const ready = log.next('redis-ready')
  await expect(ping(client)).rejects.toThrow('Redis is not connected.')
  await ready
  await expect(ping(client)).resolves.toBe('PONG')
  expect(log.take()).toEqual([{ kind: 'redis-ready', version: expect.stringMatching(/^\d+\./), protocol: 3 }])
})

it('asks with commands and hears messages over one connection', async () => {
  const client = createClient()
  const heard = new Promise((resolve) => client.subscribe('news', resolve))
  await client.connect()
  // Subscribing is under way on the same connection, so a publish sent after it is heard.
  await client.run('publish', (redis) => redis.publish('news', 'hello'))
  expect(await heard).toBe('hello')
  expect(await client.run('count', (redis) => redis.client('LIST'))).toMatch(/^id=.* resp=3\b.*\n$/)
})

it('tells a doctor about the server', async () => {
  const report = await createClient().ping()
  expect(report).toEqual({
    version: expect.stringMatching(/^\d+\.\d+/),
    runId: expect.stringMatching(/^[0-9a-f]{40}$/),
    protocol: 3,
    maxmemoryPolicy: 'noeviction',
    epoch: expect.stringMatching(/^[0-9a-f]{40}\.[0-9a-f]{40}$/),
    latencyMs: expect.any(Number),
  })
})

it('gives up on a paused server at the deadline, then leaves it alone', async () => {
  const client = createClient({ deadlineMs: 20, random: () => 1 })
  await client.connect()
  log.take()
  server.pause()
  const outcomes = await Promise.allSettled(Array.from({ length: 7 }, () => ping(client)))
  expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.message)).toEqual(
    Array(7).fill('Redis did not answer within 20 ms.'),
  )
  await expect(ping(client)).rejects.toThrow('Redis is left alone for a while after failures.')
  const late = { kind: 'redis-error', command: 'ping', message: 'Redis did not answer within 20 ms.' }
  expect(log.take()).toEqual([late, late, late, late, { kind: 'breaker-opened', forMs: 500 }, late, late, late])
})

it('finds a server again that was silent for too long', async () => {
  const client = createClient({ deadlineMs: 20, silenceMs: 100 })
  await client.connect()
  const down = log.next('redis-down')
  server.pause()
  await expect(ping(client)).rejects.toThrow('within 20 ms')
  await down
  await expect(ping(client)).rejects.toThrow('Redis is not connected.')
  const ready = log.next('redis-ready')
  server.resume()
  await ready
  await expect(ping(client)).resolves.toBe('PONG')
})

it('finds a restarted server again and sees that it is another', async () => {
  const client = createClient()
  await client.connect()
  const epoch = client.server?.epoch
  const down = log.next('redis-down')
  await server.kill()
  await down
  expect(client.server).toBeNull()
  const ready = log.next('redis-ready')
  server = await startRedis({ port: server.port })
  await ready
  expect(client.server?.epoch).not.toBe(epoch)
})

it('waits for a server that still reads its dump', async () => {
  const directory = await mkdtemp(join(tmpdir(), `aggregraph-test-${process.pid}-dump-`))
  try {
    const { port } = server
    await server.kill()
    server = await startRedis({ port, directory })
    const client = createClient()
    await client.connect()
    await client.run('fill', async (redis) => {
      await redis.mset(Object.fromEntries(Array.from({ length: 300 }, (_, index) => [index, randomBytes(1_000)])))
      await redis.save()
    })
    log.take()
    const down = log.next('redis-down')
    await server.kill()
    await down
    const ready = log.next('redis-ready')
    // Three milliseconds a key, with a look at its connections every few.
    const args = ['--key-load-delay', '3000', '--loading-process-events-interval-bytes', '1024']
    const starting = startRedis({ port, directory, args })
    await ready
    const answer = await ping(client).catch(String)
    server = await starting
    expect(answer).toBe('PONG')
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})

it('hears messages again after its connection was cut', async () => {
  const client = createClient()
  const messages: string[] = []
  let hear = () => {}
  client.subscribe('news', (message) => {
    messages.push(message)
    hear()
  })
  await client.connect()
  const ready = log.next('redis-ready')
  const admin = createClient()
  await admin.connect()
  await ready
  const again = log.next('redis-ready')
  await admin.run('cut', (redis) => redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub'))
  await again
  const heard = new Promise<void>((resolve) => {
    hear = resolve
  })
  await client.run('publish', (redis) => redis.publish('news', 'again'))
  await heard
  expect(messages).toEqual(['again'])
})

it('does not count what the server refuses as a failure', async () => {
  const client = createClient()
  await client.connect()
  await client.run('set', (redis) => redis.set('text', 'x'))
  log.take()
  for (let i = 0; i < 6; i++) {
    await expect(client.run('hget', (redis) => redis.hget('text', 'x'))).rejects.toThrow('WRONGTYPE')
  }
  expect(new Set(log.takeKinds())).toEqual(new Set(['redis-error']))
})

it('never tells the password', async () => {
  const admin = createClient()
  await admin.connect()
  await admin.run('config', (redis) => redis.config('SET', 'requirepass', 'right'))
  log.take()
  const client = createClient({ url: server.url.replace('//', '//:s3cret@') })
  expect(await client.connect(200)).toBe(false)
  const events = JSON.stringify(log.take())
  expect(events).toContain('WRONGPASS')
  expect(events).not.toContain('s3cret')
  const right = createClient({ url: server.url.replace('//', '//:right@') })
  expect(await right.connect()).toBe(true)
})

it('does not subscribe where the server speaks only RESP2', async () => {
  const old = await startOldServer(server.port)
  const client = createClient({ url: `redis://127.0.0.1:${old.port}` })
  client.subscribe('news', () => {})
  const report = await client.ping()
  expect(report.protocol).toBe(2)
  await expect(client.run('get', (redis) => redis.get('anything'))).resolves.toBeNull()
  await client.close()
  await old.stop()
})

it('ends at once, also when the server is paused, and asks nothing afterwards', async () => {
  const client = createClient()
  await client.connect()
  server.pause()
  const running = ping(client)
  const [outcome] = await Promise.allSettled([running, client.close()])
  expect(outcome.status).toBe('rejected')
  await expect(ping(client)).rejects.toThrow('Redis is not connected.')
  expect(await client.connect()).toBe(false)
})

/** A proxy that refuses HELLO, as a server before Redis 6 does. */
async function startOldServer(target: number) {
  const sockets: Socket[] = []
  const proxy = createServer((socket) => {
    const upstream = connect(target, '127.0.0.1')
    sockets.push(socket, upstream)
    // HELLO is renamed to a command that does not exist.
    socket.on('data', (data) => upstream.write(data.toString('latin1').replace(/hello/i, 'HELLX'), 'latin1'))
    // The refusal names the renamed command.
    upstream.on('data', (data) => socket.write(data.toString('latin1').replace('HELLX', 'HELLO'), 'latin1'))
    socket.on('error', () => {})
    upstream.on('error', () => {})
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const address = proxy.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    async stop() {
      for (const socket of sockets) socket.destroy()
      proxy.close()
      await once(proxy, 'close')
    },
  }
}
