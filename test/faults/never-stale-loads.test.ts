import { eventually } from '../support/eventually'
import { type Cluster, openCluster } from '../support/torture/cluster'
import { NONE } from '../support/torture/faults'
import { HttpConnection } from '../support/torture/http-connection'
import { QUESTIONS } from '../support/torture/questions'
import { writeRequest } from '../support/torture/requests'
import { runRound } from '../support/torture/run-round'

const REQUESTS = 1_000
const AT_A_TIME = 50
/** The questions about the first dataset, which come first; what is asked cold is about the other one. */
const WARM_QUESTIONS = QUESTIONS.findIndex(({ name }) => name.endsWith('_tocks'))
/** Refreshes of today while closed days are asked for. */
const REFRESHES = 8
/** Once by the holder of the lease, and by each server once more while a commit is under way. */
const MOST_LOADS = 4

describe('what three servers load from Postgres', () => {
  let cluster: Cluster

  beforeAll(async () => {
    cluster = await openCluster({ refreshers: 1 })
    await cluster.untilReady()
  }, 120_000)
  afterAll(async () => {
    await cluster?.close()
  }, 60_000)

  const indexOf = (name: string) => QUESTIONS.findIndex((each) => each.name === name)
  const connectAll = () =>
    Array.from(
      { length: REQUESTS },
      (_, index) => new HttpConnection(cluster.servers[index % cluster.servers.length]?.port ?? 0),
    )

  /** Asks another question over each connection, a few at a time: it is the question that is to be cold, not the process. */
  async function warmUp(connections: readonly HttpConnection[]): Promise<void> {
    for (let first = 0; first < connections.length; first += AT_A_TIME) {
      const some = connections.slice(first, first + AT_A_TIME)
      const asked = some.map((each, index) => each.ask(writeRequest((first + index) % WARM_QUESTIONS, 'unique', null)))
      for (const { status } of await Promise.all(asked)) expect(status).toBe(200)
    }
  }

  /** Asks a question over all connections at once; gives the answers that there were, and the parts loaded for them. */
  async function askAtOnce(
    connections: readonly HttpConnection[],
    name: string,
  ): Promise<{ readonly answers: readonly string[]; readonly loads: number }> {
    await cluster.takePartReads()
    const request = writeRequest(indexOf(name), 'hot', null)
    const answers = await Promise.all(connections.map((each) => each.ask(request)))
    const { others } = await cluster.takePartReads()
    return { answers: [...new Set(answers.map(({ status, body }) => `${status} ${body}`))], loads: others }
  }

  it('is one load in all for a thousand who ask the same at once', async () => {
    const connections = connectAll()
    try {
      await warmUp(connections)
      const { answers, loads } = await askAtOnce(connections, 'kind_tocks')
      process.stdout.write(`${JSON.stringify({ requests: REQUESTS, loads })}\n`)
      expect(answers).toEqual([expect.stringMatching(/^200 /)])
      expect(loads).toBe(1)
    } finally {
      for (const connection of connections) connection.close()
    }
  }, 120_000)

  it('is at most one load a process without Redis', async () => {
    const connections = connectAll()
    try {
      await warmUp(connections)
      await cluster.redis.kill()
      await untilWithoutRedis()
      const { answers, loads } = await askAtOnce(connections, 'totals_tocks')
      process.stdout.write(`${JSON.stringify({ requests: REQUESTS, servers: cluster.servers.length, loads })}\n`)
      expect(answers).toEqual([expect.stringMatching(/^200 /)])
      expect(loads).toBeLessThanOrEqual(cluster.servers.length)
    } finally {
      for (const connection of connections) connection.close()
      await cluster.startRedis()
      await cluster.untilReady()
    }
  }, 120_000)

  const untilWithoutRedis = () =>
    eventually(async () => {
      const answers = await Promise.all(
        cluster.servers.map(async ({ port }) => (await fetch(`http://127.0.0.1:${port}/readyz`)).json()),
      )
      return answers.every((each) => (each as { status: string }).status === 'degraded') ? true : null
    })

  it('is about one load of each part for each refresh, while everybody asks', async () => {
    const { loads, loadFactor, commits, answers, anomalies } = await runRound(cluster, NONE, { seed: 1 })
    process.stdout.write(`${JSON.stringify({ answers, refreshes: commits, loads, loadFactor })}\n`)
    expect(anomalies).toEqual([])
    expect(loadFactor).toBeLessThan(MOST_LOADS)
  }, 120_000)

  it('is nothing for closed days while refreshes change today alone', async () => {
    const closed = QUESTIONS.flatMap(({ isClosed }, index) => (isClosed ? [index] : []))
    const connections = cluster.servers.map(({ port }) => new HttpConnection(port))
    /** Asks every server for all closed days, in operations that no cache of whole answers knows. */
    const askAll = async () => {
      let reads = 0
      for (const connection of connections) {
        for (const question of closed) {
          const { status, body } = await connection.ask(writeRequest(question, 'unique', null))
          expect([status, QUESTIONS[question]?.read(JSON.parse(body).data).kind]).toEqual([200, 'shown'])
          reads += 1
        }
      }
      return reads
    }
    await askAll()
    await cluster.takePartReads()
    let reads = 0
    await cluster.beginRefreshing(0, 1)
    try {
      const rounds = () => new Set(cluster.commits.map(({ dataset, round }) => `${dataset} ${round}`)).size
      for (const end = rounds() + REFRESHES; rounds() < end; ) reads += await askAll()
    } finally {
      await cluster.refreshers[0]?.child.order({ what: 'stop' })
      for (const connection of connections) connection.close()
    }
    const loads = (await cluster.takePartReads()).closed
    process.stdout.write(`${JSON.stringify({ reads, loads, hitRate: 1 - loads / reads })}\n`)
    expect(loads).toBeLessThanOrEqual(reads / 100)
  }, 120_000)
})
