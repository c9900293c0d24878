import { setTimeout as wait } from 'node:timers/promises'
import { randomOf } from '../history/world'
import { type Failure, ReadLog, type Reads } from './history'
import { type HttpAnswer, HttpConnection } from './http-connection'
import { now } from './monotonic'
import { QUESTIONS, type Reading } from './questions'
import { type Form, writeRequest } from './requests'

/** What readers are to do until they are stopped. */
export interface ReaderOrder {
  /** Of the servers. */
  readonly ports: readonly number[]
  /** To each server. */
  readonly connections: number
  readonly seed: number
  /** Indexes of the questions that are asked. */
  readonly questions: readonly number[]
  /** Of a thousand requests, how many no server has seen, half of them only in other words. */
  readonly uniquePerMille: number
}

/** What readers have logged since they were asked last. */
export interface ReaderReport {
  readonly reads: Reads
  readonly failures: readonly Failure[]
  /** Answers, right or wrong; one about two datasets is two reads. */
  readonly answers: number
  /** Those of them that were 304: what the client has is still what it would get. */
  readonly notModified: number
}

export type ReaderMessage =
  | { readonly id: number; readonly what: 'start'; readonly order: ReaderOrder }
  | { readonly id: number; readonly what: 'stop' }

const RETRY_MS = 20
/** How long a client waits for an answer before it goes on without, and for how many it waits so at once. */
const PATIENCE_MS = 250
const MOST_LATE = 12
/** Bodies that were read before: hot answers repeat, and reading one takes longer than comparing it. */
const MOST_KNOWN = 5_000
/** Failures of one kind that are kept until they are taken. */
const MOST_FAILURES = 2_000

const log = new ReadLog()
const failures = new Map<Failure['kind'], Failure[]>()
let answers = 0
let notModified = 0
const known = QUESTIONS.map(() => new Map<string, Reading>())
let isRunning = false
let running: Promise<unknown> = Promise.resolve()

interface Answered {
  readonly question: number
  readonly server: number
  readonly startedAt: number
  readonly endedAt: number
}

function fail(answered: Answered, kind: Failure['kind'], text: string, isStale = false): void {
  const kept = failures.get(kind) ?? []
  failures.set(kind, kept)
  if (kept.length < MOST_FAILURES) kept.push({ ...answered, kind, isStale, text: text.slice(0, 400) })
}

/** Reads a body, or remembers what it said; null when it tells of errors. */
function readBody(question: number, body: string): Reading | null {
  const remembered = known[question]?.get(body)
  if (remembered !== undefined) return remembered
  const { data, errors } = JSON.parse(body) as { data?: unknown; errors?: unknown }
  if (errors !== undefined || data === undefined || data === null) return null
  const reading = QUESTIONS[question]?.read(data) ?? null
  const memory = known[question]
  if (memory !== undefined && memory.size > MOST_KNOWN / QUESTIONS.length) memory.clear()
  if (reading !== null) memory?.set(body, reading)
  return reading
}

function record(answered: Answered, answer: HttpAnswer): Reading | null {
  const reading = answer.status === 200 ? readBody(answered.question, answer.body) : null
  if (reading === null) {
    const isUnavailable = /"code":"(UPSTREAM_UNAVAILABLE|DATASET_NOT_READY|TIMEOUT)"/.test(answer.body)
    fail(answered, isUnavailable ? 'unavailable' : 'failed', `${answer.status} ${answer.body}`)
    return null
  }
  observe(answered, reading)
  return reading
}

function observe(answered: Answered, reading: Reading): void {
  if (reading.kind === 'mixed') {
    fail(answered, 'mixed', reading.why, reading.isStale)
    return
  }
  for (const { dataset, round } of reading.shown) {
    log.add({ ...answered, isStale: reading.isStale }, dataset, round ?? 0)
  }
}

/** What a client has of each question: the last answer with a tag, as a browser keeps it. */
type Kept = Map<number, { readonly etag: string; readonly reading: Reading }>

/** Asks one question, and logs what comes of it, whenever it comes. */
async function askOne(
  connection: HttpConnection,
  asked: { readonly question: number; readonly server: number; readonly form: Form },
  kept: Kept,
): Promise<void> {
  const { question, server, form } = asked
  const remembered = kept.get(question)
  const request = writeRequest(question, form, remembered?.etag ?? null)
  const startedAt = now()
  try {
    const answer = await connection.ask(request)
    const answered = { question, server, startedAt, endedAt: now() }
    answers += 1
    if (answer.status === 304 && remembered !== undefined) {
      notModified += 1
      observe(answered, remembered.reading)
      return
    }
    const reading = record(answered, answer)
    if (reading !== null && answer.etag !== null && form !== 'unique' && form !== 'respelled')
      kept.set(question, { etag: answer.etag, reading })
  } catch (error) {
    fail({ question, server, startedAt, endedAt: now() }, 'cut', error instanceof Error ? error.message : String(error))
    await wait(RETRY_MS)
  }
}

/**
 * One client: asks one question after another. It does not wait for an answer that is late, but opens a further connection:
 * else nothing would be asked while a server stands still, when old answers are likeliest.
 */
async function runClient(order: ReaderOrder, server: number, seed: number): Promise<void> {
  const random = randomOf(seed, 77)
  const kept: Kept = new Map()
  const late = new Map<HttpConnection, Promise<void>>()
  let connection = new HttpConnection(order.ports[server] ?? 0)
  while (isRunning) {
    const question = order.questions[random.below(order.questions.length)] ?? 0
    const form = chooseForm(random.below(1_000), order, kept.has(question))
    const asking = askOne(connection, { question, server, form }, kept)
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, PATIENCE_MS, 'late')
    })
    const isLate = (await Promise.race([asking, patience])) === 'late'
    clearTimeout(timer)
    if (!isLate) continue
    const slow = connection
    const ended = asking.finally(() => {
      late.delete(slow)
      slow.close()
    })
    late.set(slow, ended)
    if (late.size >= MOST_LATE) await Promise.race(late.values())
    connection = new HttpConnection(order.ports[server] ?? 0)
  }
  await Promise.all(late.values())
  connection.close()
}

function chooseForm(chance: number, order: ReaderOrder, hasTag: boolean): Form {
  if (chance < order.uniquePerMille) return chance % 2 === 0 ? 'unique' : 'respelled'
  const half = (1_000 - order.uniquePerMille) / 2
  if (chance < order.uniquePerMille + half) return 'hot'
  return hasTag && chance % 2 === 0 ? 'conditional' : 'get'
}

/** The program of a reader process: many clients of all servers, and one log. */
function main(): void {
  process.on('disconnect', () => process.exit())
  process.on('message', async (message: ReaderMessage) => {
    if (message.what === 'start') {
      isRunning = true
      const { order } = message
      const clients = order.ports.flatMap((_, server) =>
        Array.from({ length: order.connections }, (_each, client) =>
          runClient(order, server, order.seed + server * 1_000 + client),
        ),
      )
      running = Promise.all(clients)
      process.send?.({ id: message.id })
      return
    }
    isRunning = false
    await running
    const report: ReaderReport = { reads: log.take(), failures: [...failures.values()].flat(), answers, notModified }
    failures.clear()
    answers = 0
    notModified = 0
    process.send?.({ id: message.id, report })
  })
  process.send?.({ isReady: true })
}

main()
