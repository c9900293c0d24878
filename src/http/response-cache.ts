import { hash, randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import type { CacheListener } from '../cache/cache-event'
import { Doorkeeper } from '../cache/doorkeeper'
import { type ResponseStore, responseKey, type StoredResponse } from '../cache/response-store'
import { CACHE_STATUS } from '../graphql/cache-status'
import { respell, type Spelling } from '../graphql/spelling'
import { type Advance, recallAdvance, remember } from './advance'
import { CORS, EXPOSED_HEADERS, SECURITY_HEADERS, validators, varyOf } from './answer-headers'
import type { Caller, Identify } from './caller'
import { namesTag, tagOf } from './entity-tag'
import { checkHost, checkMediaType, checkUri, isJson, type RequestHead } from './request-checks'
import { logAbort, logRequest, type RequestListener } from './request-log'
import { readSpelledRequest, type SpelledRequest } from './spelled-request'

/** An answer that may be kept. */
export type WholeAnswer = Omit<StoredResponse, 'headers' | 'aliases'>

export interface ResponseCacheOptions {
  readonly responses: ResponseStore
  readonly onEvent: CacheListener
  readonly identify: Identify
  readonly phase: () => 'open' | 'draining' | 'closing'
  readonly hostNames: readonly string[] | null
  readonly corsOrigins: readonly string[]
  /** Whether answers differ by who asks. */
  readonly hasCallers: boolean
  readonly bodyBytes: number
  readonly logger: Logger
  readonly onRequest: RequestListener
}

export interface ResponseCache {
  /**
   * Answers a request whose whole answer is kept and still what would be answered; all others go on to `pass`, after the same
   * checks or instead of them. It stands ahead of the framework, which would take longer than the answer itself.
   */
  listen(request: IncomingMessage, response: ServerResponse, pass: () => void): void
  /** What `listen` found out about a request that went on; undefined for one that it leaves alone. */
  advanceOf(request: IncomingMessage): Advance | undefined
  /** Keeps the answer to a request that went on. */
  keep(request: PassedOn, answer: WholeAnswer): void
}

/** A request that went on. */
export interface PassedOn extends RequestHead {
  readonly raw: IncomingMessage
  readonly caller: Caller
}

/** A request on its way. */
interface Visit {
  readonly head: RequestHead
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Lets the framework answer. */
  readonly pass: () => void
  readonly began: number
}

const PATH = '/graphql'
/** Larger questions are worth their work: what is asked over and over is shorter. */
const LARGEST_BODY_BYTES = 16_384
/** How many spellings of `Accept` are remembered, each up to so many characters. */
const MOST_ACCEPTS = 1_000
const LONGEST_ACCEPT = 300

/** Creates what keeps whole answers of `/graphql` and gives them again. */
export function createResponseCache(options: ResponseCacheOptions): ResponseCache {
  const { responses, onEvent, identify, phase, hostNames, corsOrigins, logger, onRequest } = options
  const largestBody = Math.min(LARGEST_BODY_BYTES, options.bodyBytes)
  const common = Object.entries({
    ...SECURITY_HEADERS,
    vary: varyOf(options),
    'cache-status': CACHE_STATUS.response,
    ...(corsOrigins.length > 0 && { [CORS.expose]: EXPOSED_HEADERS.join(', ') }),
  }).flat()
  // The media type that Apollo Server chose, by the Accept header, which is all it goes by.
  const chosen = new Map<string, string>()
  const repeated = new Doorkeeper()

  /** Whether an answer to it may be kept. What is refused here is refused by the framework as well, which says why. */
  function isOurs(head: RequestHead): boolean {
    try {
      checkUri(head)
      checkHost(head, hostNames)
      checkMediaType(head)
    } catch {
      return false
    }
    const { headers, method } = head
    if (phase() === 'closing' || headers['transfer-encoding'] !== undefined || headers.expect !== undefined)
      return false
    if ((headers.accept ?? '').length > LONGEST_ACCEPT) return false
    const length = headers['content-length']
    // Apollo Client says application/json of its GETs, too.
    if (method === 'GET') return length === undefined && (headers['content-type'] === undefined || isJson(head))
    return method === 'POST' && Number(length) > 0 && Number(length) <= largestBody
  }

  /** Of the very bytes of a request. */
  function ownKey({ method, url, headers }: RequestHead, { scope }: Caller, body: Buffer | null): string | null {
    const contentType = chosen.get(headers.accept ?? '')
    const request = body?.toString('latin1') ?? url
    return contentType === undefined ? null : responseKey({ scope, method, contentType, request })
  }

  /** Of a request in whatever words; no request of HTTP has such a method. */
  function sharedKey({ headers }: RequestHead, { scope }: Caller, spelled: SpelledRequest | null): string | null {
    const contentType = chosen.get(headers.accept ?? '')
    if (contentType === undefined || spelled === null) return null
    return responseKey({ scope, method: 'POST in other words', contentType, request: spelled.text })
  }

  function find(key: string | null): StoredResponse | 'absent' | 'outdated' {
    return key === null ? 'absent' : responses.find(key)
  }

  function begin(visit: Visit): void {
    const caller = ask(identify, visit.head)
    if ('then' in caller) {
      caller.then(
        (known) => receive(visit, known),
        () => refuse(visit, caller),
      )
    } else receive(visit, caller)
  }

  /** The framework tells the caller why. */
  function refuse({ request, pass }: Visit, caller: Promise<Caller>): void {
    remember(request, { caller, body: null, wasOutdated: false, spelled: null })
    bypass(pass)
  }

  function receive(visit: Visit, caller: Caller): void {
    const { head, request } = visit
    if (head.method === 'GET') {
      attempt(visit, () => recall(visit, caller, null))
    } else {
      const gone = () => logAbort(logger, { id: randomUUID(), ...head })
      readBody(
        request,
        Number(head.headers['content-length']),
        (body) => attempt(visit, () => recall(visit, caller, body)),
        gone,
      )
    }
  }

  /** Gives the answer that is kept for the very request, else the one to the same in other words. */
  function recall(visit: Visit, caller: Caller, body: Buffer | null): void {
    const key = ownKey(visit.head, caller, body)
    const kept = find(key)
    const goOn = (wasOutdated: boolean) => recallShared(visit, caller, body, wasOutdated)
    if (typeof kept === 'string') goOn(kept === 'outdated')
    else whenCurrent(visit, kept, { yes: () => send(visit, kept), no: () => goOn(true) })
  }

  function recallShared(visit: Visit, caller: Caller, body: Buffer | null, wasOutdated: boolean): void {
    const { head } = visit
    const spelled = body && readSpelledRequest(body)
    const kept = find(sharedKey(head, caller, spelled))
    const advance = { caller, body, spelled, wasOutdated: wasOutdated || kept !== 'absent' }
    if (spelled === null || typeof kept === 'string') {
      miss(visit, advance)
      return
    }
    const yes = () => {
      const answer = spellAs(kept, spelled.spelling)
      const key = ownKey(head, caller, body)
      if (key !== null && repeated.admits(hash('sha256', key, 'base64url'))) responses.keep(key, answer)
      send(visit, answer)
    }
    whenCurrent(visit, kept, { yes, no: () => miss(visit, advance) })
  }

  function whenCurrent(visit: Visit, kept: StoredResponse, { yes, no }: { yes(): void; no(): void }): void {
    void responses.confirm(kept).then((isCurrent) => attempt(visit, isCurrent ? yes : no))
  }

  /** A fault of ours ends the connection, and not the process. */
  function attempt({ response }: Visit, work: () => void): void {
    try {
      work()
    } catch (error) {
      logger.error({ err: error }, 'The response cache failed')
      response.destroy()
    }
  }

  function headersOf(answer: Pick<StoredResponse, 'etag' | 'isPublic'>): readonly string[] {
    return [...common, ...Object.entries(validators(answer)).flat()]
  }

  function spellAs(kept: StoredResponse, { aliases, operationName }: Spelling): StoredResponse {
    const body = respell(kept.body, kept.aliases, aliases)
    const etag = body === kept.body ? kept.etag : tagOf(Buffer.from(body, 'latin1'))
    return { ...kept, aliases, body, etag, operation: operationName, headers: headersOf({ ...kept, etag }) }
  }

  function miss({ request, pass }: Visit, advance: Advance): void {
    onEvent({ kind: 'response', outcome: advance.wasOutdated ? 'outdated' : 'miss' })
    remember(request, advance)
    pass()
  }

  function bypass(pass: () => void): void {
    onEvent({ kind: 'response', outcome: 'bypass' })
    pass()
  }

  function send({ head, response, began }: Visit, kept: StoredResponse): void {
    const { origin, 'if-none-match': known } = head.headers
    const isKnown = known !== undefined && head.method === 'GET' && namesTag(known, kept.etag)
    onEvent({ kind: 'response', outcome: isKnown ? 'not-modified' : 'hit' })
    const status = isKnown ? 304 : 200
    const headers = isKnown ? [...kept.headers] : [...kept.headers, 'content-type', kept.contentType]
    if (!isKnown) headers.push('content-length', String(kept.body.length))
    if (origin !== undefined && corsOrigins.includes(origin)) headers.push(CORS.allow, origin)
    if (phase() !== 'open') headers.push('connection', 'close')
    response.writeHead(status, headers)
    if (isKnown) response.end()
    else response.end(kept.body, 'latin1')
    const elapsedMs = performance.now() - began
    const record = { operation: kept.operation, codes: [] }
    onRequest({ status, codes: record.codes, ms: elapsedMs })
    if (logger.isLevelEnabled('info')) logRequest(logger, { id: randomUUID(), ...head, status, elapsedMs, record })
  }

  return {
    listen: (request, response, pass) => {
      const { method = '', url = '', headers } = request
      const isAsked =
        url.startsWith(PATH) && (method === 'POST' ? url.length === PATH.length : url[PATH.length] === '?')
      const head = { method, url, headers }
      if (!isAsked) pass()
      else if (isOurs(head)) begin({ head, request, response, pass, began: performance.now() })
      else bypass(pass)
    },
    advanceOf: recallAdvance,
    keep: ({ method, url, headers, raw, caller }, answer) => {
      const advance = recallAdvance(raw)
      if (advance === undefined) return
      if (chosen.size >= MOST_ACCEPTS) chosen.clear()
      chosen.set(headers.accept ?? '', answer.contentType)
      const head = { method, url, headers }
      const { spelled } = advance
      const aliases = spelled?.spelling.aliases ?? []
      const kept = { ...answer, expiresAt: responses.limit(answer), aliases, headers: headersOf(answer) }
      const own = ownKey(head, caller, advance.body)
      const shared = sharedKey(head, caller, spelled)
      if (shared !== null) responses.keep(shared, kept)
      // What others may ask as well is kept under its own bytes once it comes again.
      if (own !== null && (shared === null || find(own) !== 'absent')) responses.keep(own, kept)
    },
  }
}

/** What `identify` says; what it throws is a rejection as well. */
function ask(identify: Identify, head: RequestHead): Caller | Promise<Caller> {
  try {
    return identify(head)
  } catch (error) {
    return Promise.reject(error)
  }
}

/** Reads a body of so many bytes, which nearly always come as one. `gone` is called when the client leaves before their end. */
function readBody(request: IncomingMessage, length: number, done: (body: Buffer) => void, gone: () => void): void {
  const chunks: Buffer[] = []
  let received = 0
  request.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    received += chunk.length
    if (received === length) done(chunks.length === 1 ? chunk : Buffer.concat(chunks))
  })
  request.on('error', gone)
}
