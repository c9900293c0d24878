import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis as Connection } from 'ioredis'
import { Client } from 'pg'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../../src/embedded/embedded-postgres'
import { findFreePort } from '../../../src/embedded/free-port'
import { eventually } from '../eventually'
import { type Redis, startRedis } from '../redis'
import { type Child, startChild } from './child'
import type { Begun, Commit } from './history'
import { now } from './monotonic'
import { type Link, openLink } from './proxy'
import type { ReaderMessage } from './reader-process'
import type { RefresherEvent, RefresherMessage, Station } from './refresher-process'
import type { PartReads, ServerMessage } from './server-process'
import { createTicks, NAMES } from './ticks'

/** A server of the cluster, which may be killed and come back at its port. */
export interface ServerSlot {
  readonly port: number
  child: Child<ServerMessage>
}

/** A refresher, and what it has told. */
export interface RefresherSlot {
  child: Child<RefresherMessage>
  /** Calls whoever waits until it is held. */
  onHeld: (at: Station) => void
}

/** Three servers, two refreshers and a process of readers around one Postgres and one Redis, all of their own. */
export interface Cluster {
  readonly servers: readonly ServerSlot[]
  readonly refreshers: readonly RefresherSlot[]
  readonly reader: Child<ReaderMessage>
  /** The first server and the first refresher reach Redis through these; all others directly. */
  readonly links: { readonly server: Link; readonly refresher: Link }
  readonly commits: Commit[]
  readonly begun: Begun[]
  /** Refreshes that failed, since they were taken last. */
  readonly failedRefreshes: string[]
  /** Processes that ended, and nobody had killed them. */
  readonly deaths: string[]
  readonly redisDirectory: string
  readonly redis: Redis
  query(sql: string): Promise<Record<string, unknown>[]>
  /** Sends one command to Redis itself. */
  command(...words: readonly string[]): Promise<unknown>
  startServer(index: number): Promise<void>
  startRefresher(index: number): Promise<void>
  /** Lets a refresher work until it is stopped. */
  beginRefreshing(index: number, seed: number): Promise<void>
  /** Milliseconds that a refresher rests between two refreshes, on average. */
  pauseMs: number
  /** Starts Redis at its port again, with what lies in its directory. */
  startRedis(): Promise<void>
  startPostgres(): Promise<void>
  /** Ends the postmaster and all that it has started at once. */
  killPostgres(): Promise<void>
  /** Resolves when every server says that nothing is amiss. Rejects with what has died of itself. */
  untilReady(): Promise<void>
  /** Parts read from Postgres since the last call, by all servers. */
  takePartReads(): Promise<PartReads>
  close(): Promise<void>
}

export interface ClusterOptions {
  /** Default 3. */
  readonly servers?: number
  /** Default 2. */
  readonly refreshers?: number
  /** Gives [0, 1), for delays. */
  readonly random?: () => number
}

const READY_MS = 60_000
const PAUSE_MS = 150

