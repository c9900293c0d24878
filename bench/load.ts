import { connect, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { bodyOf, ResponseReader } from './http-response'

interface Client {
  send(request: Buffer): void
  close(): void
}

/** Opens a keep-alive connection, on which one request at a time is under way. */
function openClient(port: number, onResponse: (response: Buffer) => void, onError: (error: Error) => void): Client {
  const reader = new ResponseReader()
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let isClosed = false
  socket.on('data', (chunk) => {
    try {
      const response = reader.read(chunk)
      if (response !== null) onResponse(response)
    } catch (error) {
      onError(error instanceof Error ? error : new Error(String(error)))
    }
  })
  socket.on('error', onError)
  socket.on('close', () => isClosed || onError(new Error('The server has closed a connection')))
  return {
    send: (request) => socket.write(request),
    close: () => {
      isClosed = true
      socket.destroy()
    },
  }
}

export interface LoadOptions {
  readonly port: number
  readonly connections: number
  /** Gives the next request. */
  readonly next: () => Buffer
  readonly seconds: number
  /** How long requests are sent before they count. */
  readonly leadSeconds: number
  /** Processor seconds that the server has used so far; null where nobody knows. */
  readonly cpuSeconds: () => number | null
}

export interface Load {
  readonly perSecond: number
  /** Processor time of the server for one request. */
  readonly cpuMicroseconds: number | null
  /** Share of a processor that sending and reading took. */
  readonly generatorShare: number
}

/** Sends a request on every connection as soon as the one before is answered, and counts the answers. */
export async function putUnderLoad(options: LoadOptions): Promise<Load> {
  const { port, connections, next, cpuSeconds } = options
  let answers = 0
  let isOver = false
  let fail: (error: Error) => void = () => undefined
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject
  })
  failed.catch(() => undefined)
  const clients = Array.from({ length: connections }, () => {
    const client = openClient(
      port,
      () => {
        answers += 1
        if (!isOver) client.send(next())
      },
      (error) => fail(error),
    )
    return client
  })
  try {
    for (const client of clients) client.send(next())
    await Promise.race([wait(options.leadSeconds * 1000), failed])
    const [answersBefore, cpuBefore, ownBefore, start] = [answers, cpuSeconds(), process.cpuUsage(), performance.now()]
    await Promise.race([wait(options.seconds * 1000), failed])
    const seconds = (performance.now() - start) / 1000
    const [answered, cpuAfter, own] = [answers - answersBefore, cpuSeconds(), process.cpuUsage(ownBefore)]
    return {
      perSecond: answered / seconds,
      cpuMicroseconds: cpuBefore === null || cpuAfter === null ? null : ((cpuAfter - cpuBefore) * 1e6) / answered,
      generatorShare: (own.user + own.system) / 1e6 / seconds,
    }
  } finally {
    isOver = true
    for (const client of clients) client.close()
  }
}

export interface Answered {
  readonly ms: number
  readonly body: string
}

/** Sends requests on one connection, each when the one before is answered. */
export async function askInTurn(port: number, requests: readonly Buffer[]): Promise<readonly Answered[]> {
  let settle: { resolve(response: Buffer): void; reject(error: Error): void } | null = null
  const client = openClient(
    port,
    (response) => settle?.resolve(response),
    (error) => settle?.reject(error),
  )
  const answers: Answered[] = []
  try {
    for (const request of requests) {
      const start = performance.now()
      const response = await new Promise<Buffer>((resolve, reject) => {
        settle = { resolve, reject }
        client.send(request)
      })
      answers.push({ ms: performance.now() - start, body: bodyOf(response) })
    }
  } finally {
    client.close()
  }
  return answers
}
