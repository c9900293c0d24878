import { parseArgs } from 'node:util'
import { findRedisServer } from '../redis-server'
import { openCluster } from './cluster'
import { HttpConnection } from './http-connection'

/** One minute without Postgres and Redis. */
interface Minute {
  readonly kept: number
  readonly refused: number
  /** The least heap in use that was seen, in megabytes: what the collector could not take away. */
  readonly heapMb: number
}

const CONNECTIONS = 8
const KEPT = '{ ticks { meta { stale dataAsOf } totals { amount } } }'
/** Most by which the heap in use may grow from the second minute on. */
const MOST_GROWTH_MB = 16

const print = (line: string) => process.stdout.write(`${line}\n`)

function request(query: string): string {
  const body = JSON.stringify({ query })
  return `POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

async function readHeap(port: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  const [, bytes] = /^nodejs_heap_size_used_bytes (\S+)$/m.exec(text) ?? []
  if (bytes === undefined) throw new Error('The server does not tell its heap')
  return Number(bytes) / 1024 ** 2
}

/** Asks for a minute what is kept, what is not, and whether the process lives; throws for any other answer than there must be. */
async function spendMinute(port: number, number: number): Promise<Minute> {
  const end = performance.now() + 60_000
  let [kept, refused, heapMb] = [0, 0, Number.POSITIVE_INFINITY]
  const ask = async (client: number): Promise<void> => {
    const connection = new HttpConnection(port)
    for (let turn = 0; performance.now() < end; turn += 1) {
      const isKept = turn % 2 === 0
      const query = isKept
        ? KEPT
        : `{ ticks(where: { kind: { ne: "${number}-${client}-${turn}" } }) { totals { amount } } }`
      const { status, body } = await connection.ask(request(query))
      const isRight = isKept
        ? status === 200 && body.includes('"stale":true') && !body.includes('"errors"')
        : status === 503 && body.includes('UPSTREAM_UNAVAILABLE')
      if (!isRight) throw new Error(`${isKept ? 'A kept' : 'Another'} question was answered with ${status} ${body}`)
      if (isKept) kept += 1
      else refused += 1
    }
    connection.close()
  }
  const watch = async (): Promise<void> => {
    while (performance.now() < end) {
      const alive = await fetch(`http://127.0.0.1:${port}/healthz`)
      if (alive.status !== 200) throw new Error(`/healthz is ${alive.status}`)
      heapMb = Math.min(heapMb, await readHeap(port))
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  }
  await Promise.all([watch(), ...Array.from({ length: CONNECTIONS }, (_, client) => ask(client))])
  return { kept, refused, heapMb }
}

/** `npm run soak -- --minutes 10`: a server under load while Postgres and Redis are both gone, and whether it keeps its memory. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } })
  const minutes = Number(values.minutes)
  if (!(minutes >= 2)) throw new Error('Usage: --minutes N, at least 2')
  process.env.AGGREGRAPH_TEST_REDIS_SERVER = await findRedisServer()
  const cluster = await openCluster({ servers: 1, refreshers: 0 })
  try {
    const [server] = cluster.servers
    if (server === undefined) throw new Error('There is no server')
    const connection = new HttpConnection(server.port)
    const before = await connection.ask(request(KEPT))
    if (before.status !== 200) throw new Error(`The question was answered with ${before.status} ${before.body}`)
    await cluster.killPostgres()
    await cluster.redis.kill()
    // Until the loss of Postgres is noticed, what is kept is not marked.
    while (!(await connection.ask(request(KEPT))).body.includes('"stale":true'));
    connection.close()
    const heaps: number[] = []
    for (let number = 1; number <= minutes; number += 1) {
      const { kept, refused, heapMb } = await spendMinute(server.port, number)
      print(`minute ${number}: ${kept} kept answers, ${refused} refused, least heap in use ${heapMb.toFixed(1)} MB`)
      heaps.push(heapMb)
    }
    await cluster.startRedis()
    await cluster.startPostgres()
    const began = performance.now()
    await cluster.untilReady()
    print(`ready ${((performance.now() - began) / 1000).toFixed(1)} s after Postgres was back`)
    const growth = (heaps.at(-1) ?? 0) - (heaps[1] ?? 0)
    print(
      `the heap grew by ${growth.toFixed(1)} MB from the second minute to the last, of ${MOST_GROWTH_MB} MB that it may`,
    )
    if (growth > MOST_GROWTH_MB) process.exitCode = 1
  } finally {
    await cluster.close()
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  process.exitCode = 1
})