/** Starts a cluster whose datasets are built and whose servers answer. */
export async function openCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { servers: serverCount = 3, refreshers: refresherCount = 2, random = Math.random } = options
  const directory = await mkdtemp(join(tmpdir(), `aggregraph-test-${process.pid}-torture-`))
  const redisDirectory = await mkdtemp(join(tmpdir(), `aggregraph-test-${process.pid}-torture-redis-`))
  const postgresPort = await findFreePort()
  const commits: Commit[] = []
  const begun: Begun[] = []
  const failedRefreshes: string[] = []
  const deaths: string[] = []
  let isClosing = false
  const watch = (what: string, { exited }: Child<{ readonly id: number }>) =>
    void exited.then((end) => {
      if (end !== 'SIGKILL' && !isClosing) deaths.push(`${what} ended with ${end}`)
    })
  const servers: ServerSlot[] = []
  const refreshers: RefresherSlot[] = []
  let postgres: EmbeddedPostgres | null = null
  const databaseUrl = () => {
    const url = new URL(postgres?.url ?? '')
    url.port = String(postgresPort)
    return url.href
  }
  let url = ''

  async function startPostgres(): Promise<void> {
    postgres = await startEmbeddedPostgres({
      directory,
      onLog: () => undefined,
      settings: { port: String(postgresPort), fsync: 'off', shared_buffers: '64MB', max_connections: '150' },
    })
    url = databaseUrl()
  }
  async function query(sql: string): Promise<Record<string, unknown>[]> {
    const client = new Client({ connectionString: url })
    client.on('error', () => undefined)
    await client.connect()
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows
    } finally {
      await client.end()
    }
  }
  await startPostgres()
  await createTicks({ query })
  let redis = await startRedis({ directory: redisDirectory, args: ['--enable-debug-command', 'yes'] })
  const links = { server: await openLink(redis.port, random), refresher: await openLink(redis.port, random) }
  const envOf = (link: Link | null) => ({
    TORTURE_DATABASE_URL: url,
    TORTURE_REDIS_URL: `redis://127.0.0.1:${link?.port ?? redis.port}`,
  })

  async function startServer(index: number): Promise<void> {
    const port = servers[index]?.port ?? (await findFreePort())
    const env = { ...envOf(index === 0 ? links.server : null), TORTURE_PORT: String(port) }
    const child = await startChild<ServerMessage>('server-process.ts', env)
    watch(`server ${index}`, child)
    servers[index] = { port, child }
  }
  async function startRefresher(index: number): Promise<void> {
    const slot: RefresherSlot | undefined = refreshers[index]
    const hear = (message: Readonly<Record<string, unknown>>) => {
      const event = message as unknown as RefresherEvent
      if (event.event === 'held') refreshers[index]?.onHeld(event.at)
      else if (event.event === 'failed') failedRefreshes.push(`${event.at}: ${event.text}`)
      else (event.event === 'begun' ? begun : commits).push(event)
    }
    const child = await startChild<RefresherMessage>(
      'refresher-process.ts',
      envOf(index === 0 ? links.refresher : null),
      hear,
    )
    watch(`refresher ${index}`, child)
    if (slot === undefined) refreshers[index] = { child, onHeld: () => undefined }
    else slot.child = child
  }

  // The first one builds the rollups, which the others then find.
  await startServer(0)
  for (const index of Array.from({ length: serverCount - 1 }).keys()) await startServer(index + 1)
  for (const index of Array.from({ length: refresherCount }).keys()) await startRefresher(index)
  const reader = await startChild<ReaderMessage>('reader-process.ts', {})
  for (const dataset of NAMES.keys()) {
    begun.push({ dataset, round: 1, at: 0 })
    commits.push({ dataset, round: 1, at: now() })
  }

  async function isReady(port: number): Promise<boolean> {
    if (deaths.length > 0) return true
    const response = await fetch(`http://127.0.0.1:${port}/readyz`)
    return ((await response.json()) as { readonly status: string }).status === 'ready'
  }

  const cluster: Cluster = {
    pauseMs: PAUSE_MS,
    beginRefreshing: async (index, seed) => {
      await refreshers[index]?.child.order({ what: 'start', pauseMs: cluster.pauseMs, seed })
    },
    ...{ servers, refreshers, reader, links, commits, begun, failedRefreshes, deaths, redisDirectory },
    ...{ query, startServer, startRefresher, startPostgres },
    get redis() {
      return redis
    },
    command: async (...words) => {
      const connection = new Connection(redis.port, '127.0.0.1', { maxRetriesPerRequest: 1 })
      connection.on('error', () => undefined)
      try {
        const [name = '', ...rest] = words
        return await connection.call(name, ...rest)
      } finally {
        connection.disconnect()
      }
    },
    startRedis: async () => {
      const args = ['--enable-debug-command', 'yes']
      redis = await startRedis({ directory: redisDirectory, port: redis.port, args })
    },
    killPostgres: async () => {
      if (postgres === null) return
      process.kill(postgres.pid, 'SIGKILL')
      await postgres.exited
      postgres = null
    },
    untilReady: async () => {
      for (const { port } of servers) await eventually(async () => ((await isReady(port)) ? true : null), READY_MS)
      if (deaths.length > 0) throw new Error(deaths.join('; '))
    },
    takePartReads: async () => {
      const all: PartReads[] = []
      for (const { child } of servers) {
        all.push(((await child.order({ what: 'take' })) as unknown as { partReads: PartReads }).partReads)
      }
      return {
        closed: all.reduce((sum, { closed }) => sum + closed, 0),
        others: all.reduce((sum, { others }) => sum + others, 0),
        parts: [...new Set(all.flatMap(({ parts }) => parts))],
      }
    },
    close: async () => {
      isClosing = true
      await reader.stop()
      for (const { child } of [...refreshers, ...servers]) await child.stop()
      await links.server.close()
      await links.refresher.close()
      await redis.stop()
      await postgres?.stop()
      for (const folder of [directory, redisDirectory]) await rm(folder, { recursive: true, force: true })
    },
  }
  return cluster
}
